//! Markup → text, laid out in lines. One pass without recursion; what is not well-formed is read as far as it goes.
//!
//! Blocks become lines, paragraphs get an empty line between them, items of lists begin with `- ` or their number, cells of a row are
//! separated by tabs. Narratives are XHTML, attachments HTML of any kind; the narrative blocks of CDA documents have names of their own.

use crate::search::content::xhtml::{behind, entity};
use encoding_rs::Encoding;

/// How an element is laid out.
#[derive(Clone, Copy, PartialEq)]
enum Layout {
    Inline,
    Line,
    Paragraph,
    List { numbered: bool },
    Item,
    Cell,
    Break,
    Pre,
    /// its content is no text
    Skip,
}

fn layout(name: &str) -> Layout {
    match name {
        "address" | "article" | "aside" | "body" | "caption" | "center" | "component" | "dd" | "details" | "dialog" | "div" | "dt" | "entry" | "fieldset"
        | "figcaption" | "figure" | "footer" | "form" | "header" | "html" | "legend" | "main" | "nav" | "option" | "section" | "summary" | "tbody" | "text"
        | "tfoot" | "thead" | "title" | "tr" => Layout::Line,
        "blockquote" | "dl" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "hr" | "p" | "paragraph" | "table" => Layout::Paragraph,
        "ul" | "menu" | "list" => Layout::List { numbered: false },
        "ol" => Layout::List { numbered: true },
        "li" | "item" => Layout::Item,
        "td" | "th" => Layout::Cell,
        "br" => Layout::Break,
        "pre" => Layout::Pre,
        "head" | "script" | "style" | "template" | "noscript" | "iframe" | "object" | "svg" | "math" | "select" | "textarea" | "nonxmlbody" => Layout::Skip,
        _ => Layout::Inline,
    }
}

/// Lists in lists whose items are numbered and indented.
const MAX_LISTS: usize = 16;

#[derive(Clone, Copy, Default, PartialEq, PartialOrd)]
enum Gap {
    #[default]
    None,
    Space,
    Tab,
    Line,
    Paragraph,
}

#[derive(Default)]
struct Out {
    text: String,
    /// what goes before the next text
    gap: Gap,
    /// bullet or number of the item that begins
    bullet: Option<String>,
    /// for each list the number of its next item; 0 where they are not numbered
    lists: Vec<u32>,
    /// lists beyond [`MAX_LISTS`]
    deeper: usize,
    pre: usize,
}

/// The text, up to about `limit` bytes.
pub fn text(markup: &str, limit: usize) -> String {
    let mut out = Out::default();
    let mut rest = markup;
    let mut decoded = String::new();
    while !rest.is_empty() && out.text.len() < limit {
        match rest.as_bytes().first() {
            Some(b'<') => rest = tag(rest, &mut out),
            Some(b'&') => {
                decoded.clear();
                rest = entity(rest, &mut decoded);
                out.add(&decoded);
            }
            _ => {
                let next = memchr::memchr2(b'<', b'&', rest.as_bytes()).unwrap_or(rest.len());
                out.add(&rest[..next]);
                rest = &rest[next..];
            }
        }
    }
    super::charset::without_zero(out.text.into())
}

/// Behind what begins with `<`.
fn tag<'a>(markup: &'a str, out: &mut Out) -> &'a str {
    let section = |open: &str, close: &str| markup.strip_prefix(open).map(|inner| inner.split_once(close).unwrap_or((inner, "")));
    if let Some((_, rest)) = section("<!--", "-->") {
        return rest;
    }
    if let Some((inner, rest)) = section("<![CDATA[", "]]>") {
        out.add(inner);
        return rest;
    }
    let inner = &markup[1..];
    if !inner.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')) {
        out.add("<");
        return inner;
    }
    let is_end = inner.starts_with('/');
    let name = inner.strip_prefix('/').unwrap_or(inner);
    let name = &name[..name.bytes().take(16).position(|b| !b.is_ascii_alphanumeric() && b != b':').unwrap_or(name.len().min(16)).min(name.len())];
    let name = name.rsplit(':').next().unwrap_or(name).to_ascii_lowercase();
    let rest = behind(inner);
    let is_empty = inner[..inner.len() - rest.len()].ends_with("/>");
    let layout = layout(&name);
    if layout == Layout::Skip && !is_end && !is_empty {
        return behind_element(rest, &name);
    }
    out.lay_out(layout, is_end, is_empty);
    rest
}

/// Behind the end tag of an element.
fn behind_element<'a>(markup: &'a str, name: &str) -> &'a str {
    let bytes = markup.as_bytes();
    for at in memchr::memchr_iter(b'<', bytes) {
        let Some(found) = bytes.get(at + 1..at + 2 + name.len()) else { break };
        if found.first() == Some(&b'/') && found.get(1..).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes())) {
            return behind(&markup[at + 1..]);
        }
    }
    ""
}

