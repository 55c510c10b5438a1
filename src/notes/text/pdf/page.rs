//! The operators of a page that place text: section 9.4.

use std::rc::Rc;

use super::budget::Stop;
use super::document::{Document, Page};
use super::font::{Font, Fonts};
use super::layout::{Layout, Pen};
use super::object::{Dict, Lexer, Object, Token};

/// Forms in forms.
const MAX_FORMS: usize = 12;
/// States that are kept.
const MAX_STATES: usize = 256;
/// Operands of an operator.
const MAX_OPERANDS: usize = 64;

type Matrix = [f32; 6];

const UNIT: Matrix = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];

/// First `a`, then `b`.
fn times(a: Matrix, b: Matrix) -> Matrix {
    [
        a[0] * b[0] + a[1] * b[2],
        a[0] * b[1] + a[1] * b[3],
        a[2] * b[0] + a[3] * b[2],
        a[2] * b[1] + a[3] * b[3],
        a[4] * b[0] + a[5] * b[2] + b[4],
        a[4] * b[1] + a[5] * b[3] + b[5],
    ]
}

#[derive(Clone)]
struct State {
    page: Matrix,
    font: Option<Rc<Font>>,
    size: f32,
    spacing: f32,
    word_spacing: f32,
    scale: f32,
    leading: f32,
    text: Matrix,
    line: Matrix,
}

struct Reader<'d, 'a> {
    document: &'d Document<'a>,
    fonts: &'d mut Fonts,
    layout: &'d mut Layout,
    state: State,
}

/// Draws a page.
pub fn read(document: &Document<'_>, page: &Page, fonts: &mut Fonts, layout: &mut Layout) -> Result<(), Stop> {
    let mut parts: Vec<Object> = Vec::new();
    match page.dict.get("Contents") {
        Some(part @ Object::Reference(_)) => match document.resolve(part)? {
            Some(Object::Array(items)) => parts = items,
            _ => parts.push(part.clone()),
        },
        Some(Object::Array(items)) => parts.clone_from(items),
        _ => {}
    }
    let mut content = Vec::new();
    for part in &parts {
        if let Object::Reference(number) = part
            && let Some(stream) = document.stream(*number)?
            && let Some(unpacked) = document.unpacked(&stream)?
        {
            content.extend_from_slice(&unpacked);
            content.push(b'\n');
        }
    }
    let resources = match &page.resources {
        Some(resources) => document.resolve(resources)?,
        None => None,
    };
    let resources = resources.as_ref().and_then(Object::dict).cloned().unwrap_or_default();
    let state = State { page: UNIT, font: None, size: 1.0, spacing: 0.0, word_spacing: 0.0, scale: 1.0, leading: 0.0, text: UNIT, line: UNIT };
    Reader { document, fonts, layout, state }.run(&content, &resources, MAX_FORMS)
}

impl Reader<'_, '_> {
    fn run(&mut self, content: &[u8], resources: &Dict, forms: usize) -> Result<(), Stop> {
        let Some(forms) = forms.checked_sub(1) else { return Ok(()) };
        let mut lexer = Lexer::new(content, 0);
        let mut operands: Vec<Object> = Vec::new();
        let mut states: Vec<State> = Vec::new();
        let mut before = 0;
        while let Some(token) = lexer.next() {
            self.document.budget.work(lexer.at.saturating_sub(before))?;
            before = lexer.at;
            if self.layout.is_full() {
                return Ok(());
            }
            let operator = match token {
                Token::Operand(object) => {
                    if operands.len() < MAX_OPERANDS {
                        operands.push(object);
                    }
                    continue;
                }
                Token::Operator(operator) => operator,
            };
            match operator {
                b"q" if states.len() < MAX_STATES => states.push(self.state.clone()),
                b"Q" => {
                    if let Some(state) = states.pop() {
                        self.state = state;
                    }
                }
                b"cm" => {
                    if let Some(matrix) = matrix(&operands) {
                        self.state.page = times(matrix, self.state.page);
                    }
                }
                b"Do" => self.form(&operands, resources, forms)?,
                // the bytes of an image that stands in the content
                b"ID" => {
                    let rest = content.get(lexer.at..).unwrap_or_default();
                    let end = memchr::memmem::find_iter(rest, b"EI").find(|at| {
                        let is_space = |at: Option<usize>| at.and_then(|at| rest.get(at)).is_none_or(u8::is_ascii_whitespace);
                        is_space(at.checked_sub(1)) && is_space(Some(at + 2))
                    });
                    lexer.at += end.map_or(rest.len(), |at| at + 2);
                }
                b"Tf" => {
                    if let [Object::Name(name), size] = operands.as_slice() {
                        self.state.size = size.number().unwrap_or(1.0) as f32;
                        self.state.font = self.font(name, resources)?;
                    }
                }
                _ => self.text_operator(operator, &operands)?,
            }
            operands.clear();
        }
        Ok(())
    }

