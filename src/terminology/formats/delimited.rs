//! CSV (RFC 4180) and TSV with a header that names the columns: `code`, `display`, `definition`, `parent` (several with `|` or `;`
//! between them), `designation`, `inactive`, `notSelectable`; any other is a property.

use super::lines::Lines;
use super::{Column, Draft, Drafts, FormatError};
use std::io::BufRead;

/// Bytes of a record that goes over several lines.
const MAX_RECORD: usize = 1 << 20;

pub fn read<R: BufRead>(input: R, separator: char, drafts: &mut Drafts) -> Result<(), FormatError> {
    let mut records = Records::new(input, separator);
    let Some((line, header)) = records.next_record()? else { return Err(FormatError::Whole("the file is empty".to_owned())) };
    let columns: Vec<Column> = header.iter().map(|name| Column::named(name)).collect();
    if !columns.contains(&Column::Code) {
        return Err(FormatError::at(line, "no column is named code"));
    }
    while let Some((line, record)) = records.next_record()? {
        if record.len() == 1 && record.first().is_some_and(|only| only.trim().is_empty()) {
            continue;
        }
        if record.len() > columns.len() {
            return Err(FormatError::at(line, format!("it has {} values for {} columns", record.len(), columns.len())));
        }
        let mut draft = Draft { line, ..Draft::default() };
        for (column, value) in columns.iter().zip(&record) {
            column.put(&mut draft, value).map_err(|reason| FormatError::at(line, reason))?;
        }
        drafts.add(draft)?;
    }
    Ok(())
}

/// Records of such a file.
pub struct Records<R> {
    lines: Lines<R>,
    separator: char,
}

impl<R: BufRead> Records<R> {
    pub fn new(input: R, separator: char) -> Records<R> {
        Records { lines: Lines::new(input), separator }
    }

    /// The values of the next record and the line that it begins in.
    pub fn next_record(&mut self) -> Result<Option<(u64, Vec<String>)>, FormatError> {
        let Some((line, text)) = self.lines.next_line()? else { return Ok(None) };
        let mut text = text.to_owned();
        if self.separator == '\t' {
            return Ok(Some((line, text.split('\t').map(str::to_owned).collect())));
        }
        let mut values = Vec::new();
        let mut value = String::new();
        let mut quoted = false;
        let mut length = 0;
        loop {
            length += text.len();
            if length > MAX_RECORD {
                return Err(FormatError::at(line, format!("its record is longer than {MAX_RECORD} bytes")));
            }
            let mut letters = text.chars().peekable();
            while let Some(letter) = letters.next() {
                match letter {
                    '"' if quoted && letters.peek() == Some(&'"') => {
                        letters.next();
                        value.push('"');
                    }
                    '"' if quoted => quoted = false,
                    '"' if value.is_empty() => quoted = true,
                    letter if letter == self.separator && !quoted => values.push(std::mem::take(&mut value)),
                    letter => value.push(letter),
                }
            }
            if !quoted {
                values.push(value);
                return Ok(Some((line, values)));
            }
            value.push('\n');
            text = match self.lines.next_line()? {
                Some((_, more)) => more.to_owned(),
                None => return Err(FormatError::at(line, "a quote is not closed")),
            };
        }
    }
}
