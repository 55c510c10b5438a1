//! The texts that a resource carries.
//!
//! [`plan`] tells from the definitions where they stand: attachments, narratives, and the strings of `fhir-schemas/texts.tsv`.
//! [`attachment`] reads what is attached: [`html`], [`rtf`], [`pdf`], or plain text in any [`charset`].

mod attachment;
mod base64;
mod charset;
mod html;
mod pdf;
mod plan;
mod rtf;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use chrono::NaiveDate;

use crate::json::{Node, Object};
use crate::model::{self, TypeId};
use crate::nlp::detect::detect_each;
use crate::nlp::token::boundary;
use crate::nlp::{Entity, Interrupted, Lexicon, Options};
use plan::{Action, Step};

/// Bytes of text that are read of one resource.
pub const MAX_TEXT: usize = 64 << 20;
/// Texts that are read of one resource.
const MAX_TEXTS: usize = 100_000;
/// Titles that a text has at most.
const TITLES: usize = 4;
/// Levels of elements that are read.
const MAX_DEPTH: usize = 200;

/// A text of a resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Text<'a> {
    /// FHIRPath of the element, such as `content[0].attachment.data`
    pub path: String,
    /// MIME type without parameters: what the element says, or what its bytes look like where it says nothing
    pub content_type: Cow<'a, str>,
    /// language that the attachment or else the resource states
    pub language: Option<&'a str>,
    /// when it was written: the date of the attachment or annotation, or else of the resource
    pub date: Option<NaiveDate>,
    /// titles of the sections or questions that it stands under, outermost first
    pub titles: Vec<&'a str>,
    pub text: Cow<'a, str>,
    /// why the text is not there, or not all of it
    pub problem: Option<Problem>,
}

/// Why a text could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    Base64,
    ContentType,
    TooLong,
    TooMany,
    TooDeep,
    Pdf,
    PdfEncrypted,
    PdfWithoutText,
    PdfLimit,
    Rtf,
}

impl Problem {
    /// In words; nothing of the resource is in them.
    pub fn message(self) -> &'static str {
        match self {
            Problem::Base64 => "the data is not base64",
            Problem::ContentType => "what is attached is of a kind that is not read",
            Problem::TooLong => "only the first 64 MB of the texts of a resource are read",
            Problem::TooMany => "only the first 100,000 texts of a resource are read",
            Problem::TooDeep => "what lies deeper than 200 levels is not read",
            Problem::Pdf => "the PDF is damaged",
            Problem::PdfEncrypted => "the PDF is encrypted",
            Problem::PdfWithoutText => "the PDF has no text, perhaps only images",
            Problem::PdfLimit => "the PDF needs more memory or time to read than is allowed, the rest is left out",
            Problem::Rtf => "the RTF is damaged",
        }
    }
}

impl Text<'_> {
    /// Whether it is in a language that is read. Words that negate differ, so another language would give false findings.
    pub fn is_english(&self) -> bool {
        self.language.is_none_or(|l| l.as_bytes().get(..2).is_some_and(|l| l.eq_ignore_ascii_case(b"en")) && matches!(l.as_bytes().get(2), None | Some(b'-' | b'_')))
    }

    /// What it says, part by part; `each` says whether to go on.
    pub fn entities(&self, lexicon: &Lexicon, interrupted: &dyn Fn() -> bool, each: &mut dyn FnMut(&mut Vec<Entity>) -> bool) -> Result<(), Interrupted> {
        if self.text.is_empty() || !self.is_english() {
            return Ok(());
        }
        let section = self.titles.iter().rev().find_map(|title| lexicon.headings.named(title)).unwrap_or(0);
        detect_each(&self.text, lexicon, &Options { date: self.date, section, interrupted }, each)
    }
}

/// The texts of a resource in the order of its definition, with those of contained resources. Extensions are not read.
pub fn texts<'a>(resource: Node<'a>, interrupted: &dyn Fn() -> bool) -> Result<Vec<Text<'a>>, Interrupted> {
    let mut walk = Walk { path: String::new(), titles: Vec::new(), texts: Vec::new(), room: MAX_TEXT, interrupted };
    let context = Context { language: None, date: None };
    walk.resource(resource, context, 0)?;
    Ok(walk.texts)
}

/// What a resource says of the texts in it.
#[derive(Clone, Copy)]
struct Context<'a> {
    language: Option<&'a str>,
    date: Option<NaiveDate>,
}

struct Walk<'a, 'i> {
    path: String,
    titles: Vec<&'a str>,
    texts: Vec<Text<'a>>,
    /// bytes of text that may follow
    room: usize,
    interrupted: &'i dyn Fn() -> bool,
}

