//! What is attached → text.

use std::borrow::Cow;

use super::{MAX_TEXT, Problem, base64, charset, html, pdf, rtf};
use crate::nlp::Interrupted;

/// What was attached.
pub struct Attached<'a> {
    pub content_type: Cow<'a, str>,
    pub text: String,
    pub problem: Option<Problem>,
}

/// How bytes are read.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Plain,
    Markup,
    Rtf,
    Pdf,
    /// images, sound: there is no text to be missed
    NoText,
    Unknown,
}

/// The text of base64 data; `None` where there is none to be expected, as of an image. `room`: bytes of text that are wanted.
pub fn read<'a>(data: &str, declared: Option<&'a str>, room: usize, interrupted: &dyn Fn() -> bool) -> Result<Option<Attached<'a>>, Interrupted> {
    let (mime, encoding) = charset::parts(declared.unwrap_or_default());
    let declared_form = form_of(&mime);
    let of = |text, problem| Ok(Some(Attached { content_type: name(declared, &mime, declared_form), text, problem }));
    if declared_form == Form::NoText {
        return Ok(None);
    }
    if data.len() > MAX_TEXT / 3 * 4 + 1024 * 1024 {
        return of(String::new(), Some(Problem::TooLong));
    }
    let Some(bytes) = base64::decode(data) else { return of(String::new(), Some(Problem::Base64)) };
    let form = seen(&bytes).unwrap_or(match declared_form {
        Form::Unknown if mime.is_empty() || mime == "application/octet-stream" => guessed(&bytes),
        Form::Pdf | Form::Rtf => declared_form,
        form => form,
    });
    let (text, problem) = match form {
        Form::Plain => (charset::text(&bytes, encoding), None),
        Form::Markup => (html::text(&charset::text(&bytes, encoding.or_else(|| html::declared(&bytes))), room.saturating_add(4)), None),
        Form::Rtf => rtf::text(&bytes, room.saturating_add(4)).map_or((String::new(), Some(Problem::Rtf)), |text| (text, None)),
        Form::Pdf => {
            let read = pdf::text(&bytes, room.saturating_add(4), interrupted)?;
            (read.text, read.problem)
        }
        Form::NoText => return Ok(None),
        Form::Unknown => (String::new(), Some(Problem::ContentType)),
    };
    if text.trim().is_empty() && problem.is_none() {
        return Ok(None);
    }
    Ok(Some(Attached { content_type: name(declared, &mime, form), text, problem }))
}

/// The declared type without its parameters, or the usual one of a form.
fn name<'a>(declared: Option<&'a str>, mime: &str, form: Form) -> Cow<'a, str> {
    let stated = declared.and_then(|d| d.split(';').next()).map(str::trim).unwrap_or_default();
    if !mime.is_empty() && (form_of(mime) == form || form == Form::Unknown) {
        return Cow::Borrowed(stated);
    }
    Cow::Borrowed(match form {
        Form::Plain => "text/plain",
        Form::Markup => "text/html",
        Form::Rtf => "application/rtf",
        Form::Pdf => "application/pdf",
        Form::NoText | Form::Unknown => "application/octet-stream",
    })
}

fn form_of(mime: &str) -> Form {
    match mime {
        "text/html" | "application/xhtml+xml" | "text/xml" | "application/xml" => Form::Markup,
        "text/rtf" | "application/rtf" | "text/richtext" | "application/x-rtf" => Form::Rtf,
        "application/pdf" | "application/x-pdf" => Form::Pdf,
        _ if mime.ends_with("+xml") && !mime.starts_with("image/") => Form::Markup,
        _ if mime.starts_with("text/") => Form::Plain,
        _ if ["image/", "audio/", "video/", "font/", "model/"].iter().any(|kind| mime.starts_with(kind)) || mime == "application/dicom" => Form::NoText,
        _ => Form::Unknown,
    }
}

/// What bytes are beyond doubt, whatever was declared.
fn seen(bytes: &[u8]) -> Option<Form> {
    let start = bytes.get(..1024).unwrap_or(bytes);
    let trimmed = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    if trimmed.starts_with(b"{\\rtf") {
        return Some(Form::Rtf);
    }
    trimmed.starts_with(b"%PDF-").then_some(Form::Pdf)
}

/// What bytes without a declaration are.
fn guessed(bytes: &[u8]) -> Form {
    let start = bytes.get(..4096).unwrap_or(bytes);
    if start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") {
        return Form::Plain;
    }
    if memchr::memmem::find(start.get(..1024).unwrap_or(start), b"%PDF-").is_some() {
        return Form::Pdf;
    }
    let lower = start.trim_ascii_start().to_ascii_lowercase();
    let lower = lower.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&lower);
    if [&b"<!doctype"[..], b"<html", b"<?xml", b"<div", b"<p>", b"<body"].iter().any(|tag| lower.starts_with(tag)) {
        return Form::Markup;
    }
    // text has none of the control characters, bar those that lay it out
    let is_odd = |b: &u8| *b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r' | 0x0c);
    if start.iter().any(is_odd) { Form::Unknown } else { Form::Plain }
}
