//! Fonts: codes → characters and widths. Sections 9.6 to 9.10.

use std::collections::HashMap;
use std::rc::Rc;

use super::budget::{Budget, Stop};
use super::document::Document;
use super::glyph;
use super::object::{Dict, Lexer, Object, Token};

/// Fonts that are kept; others are read again.
const MAX_FONTS: usize = 1_000;

/// Fonts by the number of their object.
#[derive(Default)]
pub struct Fonts(HashMap<u32, Rc<Font>>);

#[derive(Debug)]
pub struct Font {
    /// codes have two bytes
    pub is_wide: bool,
    to_unicode: HashMap<u32, Box<str>>,
    simple: Option<Box<[Box<str>; 256]>>,
    widths: HashMap<u32, f32>,
    other_width: f32,
    /// one unit of widths in units of text
    pub unit: f32,
}

impl Fonts {
    pub fn get(&mut self, document: &Document<'_>, font: &Object) -> Result<Option<Rc<Font>>, Stop> {
        let number = if let Object::Reference(number) = font { Some(*number) } else { None };
        if let Some(known) = number.and_then(|number| self.0.get(&number)) {
            return Ok(Some(known.clone()));
        }
        let Some(Object::Dict(dict)) = document.resolve(font)? else { return Ok(None) };
        let font = Rc::new(read(document, &dict)?);
        if let Some(number) = number
            && self.0.len() < MAX_FONTS
        {
            self.0.insert(number, font.clone());
        }
        Ok(Some(font))
    }
}

impl Font {
    /// The text of a code; `None` where nothing says what it is.
    pub fn text(&self, code: u32) -> Option<&str> {
        self.to_unicode.get(&code).map(|text| &**text).or_else(|| self.simple.as_ref()?.get(code as usize).map(|text| &**text).filter(|text| !text.is_empty()))
    }

    pub fn width(&self, code: u32) -> f32 {
        self.widths.get(&code).copied().unwrap_or(self.other_width) * self.unit
    }
}

fn read(document: &Document<'_>, dict: &Dict) -> Result<Font, Stop> {
    let subtype = dict.get("Subtype").and_then(Object::name).unwrap_or_default();
    let is_wide = subtype == b"Type0";
    let mut font = Font { is_wide, to_unicode: HashMap::new(), simple: None, widths: HashMap::new(), other_width: 500.0, unit: 0.001 };
    if let Some(Object::Reference(number)) = dict.get("ToUnicode")
        && let Some(stream) = document.stream(*number)?
        && let Some(map) = document.unpacked(&stream)?
    {
        to_unicode(&map, document.budget, &mut font.to_unicode)?;
    }
    if is_wide {
        wide_widths(document, dict, &mut font)?;
        return Ok(font);
    }
    if subtype == b"Type3"
        && let Some(Object::Array(matrix)) = document.get(dict, "FontMatrix")?
    {
        font.unit = matrix.first().and_then(Object::number).unwrap_or(0.001) as f32;
    }
    let first = document.whole(dict, "FirstChar")?.unwrap_or(0);
    if let Some(Object::Array(widths)) = document.get(dict, "Widths")? {
        for (code, width) in widths.iter().take(256).enumerate() {
            if let Some(width) = width.number() {
                font.widths.insert((first + code) as u32, width as f32);
            }
        }
    }
    font.simple = Some(Box::new(simple(document, dict)?));
    Ok(font)
}

/// The widths of a composite font: section 9.7.4.3.
fn wide_widths(document: &Document<'_>, dict: &Dict, font: &mut Font) -> Result<(), Stop> {
    let Some(Object::Array(descendants)) = document.get(dict, "DescendantFonts")? else { return Ok(()) };
    let Some(Object::Dict(descendant)) = descendants.first().map_or(Ok(None), |d| document.resolve(d))? else { return Ok(()) };
    font.other_width = document.get(&descendant, "DW")?.and_then(|o| o.number()).unwrap_or(1000.0) as f32;
    let Some(Object::Array(widths)) = document.get(&descendant, "W")? else { return Ok(()) };
    let mut rest = widths.as_slice();
    while let [first, second, behind @ ..] = rest {
        rest = behind;
        let Some(first) = first.integer() else { continue };
        match document.resolve(second)? {
            Some(Object::Array(each)) => {
                for (code, width) in each.iter().enumerate() {
                    document.budget.entry()?;
                    font.widths.insert((first + code) as u32, width.number().unwrap_or(0.0) as f32);
                }
            }
            Some(last) => {
                let (Some(last), [width, behind @ ..]) = (last.integer(), rest) else { break };
                rest = behind;
                for code in first..=last.min(first + 0xffff) {
                    document.budget.entry()?;
                    font.widths.insert(code as u32, width.number().unwrap_or(0.0) as f32);
                }
            }
            None => {}
        }
    }
    Ok(())
}

