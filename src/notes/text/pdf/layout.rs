//! Pieces of text at places of a page → lines. Pieces are taken in the order in which the page draws them.

/// A place in units of the page, and the way that text runs there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pen {
    pub x: f32,
    pub y: f32,
    /// direction, of length one
    pub along: (f32, f32),
    /// height of the letters
    pub size: f32,
}

pub struct Layout {
    text: String,
    limit: usize,
    /// where the last piece ended
    last: Option<Pen>,
    /// begin of the page in the text
    page: usize,
}

impl Layout {
    pub fn new(limit: usize) -> Layout {
        Layout { text: String::new(), limit, last: None, page: 0 }
    }

    pub fn is_full(&self) -> bool {
        self.text.len() >= self.limit
    }

    /// Makes the gap between what was drawn and what is drawn at a place.
    pub fn move_to(&mut self, pen: Pen) {
        let Some(last) = self.last else { return };
        let (dx, dy) = (pen.x - last.x, pen.y - last.y);
        let along = dx * pen.along.0 + dy * pen.along.1;
        let across = (dy * pen.along.0 - dx * pen.along.1).abs();
        let size = pen.size.max(last.size).max(0.01);
        let gap = if !across.is_finite() || !along.is_finite() {
            "\n"
        } else if across > 0.5 * size {
            if across > 1.9 * size { "\n\n" } else { "\n" }
        } else if along > 2.0 * size {
            "\t"
        } else if along > 0.15 * size || along < -size {
            " "
        } else {
            ""
        };
        if self.text.len() > self.page && !(gap.is_empty() || gap == " " && self.text.ends_with([' ', '\n', '\t'])) {
            let kept = self.text.trim_end_matches([' ', '\t']).len().max(self.page);
            if gap.starts_with('\n') {
                self.text.truncate(kept);
            }
            self.text.push_str(gap);
        }
    }

    pub fn add(&mut self, text: &str) {
        if !self.is_full() {
            self.text.extend(text.chars().map(|c| if c.is_control() { ' ' } else { c }));
        }
    }

    /// What was drawn ends here.
    pub fn ends_at(&mut self, pen: Pen) {
        self.last = Some(pen);
    }

    pub fn end_page(&mut self) {
        self.last = None;
        if self.text.len() > self.page {
            self.text.truncate(self.text.trim_end().len());
            self.text.push_str("\n\n");
        }
        self.page = self.text.len();
    }

    pub fn finish(mut self) -> String {
        self.text.truncate(self.text.trim_end().len());
        self.text
    }
}