    fn text_operator(&mut self, operator: &[u8], operands: &[Object]) -> Result<(), Stop> {
        let number = |place: usize| operands.get(place).and_then(Object::number).unwrap_or(0.0) as f32;
        match operator {
            b"BT" => (self.state.text, self.state.line) = (UNIT, UNIT),
            b"Tc" => self.state.spacing = number(0),
            b"Tw" => self.state.word_spacing = number(0),
            b"Tz" => self.state.scale = number(0) / 100.0,
            b"TL" => self.state.leading = number(0),
            b"Td" => self.next_line(number(0), number(1)),
            b"TD" => {
                self.state.leading = -number(1);
                self.next_line(number(0), number(1));
            }
            b"Tm" => {
                if let Some(matrix) = matrix(operands) {
                    (self.state.text, self.state.line) = (matrix, matrix);
                }
            }
            b"T*" => self.next_line(0.0, -self.state.leading),
            b"Tj" => self.show(operands.first())?,
            b"'" => {
                self.next_line(0.0, -self.state.leading);
                self.show(operands.first())?;
            }
            b"\"" => {
                self.state.word_spacing = number(0);
                self.state.spacing = number(1);
                self.next_line(0.0, -self.state.leading);
                self.show(operands.get(2))?;
            }
            b"TJ" => {
                for item in operands.first().and_then(Object::array).unwrap_or_default() {
                    match item {
                        Object::Number(back) => self.advance(-(*back as f32) / 1000.0 * self.state.size * self.state.scale),
                        item => self.show(Some(item))?,
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn next_line(&mut self, x: f32, y: f32) {
        self.state.line = times([1.0, 0.0, 0.0, 1.0, x, y], self.state.line);
        self.state.text = self.state.line;
    }

    fn advance(&mut self, by: f32) {
        self.state.text = times([1.0, 0.0, 0.0, 1.0, by, 0.0], self.state.text);
    }

    /// Where the next letter is drawn.
    fn pen(&self) -> Pen {
        let across = times(self.state.text, self.state.page);
        let length = across[0].hypot(across[1]);
        let along = if length > 0.0 { (across[0] / length, across[1] / length) } else { (1.0, 0.0) };
        // raised letters stand in their line all the same, so the rise is left out
        Pen { x: across[4], y: across[5], along, size: self.state.size.abs() * across[2].hypot(across[3]) }
    }

    fn show(&mut self, string: Option<&Object>) -> Result<(), Stop> {
        let (Some(Object::String(bytes)), Some(font)) = (string, self.state.font.clone()) else { return Ok(()) };
        self.document.budget.work(bytes.len())?;
        self.layout.move_to(self.pen());
        let step = if font.is_wide { 2 } else { 1 };
        let mut width = 0.0;
        for code in bytes.chunks(step) {
            let code = code.iter().fold(0u32, |all, byte| all << 8 | u32::from(*byte));
            if let Some(text) = font.text(code) {
                self.layout.add(text);
            }
            width += font.width(code) * self.state.size + self.state.spacing;
            if !font.is_wide && code == 32 {
                width += self.state.word_spacing;
            }
        }
        self.advance(width * self.state.scale);
        self.layout.ends_at(self.pen());
        Ok(())
    }

    fn font(&mut self, name: &[u8], resources: &Dict) -> Result<Option<Rc<Font>>, Stop> {
        let Some(Object::Dict(fonts)) = self.document.get(resources, "Font")? else { return Ok(None) };
        let Ok(name) = std::str::from_utf8(name) else { return Ok(None) };
        fonts.get(name).map_or(Ok(None), |font| self.fonts.get(self.document, font))
    }

    /// Draws a form; an image has no text.
    fn form(&mut self, operands: &[Object], resources: &Dict, forms: usize) -> Result<(), Stop> {
        let Some(Ok(name)) = operands.first().and_then(Object::name).map(std::str::from_utf8) else { return Ok(()) };
        let Some(Object::Dict(objects)) = self.document.get(resources, "XObject")? else { return Ok(()) };
        let Some(Object::Reference(number)) = objects.get(name) else { return Ok(()) };
        let Some(stream) = self.document.stream(*number)? else { return Ok(()) };
        if stream.dict.get("Subtype").and_then(Object::name) != Some(b"Form") {
            return Ok(());
        }
        let Some(content) = self.document.unpacked(&stream)? else { return Ok(()) };
        let own = self.document.get(&stream.dict, "Resources")?;
        let own = own.as_ref().and_then(Object::dict).unwrap_or(resources);
        let before = self.state.clone();
        if let Some(Object::Array(items)) = self.document.get(&stream.dict, "Matrix")?
            && let Some(matrix) = matrix(&items)
        {
            self.state.page = times(matrix, self.state.page);
        }
        self.run(&content, own, forms)?;
        self.state = before;
        Ok(())
    }
}

fn matrix(operands: &[Object]) -> Option<Matrix> {
    let mut matrix = UNIT;
    for (place, value) in matrix.iter_mut().enumerate() {
        *value = operands.get(place)?.number()? as f32;
    }
    Some(matrix)
}