impl<'a> Walk<'a, '_> {
    fn resource(&mut self, node: Node<'a>, outer: Context<'a>, depth: usize) -> Result<(), Interrupted> {
        let Node::Object(object) = node else { return Ok(()) };
        let Some(ty) = object.get("resourceType").and_then(Node::as_str).and_then(model::type_named) else { return Ok(()) };
        if !ty.is_concrete_resource() || plan::of(ty).is_empty() {
            return Ok(());
        }
        let language = object.get("language").and_then(Node::as_str).or(outer.language);
        let context = Context { language, date: plan::date(object, ty).or(outer.date) };
        // what a resource says is of its patient, and no section around it changes that
        let around = std::mem::take(&mut self.titles);
        self.titles.extend(plan::title_of(ty));
        let done = self.object(object, ty, context, depth);
        self.titles = around;
        done
    }

    fn object(&mut self, object: Object<'a>, ty: TypeId, context: Context<'a>, depth: usize) -> Result<(), Interrupted> {
        let titles = self.titles.len();
        self.titles.extend(plan::title(object, ty));
        let done = self.steps(object, ty, context, depth);
        self.titles.truncate(titles);
        done
    }

    fn steps(&mut self, object: Object<'a>, ty: TypeId, context: Context<'a>, depth: usize) -> Result<(), Interrupted> {
        for step in plan::of(ty) {
            let Some(value) = object.get(step.property) else { continue };
            if self.is_full() {
                return Ok(());
            }
            let length = self.path.len();
            if length > 0 {
                self.path.push('.');
            }
            self.path.push_str(step.element);
            if depth >= MAX_DEPTH {
                self.add(Text { problem: Some(Problem::TooDeep), ..self.empty(context) });
            } else if let Node::Array(items) = value {
                let named = self.path.len();
                for (place, item) in items.iter().enumerate() {
                    self.path.push_str(&format!("[{place}]"));
                    self.step(step, item, object, context, depth + 1)?;
                    self.path.truncate(named);
                }
            } else {
                self.step(step, value, object, context, depth + 1)?;
            }
            self.path.truncate(length);
        }
        Ok(())
    }

    fn step(&mut self, step: &Step, value: Node<'a>, of: Object<'a>, context: Context<'a>, depth: usize) -> Result<(), Interrupted> {
        if self.is_full() {
            return Ok(());
        }
        match (step.action, value) {
            (Action::Into(ty), Node::Object(object)) => self.object(object, ty, context, depth)?,
            (Action::Resource, node) => self.resource(node, context, depth)?,
            (Action::Text, Node::String(text)) if !text.trim().is_empty() => {
                let date = plan::written(of).or(context.date);
                let empty = self.empty(context);
                self.add(Text { text: Cow::Borrowed(text), content_type: Cow::Borrowed(step.content_type), date, ..empty });
            }
            (Action::Xhtml, Node::String(markup)) => {
                let text = html::text(markup, self.room);
                if !text.trim().is_empty() {
                    let empty = self.empty(context);
                    self.add(Text { text: Cow::Owned(text), content_type: Cow::Borrowed(step.content_type), ..empty });
                }
            }
            (Action::Data, Node::String(data)) => {
                if (self.interrupted)() {
                    return Err(Interrupted);
                }
                let declared = of.get("contentType").and_then(Node::as_str);
                if let Some(read) = attachment::read(data, declared, self.room, self.interrupted)? {
                    let language = of.get("language").and_then(Node::as_str).or(context.language);
                    let date = plan::written(of).or(context.date);
                    let path = self.path.clone();
                    self.add(Text { path, content_type: read.content_type, language, date, titles: self.titles(), text: Cow::Owned(read.text), problem: read.problem });
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn empty(&self, context: Context<'a>) -> Text<'a> {
        Text { path: self.path.clone(), content_type: Cow::Borrowed("text/plain"), language: context.language, date: context.date, titles: self.titles(), text: Cow::Borrowed(""), problem: None }
    }

    /// The innermost titles: those further out say less.
    fn titles(&self) -> Vec<&'a str> {
        self.titles[self.titles.len().saturating_sub(TITLES)..].to_vec()
    }

    fn is_full(&self) -> bool {
        self.texts.len() >= MAX_TEXTS || self.room == 0
    }

    fn add(&mut self, mut text: Text<'a>) {
        if text.text.len() > self.room {
            text.text = match text.text {
                Cow::Borrowed(whole) => Cow::Borrowed(&whole[..boundary(whole, self.room)]),
                Cow::Owned(mut whole) => {
                    whole.truncate(boundary(&whole, self.room));
                    Cow::Owned(whole)
                }
            };
            text.problem = Some(Problem::TooLong);
            self.room = 0;
        } else {
            self.room -= text.text.len();
        }
        if self.texts.len() + 1 == MAX_TEXTS {
            text.problem = Some(Problem::TooMany);
        } else if self.room == 0 {
            text.problem = Some(Problem::TooLong);
        }
        self.texts.push(text);
    }
}
