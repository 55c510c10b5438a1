//! Offsets in bytes → offsets in Unicode code points.

/// Bytes between two marks.
const STEP: usize = 128;

/// Counts the code points before any byte of a text without walking it each time.
pub struct Points<'a> {
    text: &'a [u8],
    /// code points before each multiple of [`STEP`]; nothing if all of the text is ASCII
    marks: Vec<u32>,
}

impl<'a> Points<'a> {
    pub fn new(text: &'a str) -> Points<'a> {
        let bytes = text.as_bytes();
        let mut marks = Vec::new();
        if !text.is_ascii() {
            let mut count = 0;
            for block in bytes.chunks(STEP) {
                marks.push(count);
                count += starts(block);
            }
        }
        Points { text: bytes, marks }
    }

    /// The number of code points before a byte; that of the whole text for a byte behind its end.
    pub fn before(&self, byte: usize) -> u32 {
        let byte = byte.min(self.text.len());
        if self.marks.is_empty() {
            return byte as u32;
        }
        let (block, rest) = (byte / STEP, byte % STEP);
        match self.marks.get(block) {
            Some(mark) => mark + starts(&self.text[byte - rest..byte]),
            // the text ends where a block would begin
            None => self.marks.last().map_or(0, |mark| mark + starts(&self.text[(block - 1) * STEP..])),
        }
    }
}

/// How many characters begin in these bytes.
fn starts(bytes: &[u8]) -> u32 {
    bytes.iter().filter(|b| **b & 0xc0 != 0x80).count() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_as_chars_do() {
        for text in ["", "abc", "æbc", "ab👩‍⚕️", &"é".repeat(64), &"aé".repeat(1000), &"x".repeat(500)] {
            let points = Points::new(text);
            for (count, (byte, _)) in text.char_indices().enumerate() {
                assert_eq!(points.before(byte), count as u32);
            }
            assert_eq!(points.before(text.len()), text.chars().count() as u32);
            assert_eq!(points.before(text.len() + 7), text.chars().count() as u32);
        }
    }
}