/// The characters of a font whose codes have one byte: section 9.6.6.
fn simple(document: &Document<'_>, dict: &Dict) -> Result<[Box<str>; 256], Stop> {
    let encoding = document.get(dict, "Encoding")?;
    let base = match &encoding {
        Some(Object::Name(name)) => Some(name.clone()),
        Some(Object::Dict(dict)) => dict.get("BaseEncoding").and_then(Object::name).map(Into::into),
        _ => None,
    };
    let mut table: [Box<str>; 256] = std::array::from_fn(|code| {
        let byte = [code as u8];
        match base.as_deref() {
            Some(b"MacRomanEncoding") => encoding_rs::MACINTOSH.decode_without_bom_handling(&byte).0.into(),
            Some(b"WinAnsiEncoding") => encoding_rs::WINDOWS_1252.decode_without_bom_handling(&byte).0.into(),
            _ => standard(code as u8).map_or_else(|| encoding_rs::WINDOWS_1252.decode_without_bom_handling(&byte).0.into(), Into::into),
        }
    });
    for blank in table.iter_mut().take(0x20) {
        *blank = "".into();
    }
    if let Some(Object::Dict(dict)) = &encoding
        && let Some(Object::Array(differences)) = document.get(dict, "Differences")?
    {
        let mut code = 0usize;
        for item in &differences {
            match item {
                Object::Number(_) => code = item.integer().unwrap_or(0),
                Object::Name(name) => {
                    if let (Some(place), Some(text)) = (table.get_mut(code), glyph::text(name)) {
                        *place = text.into();
                    }
                    code = code.saturating_add(1);
                }
                _ => {}
            }
        }
    }
    Ok(table)
}

/// Where the standard encoding differs from that of Windows.
fn standard(code: u8) -> Option<&'static str> {
    Some(match code {
        0x27 => "’",
        0x60 => "‘",
        0xa9 => "'",
        0xaa => "“",
        0xad => "‹",
        0xae => "fi",
        0xaf => "fl",
        0xb1 => "–",
        0xb7 => "•",
        0xb9 => "„",
        0xba => "”",
        0xbc => "…",
        0xd0 => "—",
        0xfb => "ß",
        _ => return None,
    })
}

/// A map to Unicode: section 9.10.3.
fn to_unicode(map: &[u8], budget: &Budget<'_>, out: &mut HashMap<u32, Box<str>>) -> Result<(), Stop> {
    budget.work(map.len())?;
    let mut lexer = Lexer::new(map, 0);
    let mut operands: Vec<Object> = Vec::new();
    while let Some(token) = lexer.next() {
        match token {
            Token::Operand(object) => {
                if operands.len() < 3 * 1024 {
                    operands.push(object);
                }
            }
            Token::Operator(b"endbfchar") => {
                for pair in operands.chunks_exact(2) {
                    if let [Object::String(code), Object::String(text)] = pair {
                        budget.entry()?;
                        out.insert(code_of(code), utf16(text, 0));
                    }
                }
                operands.clear();
            }
            Token::Operator(b"endbfrange") => {
                for triple in operands.chunks_exact(3) {
                    let [Object::String(first), Object::String(last), target] = triple else { continue };
                    let (first, last) = (code_of(first), code_of(last));
                    for (place, code) in (first..=last.min(first.saturating_add(0xffff))).enumerate() {
                        let text = match target {
                            Object::String(text) => utf16(text, place as u16),
                            Object::Array(texts) => match texts.get(place) {
                                Some(Object::String(text)) => utf16(text, 0),
                                _ => break,
                            },
                            _ => break,
                        };
                        budget.entry()?;
                        out.insert(code, text);
                    }
                }
                operands.clear();
            }
            Token::Operator(_) => operands.clear(),
        }
    }
    Ok(())
}

fn code_of(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |all, byte| all << 8 | u32::from(*byte))
}

/// UTF-16, its last unit a number of places further.
fn utf16(bytes: &[u8], further: u16) -> Box<str> {
    let mut units: Vec<u16> = bytes.chunks(2).take(64).map(|pair| pair.iter().fold(0, |all, byte| all << 8 | u16::from(*byte))).collect();
    if let Some(last) = units.last_mut() {
        *last = last.wrapping_add(further);
    }
    char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).filter(|c| *c != '\0').collect::<String>().into()
}