impl Out {
    fn lay_out(&mut self, layout: Layout, is_end: bool, is_empty: bool) {
        match layout {
            Layout::Inline | Layout::Skip => {}
            Layout::Line => self.need(Gap::Line),
            Layout::Paragraph => self.need(Gap::Paragraph),
            Layout::Break if !is_end => {
                if self.gap >= Gap::Line && !self.text.is_empty() && self.gap != Gap::Paragraph {
                    self.gap = Gap::Paragraph;
                }
                self.need(Gap::Line);
            }
            Layout::Break => {}
            Layout::Cell => {
                if !is_end && self.gap < Gap::Line && !self.text.is_empty() {
                    self.need(Gap::Tab);
                }
            }
            Layout::Item => {
                self.need(Gap::Line);
                if !is_end {
                    self.bullet = Some(match self.lists.last_mut() {
                        Some(number) if *number > 0 => {
                            *number = number.saturating_add(1);
                            format!("{}. ", *number - 1)
                        }
                        _ => "- ".to_owned(),
                    });
                }
            }
            Layout::List { numbered } => {
                let outermost = usize::from(is_end);
                self.need(if self.deeper == 0 && self.lists.len() <= outermost { Gap::Paragraph } else { Gap::Line });
                if is_end {
                    if self.deeper > 0 {
                        self.deeper -= 1;
                    } else {
                        self.lists.pop();
                    }
                } else if !is_empty {
                    if self.lists.len() < MAX_LISTS {
                        self.lists.push(u32::from(numbered));
                    } else {
                        self.deeper += 1;
                    }
                }
            }
            Layout::Pre => {
                self.need(Gap::Paragraph);
                if is_end {
                    self.pre = self.pre.saturating_sub(1);
                } else if !is_empty {
                    self.pre += 1;
                }
            }
        }
    }

    fn need(&mut self, gap: Gap) {
        if gap > self.gap {
            self.gap = gap;
        }
    }

    fn add(&mut self, text: &str) {
        if self.pre > 0 {
            self.open();
            self.text.push_str(text);
            return;
        }
        let is_space = |b: u8| matches!(b, b' ' | b'\t' | b'\n' | b'\r' | 0x0c);
        let mut rest = text;
        while !rest.is_empty() {
            let spaces = rest.bytes().take_while(|b| is_space(*b)).count();
            if spaces > 0 {
                self.need(Gap::Space);
                rest = &rest[spaces..];
            }
            let word = rest.bytes().position(is_space).unwrap_or(rest.len());
            if word > 0 {
                self.open();
                self.text.push_str(&rest[..word]);
                rest = &rest[word..];
            }
        }
    }

    /// What stands between the text before and that which comes.
    fn open(&mut self) {
        let gap = std::mem::take(&mut self.gap);
        if !self.text.is_empty() {
            match gap {
                Gap::None => {}
                Gap::Space => self.text.push(' '),
                Gap::Tab => self.text.push('\t'),
                Gap::Line => self.text.push('\n'),
                Gap::Paragraph => self.text.push_str("\n\n"),
            }
        }
        if let Some(bullet) = self.bullet.take() {
            for _ in 1..self.lists.len() {
                self.text.push_str("  ");
            }
            self.text.push_str(&bullet);
        }
    }
}

/// The character set that a document names in its head or its XML declaration.
pub fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes.get(..1024).unwrap_or(bytes).to_ascii_lowercase();
    ["charset=", "encoding="].iter().find_map(|name| {
        let at = memchr::memmem::find(&head, name.as_bytes())? + name.len();
        let value = head.get(at..)?;
        let value = value.strip_prefix(b"\"").or_else(|| value.strip_prefix(b"'")).unwrap_or(value);
        let end = value.iter().position(|b| !b.is_ascii_alphanumeric() && !matches!(b, b'-' | b'_' | b'.' | b':')).unwrap_or(value.len());
        Encoding::for_label(value.get(..end)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(markup: &str) -> String {
        text(markup, usize::MAX)
    }

    #[test]
    fn blocks_are_lines_and_paragraphs_apart() {
        assert_eq!(read("<div xmlns=\"x\"><h2>Plan</h2><p>Rest,  no\n work.</p><p>Return.</p></div>"), "Plan\n\nRest, no work.\n\nReturn.");
        assert_eq!(read("<div>a<div>b</div><span>c</span><b>d</b></div>"), "a\nb\ncd");
        assert_eq!(read("a<br/>b<br><br>c"), "a\nb\n\nc");
        assert_eq!(read("<pre>K  5.2\nNa 140</pre>"), "K  5.2\nNa 140");
    }

    #[test]
    fn lists_are_items() {
        assert_eq!(read("<p>Meds:</p><ul><li>aspirin</li><li>metoprolol<ul><li>25 mg</li></ul></li></ul>end"), "Meds:\n\n- aspirin\n- metoprolol\n  - 25 mg\n\nend");
        assert_eq!(read("<ol><li>one</li><li>two</li></ol>"), "1. one\n2. two");
    }

    #[test]
    fn cells_are_apart() {
        assert_eq!(read("<table><tr><th>Test</th><th>Value</th></tr>\n<tr><td>K</td> <td>5.2</td></tr></table>"), "Test\tValue\nK\t5.2");
    }

    #[test]
    fn what_is_no_text_is_left_out() {
        assert_eq!(read("<html><head><title>x</title></head><body>a<script>if (a<b) '</p>'</script>b<!-- c -->d</body></html>"), "abd");
        assert_eq!(read("<style>p{}"), "");
        assert_eq!(read("a <b title=\"x>y\">bold</b> 3 < 5 &lt; &amp; &eacute; &#8805; &nosuch;"), "a bold 3 < 5 < & é ≥ &nosuch;");
        assert_eq!(read("T&nbsp;38 &mdash; high &le; &bull;"), "T\u{a0}38 — high ≤ •");
    }

    #[test]
    fn hostile_markup_is_read_in_time() {
        let deep = "<ul><li>".repeat(100_000) + "x";
        assert!(read(&deep).ends_with("- x"));
        assert_eq!(read(&("<div>".repeat(100_000) + "x" + &"</div>".repeat(100_000))), "x");
        read(&"<".repeat(1_000_000));
        read(&"<a b=\"".repeat(200_000));
        read(&"&".repeat(1_000_000));
        read(&"<!--".repeat(200_000));
        read(&"<script".repeat(200_000));
        read(&"</".repeat(500_000));
        read(&"<é".repeat(100_000));
        assert_eq!(text(&"ab ".repeat(1000), 10).len(), 2999);
    }
}
