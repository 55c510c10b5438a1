//! PDF → text. <https://opensource.adobe.com/dc-acrobat-sdk-docs/pdfstandards/PDF32000_2008.pdf>
//!
//! An own reader of what text needs, because no crate at hand bounds what it unpacks and can be stopped: a few kilobytes of PDF may stand for
//! gigabytes. Here all work draws on a [`Budget`], objects are read when they are asked for, and nothing recurses without a bound.
//! The way of a document: [`document`] finds its objects without the cross-reference table, which is often wrong; [`object`] reads them,
//! [`filter`] unpacks streams, [`page`] runs the operators of a page, [`font`] turns codes into characters, [`layout`] places them in lines.

mod budget;
mod document;
mod filter;
mod font;
mod glyph;
mod layout;
mod object;
mod page;
#[cfg(test)]
mod tests;

use super::Problem;
use crate::nlp::Interrupted;
use budget::{Budget, Stop};
use document::Document;
use layout::Layout;

/// Bytes of a document that is read at all.
const MAX_FILE: usize = 48 << 20;
/// Pages that are read.
const MAX_PAGES: usize = 20_000;

/// What could be read.
pub struct Read {
    pub text: String,
    pub problem: Option<Problem>,
}

/// The text of all pages in their order, up to about `limit` bytes.
pub fn text(bytes: &[u8], limit: usize, interrupted: &dyn Fn() -> bool) -> Result<Read, Interrupted> {
    let failed = |problem| Ok(Read { text: String::new(), problem: Some(problem) });
    if bytes.len() > MAX_FILE {
        return failed(Problem::PdfLimit);
    }
    let mut layout = Layout::new(limit);
    let budget = Budget::new(bytes.len(), interrupted);
    let read = read(bytes, &budget, &mut layout);
    let text = super::charset::without_zero(layout.finish().into());
    let problem = match read {
        Err(Stop::Interrupted) => return Err(Interrupted),
        Err(Stop::Limit) => Some(Problem::PdfLimit),
        Ok(Some(problem)) => Some(problem),
        Ok(None) if text.trim().is_empty() => Some(Problem::PdfWithoutText),
        Ok(None) => None,
    };
    Ok(Read { text, problem })
}

fn read(bytes: &[u8], budget: &Budget<'_>, layout: &mut Layout) -> Result<Option<Problem>, Stop> {
    let document = Document::open(bytes, budget)?;
    if document.is_encrypted() {
        return Ok(Some(Problem::PdfEncrypted));
    }
    let pages = document.pages(MAX_PAGES)?;
    if pages.is_empty() {
        return Ok(Some(Problem::Pdf));
    }
    let is_all = pages.len() < MAX_PAGES;
    let mut fonts = font::Fonts::default();
    for page in &pages {
        page::read(&document, page, &mut fonts, layout)?;
        layout.end_page();
        if layout.is_full() {
            return Ok(None);
        }
    }
    Ok((!is_all).then_some(Problem::PdfLimit))
}
