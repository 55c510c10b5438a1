//! Rows to SVG.

use super::axis::{Axis, date};
use super::rows::{Band, Row, bands};
use super::text::{escaped, fitted, short, width};
use super::{Frame, Line, Record};
use crate::record::Precision;
use crate::index::time::{self, DAY, OPEN_HIGH, OPEN_LOW};
use crate::model::LaneForm;
use std::fmt::Write;

const MARGIN: f64 = 24.0;
/// The columns beside the plot.
const LABELS: f64 = 236.0;
const LATEST: f64 = 236.0;
const COLUMN_GAP: f64 = 14.0;
/// Where the plot begins, below title and axis.
const TOP: f64 = 104.0;
const TITLE_ROW: f64 = 24.0;
const BAND_END: f64 = 7.0;
const FOOT: f64 = 62.0;
const SIZE: f64 = 11.5;

const INK: &str = "#1f2933";
const QUIET: &str = "#667085";
const GRID: &str = "#e3e8ef";
const SHADE: &str = "#f7f9fb";

/// One for each lane, and the last for all that follow: told apart also by those who see few colours.
const COLOURS: [&str; 11] =
    ["#46638c", "#b42318", "#b54708", "#2e7d4f", "#6941a5", "#0e7490", "#1d5fb4", "#5b6472", "#8a6d1b", "#7c8594", "#7c8594"];

/// Statuses that need not be told of what is past.
const EXPECTED: [&str; 3] = ["completed", "final", "finished"];

/// A picture that is being drawn.
pub struct Canvas {
    pub out: String,
    pub axis: Axis,
    width: f64,
    /// Of the lane that is being drawn.
    pub colour: &'static str,
}

/// The picture of a record.
pub fn draw(record: &Record, frame: &Frame) -> String {
    let rows = bands(&record.lines, frame.rows);
    let width = f64::from(frame.width);
    let (low, high) = stretch(record);
    let axis = Axis { low, high, left: MARGIN + LABELS + COLUMN_GAP, right: width - MARGIN - LATEST - COLUMN_GAP };
    let heights: Vec<f64> = rows.iter().map(height).collect();
    let bottom = TOP + heights.iter().sum::<f64>().max(40.0);
    let mut canvas = Canvas { out: String::new(), axis, width, colour: INK };
    canvas.open(record, &rows, bottom + FOOT);
    canvas.shades(&heights);
    if rows.is_empty() {
        canvas.text(axis.left, TOP + 26.0, QUIET, "", "nothing with a date");
    } else {
        canvas.grid(record, bottom);
    }
    let mut top = TOP;
    for (band, height) in rows.iter().zip(heights) {
        canvas.band(band, top);
        top += height;
    }
    canvas.legend(bottom);
    canvas.notes(record, bottom);
    canvas.out.push_str("</g>\n</svg>\n");
    canvas.out
}

/// The time that is drawn, with a little room at its ends.
fn stretch(record: &Record) -> (i64, i64) {
    let drawn = || record.lines.iter().filter(|line| line.is_dated() && !line.was_an_error());
    let first = drawn().map(Line::start).min().unwrap_or(0);
    let last = drawn().map(Line::end).max().unwrap_or(0);
    let low = if record.from == OPEN_LOW { first } else { record.from };
    let high = if record.to == OPEN_HIGH { last } else { record.to };
    let room = (high.saturating_sub(low) / 80).max(DAY / 48);
    let (low, high) = (if record.from == OPEN_LOW { low - room } else { low }, if record.to == OPEN_HIGH { high.max(low) + room } else { high });
    (low, high.max(low.saturating_add(DAY / 24)))
}

fn row_height(band: &Band, row: &Row) -> f64 {
    match band.form {
        LaneForm::Line => 30.0,
        LaneForm::Series if !row.is_mixed && row.lines.iter().filter(|line| line.numbers().is_some()).nth(1).is_some() => 29.0,
        _ => 20.0,
    }
}

fn height(band: &Band) -> f64 {
    let rows: f64 = band.rows.iter().map(|row| row_height(band, row)).sum();
    if band.form == LaneForm::Line { rows } else { TITLE_ROW + rows + BAND_END }
}

/// When it began, as exactly as that is known; of what only has an end, the last day.
fn day(line: &Line) -> String {
    if line.occurred == OPEN_LOW {
        return written(line.start().saturating_sub(1), Precision::Day);
    }
    written(line.start(), line.precision.unwrap_or(Precision::Day))
}

/// The last day, or the last year or month where its beginning is not known any better.
fn last_day(line: &Line, ended: i64) -> String {
    let (_, month, day) = date(ended);
    let at_midnight = ended.rem_euclid(DAY) == 0;
    let precision = match line.precision {
        Some(Precision::Year) if at_midnight && (month, day) == (1, 1) => Precision::Year,
        Some(Precision::Year | Precision::Month) if at_midnight && day == 1 => Precision::Month,
        _ => Precision::Day,
    };
    written(ended.saturating_sub(1), precision)
}

fn written(at: i64, precision: Precision) -> String {
    let (year, month, day) = date(at);
    match precision {
        Precision::Year => format!("{year:04}"),
        Precision::Month => format!("{year:04}-{month:02}"),
        _ => format!("{year:04}-{month:02}-{day:02}"),
    }
}

/// `12,345 entries`
fn plural(count: usize) -> String {
    if count == 1 {
        return "1 entry".into();
    }
    format!("{} entries", grouped(count))
}

fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

impl Canvas {
    fn open(&mut self, record: &Record, bands: &[Band], height: f64) {
        let drawn: usize = bands.iter().flat_map(|band| &band.rows).map(|row| row.lines.len()).sum();
        let lanes: Vec<String> = bands.iter().map(|band| format!("{} {}", band.name, band.rows.iter().map(|row| row.lines.len()).sum::<usize>())).collect();
        let whose = if record.title.is_empty() { "Record".to_owned() } else { record.title.clone() };
        let mut under = Vec::new();
        under.extend(record.born.as_ref().map(|born| format!("born {born}")));
        under.push(plural(drawn));
        if drawn > 0 {
            let lines = || bands.iter().flat_map(|band| &band.rows).flat_map(|row| &row.lines);
            let first = lines().map(|line| line.start()).min().unwrap_or(self.axis.low).max(self.axis.low);
            let last = lines().map(|line| line.end()).max().unwrap_or(self.axis.high).min(self.axis.high - 1);
            let ((first, ..), (last, ..)) = (date(first), date(last));
            under.push(if first == last { first.to_string() } else { format!("{first} to {last}") });
        }
        let under = under.join(" · ");
        let (width, title) = (self.width, escaped(&whose));
        let _ = write!(
            self.out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
             aria-labelledby=\"fhir-timeline-title fhir-timeline-text\">\n<title id=\"fhir-timeline-title\">Timeline of {title}</title>\n\
             <desc id=\"fhir-timeline-text\">{}: {}</desc>\n<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n\
             <g font-family=\"'Helvetica Neue', Arial, 'Liberation Sans', sans-serif\" font-size=\"{SIZE}\">\n",
            escaped(&under),
            escaped(&lanes.join(", ")),
        );
        self.text(MARGIN, 38.0, INK, " font-size=\"20\" font-weight=\"bold\"", &fitted(&whose, 21.0, width - 2.0 * MARGIN));
        self.text(MARGIN, 59.0, QUIET, " font-size=\"12.5\"", &under);
    }

    fn text(&mut self, x: f64, y: f64, fill: &str, more: &str, content: &str) {
        let _ = writeln!(self.out, "<text x=\"{x:.1}\" y=\"{y:.1}\" fill=\"{fill}\"{more}>{}</text>", escaped(content));
    }

    /// Every other band on a shade, so that the eye keeps the line from label to value.
    fn shades(&mut self, heights: &[f64]) {
        let (mut y, width) = (TOP, self.width - 2.0 * MARGIN + 12.0);
        for (number, height) in heights.iter().enumerate() {
            if number % 2 == 0 {
                let _ = writeln!(self.out, "<rect x=\"{:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"3\" fill=\"{SHADE}\"/>", MARGIN - 6.0);
            }
            y += height;
        }
    }

    fn grid(&mut self, record: &Record, bottom: f64) {
        let ticks = self.axis.ticks();
        let lines: String = ticks.iter().map(|tick| format!("M{:.1} {:.1}V{bottom:.1}", self.axis.x(tick.at), TOP - 6.0)).collect();
        let _ = writeln!(self.out, "<path d=\"{lines}\" stroke=\"{GRID}\" fill=\"none\"/>");
        let born = record.born.as_deref().and_then(time::parse);
        let mut aged = false;
        for tick in &ticks {
            let x = self.axis.x(tick.at);
            self.text(x, TOP - 24.0, INK, " text-anchor=\"middle\"", &tick.label);
            let age = born.zip(tick.year).and_then(|(born, year)| {
                let (birth_year, ..) = date(born.low);
                let birthday_passed = date(born.low) == (birth_year, 1, 1);
                let age = year - birth_year - i64::from(!birthday_passed);
                (0..150).contains(&age).then_some(age)
            });
            if let Some(age) = age {
                aged = true;
                self.text(x, TOP - 11.0, QUIET, " text-anchor=\"middle\" font-size=\"10\"", &age.to_string());
            }
        }
        if aged {
            self.text(self.axis.left - COLUMN_GAP, TOP - 11.0, QUIET, " text-anchor=\"end\" font-size=\"10\"", "age");
        }
        self.text(self.axis.right + COLUMN_GAP, TOP - 11.0, QUIET, " font-size=\"10\"", "latest");
    }

    fn band(&mut self, band: &Band, top: f64) {
        let colour = COLOURS[band.lane.min(COLOURS.len() - 1)];
        self.colour = colour;
        let mut y = top;
        if band.form != LaneForm::Line {
            self.text(MARGIN, y + 17.0, colour, " font-size=\"12.5\" font-weight=\"bold\"", band.name);
            y += TITLE_ROW;
        }
        for row in &band.rows {
            let height = row_height(band, row);
            let middle = y + height / 2.0;
            let _ = write!(self.out, "<g stroke-linecap=\"round\" fill=\"none\" stroke=\"{colour}\"><title>{}</title>", escaped(&tip(row)));
            match band.form {
                LaneForm::Line => self.strip(row, middle, 20.0),
                _ if row.is_mixed => self.strip(row, middle, 13.0),
                LaneForm::Codes => self.marks(row, middle),
                LaneForm::Series => self.series(row, middle, height - 9.0),
            }
            self.out.push_str("</g>\n");
            let base = middle + 4.0;
            if band.form == LaneForm::Line {
                self.text(MARGIN, base, colour, " font-size=\"12.5\" font-weight=\"bold\"", band.name);
            } else {
                let (fill, style) = if row.is_mixed { (QUIET, " font-style=\"italic\"") } else { (INK, "") };
                self.text(MARGIN + 10.0, base, fill, style, &fitted(&row.label, SIZE, LABELS - 10.0));
            }
            self.latest(band, row, base);
            y += height;
        }
    }

    /// What is known last.
    fn latest(&mut self, band: &Band, row: &Row, base: f64) {
        let x = self.axis.right + COLUMN_GAP;
        let Some(last) = row.lines.iter().max_by_key(|line| (line.goes_on(), line.start())) else { return };
        let count = row.lines.len();
        if band.form == LaneForm::Line || row.is_mixed {
            let last = row.lines.iter().max_by_key(|line| line.start()).map_or(String::new(), |line| day(line));
            return self.text(x, base, QUIET, "", &format!("{} · last {last}", plural(count)));
        }
        if band.form == LaneForm::Series {
            return self.latest_value(row, x, base);
        }
        let mut parts = Vec::new();
        if let Some(first) = row.lines.iter().filter(|line| line.goes_on()).min_by_key(|line| line.start()) {
            parts.push(format!("{} since {}", last.status.as_deref().unwrap_or("goes on"), day(first)));
        } else if count > 1 {
            parts.push(format!("{} × · last {}", grouped(count), day(last)));
        } else if let Some(ended) = last.ended.filter(|ended| ended - last.start() > DAY) {
            parts.push(format!("{} to {}", day(last), last_day(last, ended)));
        } else {
            parts.push(day(last));
        }
        let value = last.value.as_deref().map(|value| said(value, last.unit.as_deref()));
        parts.extend(value.or_else(|| last.status.clone().filter(|status| !last.goes_on() && !EXPECTED.contains(&status.as_str()))));
        self.text(x, base, INK, "", &fitted(&parts.join(" · "), SIZE, LATEST));
    }

    /// The last value, and within which bounds the others were.
    fn latest_value(&mut self, row: &Row, x: f64, base: f64) {
        let Some(last) = row.lines.iter().filter(|line| line.value.is_some()).max_by_key(|line| line.start()).or(row.lines.last()) else { return };
        let value = match last.numbers() {
            Some((first, Some(second))) => format!("{}/{}", short(first), short(second)),
            Some((only, None)) => short(only),
            None => last.value.clone().unwrap_or_else(|| last.status.clone().unwrap_or_default()),
        };
        let mut about = Vec::new();
        let numbers: Vec<(f64, Option<f64>)> = row.lines.iter().filter_map(|line| line.numbers()).collect();
        let (low, high) = numbers.iter().fold((f64::MAX, f64::MIN), |(low, high), (n, _)| (low.min(*n), high.max(*n)));
        if low < high && numbers.iter().all(|(_, second)| second.is_none()) {
            about.push(format!("{}–{}", short(low), short(high)));
        }
        if row.lines.len() > 1 {
            about.push(format!("{} ×", grouped(row.lines.len())));
        }
        about.push(day(last));
        let about = about.join(" · ");
        let room = LATEST - width(&about, 10.0) - 8.0;
        let value = fitted(&said(&value, last.unit.as_deref()), SIZE + 0.6, room);
        let _ = writeln!(
            self.out,
            "<text x=\"{x:.1}\" y=\"{base:.1}\" fill=\"{INK}\"><tspan font-weight=\"bold\">{}</tspan><tspan dx=\"8\" fill=\"{QUIET}\" font-size=\"10\">{}</tspan></text>",
            escaped(&value),
            escaped(&about)
        );
    }

    fn legend(&mut self, bottom: f64) {
        let y = bottom + 24.0;
        let mut x = MARGIN;
        let _ = writeln!(self.out, "<g stroke=\"{QUIET}\" fill=\"none\" stroke-linecap=\"round\">");
        let mut labels = Vec::new();
        let signs = [
            ("period", "M0 0H22|8|butt"),
            ("goes on", "open"),
            ("moment", "M11 0h0|6.4|round"),
            ("known to the month or year", "rough"),
            ("values, each row on its own scale", "M0 4L8 -3L14 1L22 -4|1.1|round"),
            ("how many at a time", "M2 -3v6M7 -7v14M12 -5v10M17 -2v4M22 -7v14|2.2|butt"),
        ];
        for (label, sign) in signs {
            let _ = write!(self.out, "<g transform=\"translate({x:.1} {y:.1})\">");
            match sign.split('|').collect::<Vec<&str>>().as_slice() {
                [path, thick, cap] => {
                    let _ = write!(self.out, "<path d=\"{path}\" stroke-width=\"{thick}\" stroke-linecap=\"{cap}\"/>");
                }
                ["open"] => {
                    let _ = write!(self.out, "<path d=\"M0 0H18\" stroke-width=\"8\" stroke-linecap=\"butt\"/><path d=\"M18 -4l5 4l-5 4z\" stroke=\"none\" fill=\"{QUIET}\"/>");
                }
                _ => {
                    let _ = write!(self.out, "<rect y=\"-4\" width=\"22\" height=\"8\" rx=\"4\" stroke-width=\".8\" stroke-dasharray=\"2 2\"/>");
                }
            }
            self.out.push_str("</g>");
            labels.push((x + 30.0, label));
            x += 30.0 + width(label, 10.5) + 22.0;
        }
        self.out.push_str("</g>\n");
        for (x, label) in labels {
            self.text(x, y + 4.0, QUIET, " font-size=\"10.5\"", label);
        }
    }

    fn notes(&mut self, record: &Record, bottom: f64) {
        let errors = record.lines.iter().filter(|line| line.was_an_error()).count();
        let undated = record.lines.iter().filter(|line| !line.is_dated() && !line.was_an_error()).count();
        let mut notes = Vec::new();
        if undated > 0 {
            notes.push(format!("{} without a date", plural(undated)));
        }
        if errors > 0 {
            notes.push(format!("{} entered in error", plural(errors)));
        }
        let left_out: usize = record.left_out.values().sum();
        if left_out > 0 {
            let types: Vec<&str> = record.left_out.keys().map(|ty| ty.name()).collect();
            notes.push(format!("{} older than the newest of their type ({})", plural(left_out), types.join(", ")));
        }
        if !notes.is_empty() {
            self.text(MARGIN, bottom + 48.0, QUIET, " font-size=\"10.5\"", &format!("Not drawn: {}", notes.join(", ")));
        }
    }
}

/// With its unit, as people write it: a code of UCUM without its brackets, and none of what is only an annotation.
/// <https://ucum.org/ucum#section-Character-Set-and-Lexical-Rules>
fn said(value: &str, unit: Option<&str>) -> String {
    match unit {
        Some("%") => format!("{value}%"),
        Some(unit) if unit.starts_with('{') => value.to_owned(),
        Some(unit) => format!("{value} {}", unit.replace(['{', '}', '[', ']'], "").replace('_', " ")),
        None => value.to_owned(),
    }
}

/// What a row shows when it is pointed at.
fn tip(row: &Row) -> String {
    let (first, last) = (row.lines.first(), row.lines.iter().max_by_key(|line| line.start()));
    match (first, last) {
        (Some(first), Some(last)) if row.lines.len() > 1 => format!("{}: {}, {} to {}", row.label, plural(row.lines.len()), day(first), day(last)),
        (Some(only), _) => format!("{}: {}", row.label, day(only)),
        _ => row.label.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::tests::line;
    use super::*;

    fn frame() -> Frame {
        Frame { width: 1280, rows: 12 }
    }

    fn record(lines: Vec<Line>) -> Record {
        Record { title: "Ann Lee".into(), born: Some("1950-02-03".into()), lines, from: OPEN_LOW, to: OPEN_HIGH, ..Record::default() }
    }

    fn measured(at: &str, display: &str, value: &str) -> Line {
        Line { value: Some(value.into()), unit: Some("mg".into()), ..line("Observation", at, display) }
    }

    /// The content of each element of that name.
    fn contents<'a>(svg: &'a str, name: &str) -> Vec<(&'a str, &'a str)> {
        let tag = format!("<{name}");
        let parts = svg.split(tag.as_str()).skip(1);
        parts.filter_map(|part| part.split_once(&format!("</{name}>"))?.0.split_once('>')).collect()
    }

    /// Every tag is closed in its order, attributes are quoted, and nothing else has a sign of markup.
    fn well_formed(svg: &str) {
        let mut open: Vec<&str> = Vec::new();
        for part in svg.split('<').skip(1) {
            let (tag, text) = part.split_once('>').expect("a tag ends");
            assert!(!text.contains('>'), "{text}");
            for entity in text.split('&').skip(1) {
                assert!(["amp;", "lt;", "gt;", "quot;", "#39;"].iter().any(|known| entity.starts_with(known)), "{entity}");
            }
            assert!(tag.matches('"').count() % 2 == 0, "{tag}");
            let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
            if tag.starts_with('/') {
                assert_eq!(open.pop(), Some(name));
            } else if !tag.ends_with('/') {
                open.push(name);
            }
        }
        assert!(open.is_empty(), "{open:?}");
    }

    #[test]
    fn a_record_of_nothing_is_a_picture_too() {
        let svg = draw(&record(Vec::new()), &frame());
        well_formed(&svg);
        assert!(svg.contains("nothing with a date") && svg.contains("Ann Lee"), "{svg}");
        let mut undated = line("Condition", "2015", "x");
        (undated.occurred, undated.until) = (OPEN_LOW, OPEN_HIGH);
        assert!(draw(&record(vec![undated]), &frame()).contains("Not drawn: 1 entry without a date"));
    }

    #[test]
    fn hostile_text_stays_text() {
        let evil = "</text><script>alert(1)</script>\"'&\u{1}\u{202e}";
        let mut lines = vec![line("Condition", "2015", evil), line("Encounter", "2015", evil), measured("2015", evil, evil), measured("2016", evil, "1")];
        lines[0].status = Some(evil.into());
        lines[2].unit = Some(evil.into());
        let svg = draw(&Record { title: evil.into(), born: Some(evil.into()), ..record(lines) }, &frame());
        well_formed(&svg);
        assert!(!svg.contains("<script") && !svg.contains('\u{1}') && !svg.contains('\u{202e}'));
        assert!(contents(&svg, "title").len() >= 4);
    }

    #[test]
    fn a_long_record_makes_no_large_picture() {
        let mut lines = Vec::new();
        for n in 0..60_000i64 {
            let (year, month, day) = (1950 + n % 70, 1 + n % 12, 1 + n % 28);
            let at = format!("{year:04}-{month:02}-{day:02}T{:02}:00:00Z", n % 24);
            let mut entry = match n % 6 {
                0 => line("Encounter", &at, "visit"),
                1 => line("Condition", &at, &format!("condition {}", n % 997)),
                2 => line("MedicationRequest", &at, &format!("drug {}", n % 31)),
                3 => measured(&at, "pressure", &format!("{}/{}", 100 + n % 60, 60 + n % 30)),
                _ => measured(&at, &format!("test {}", n % 41), &format!("{}.{}", n % 17, n % 10)),
            };
            if n % 12 == 1 {
                entry.ended = Some(entry.occurred + 90 * DAY);
                entry.until = entry.occurred + 90 * DAY;
            }
            lines.push(entry);
        }
        let svg = draw(&record(lines), &Frame { width: 1280, rows: 12 });
        well_formed(&svg);
        assert!(svg.len() < 300_000, "{} bytes", svg.len());
    }

    #[test]
    fn texts_stay_in_their_columns() {
        let long = "a very long name of something that no column of a picture could ever hold in one line of it";
        let lines = (0..40).flat_map(|n| {
            [line("Condition", "2015-03", &format!("{n} {long}")), measured("2014", &format!("{n} {long}"), "1.5"), measured("2015", &format!("{n} {long}"), long)]
        });
        for picture in [640, 1280, 4000] {
            let svg = draw(&Record { title: long.repeat(3), ..record(lines.clone().collect()) }, &Frame { width: picture, rows: 100 });
            let (mut labels, mut latest) = (0, 0);
            for (attributes, content) in contents(&svg, "text").into_iter().filter(|(attributes, _)| !attributes.contains("text-anchor") && !attributes.contains("10.5")) {
                let number = |name: &str| attributes.split_once(&format!(" {name}=\"")).and_then(|(_, rest)| rest.split('"').next()?.parse::<f64>().ok());
                let x = number("x").unwrap();
                let plain: String = content.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect();
                let end = x + width(&plain, number("font-size").unwrap_or(SIZE));
                if x < MARGIN + LABELS && number("font-size").is_none() {
                    labels += 1;
                    assert!(end <= MARGIN + LABELS, "{plain} {end}");
                } else {
                    latest += 1;
                    assert!(end <= f64::from(picture) - MARGIN + 12.0, "{plain} {end}");
                }
            }
            assert!(labels >= 80 && latest >= 80, "{labels} {latest}");
        }
    }

    #[test]
    fn what_goes_on_and_what_was_before_has_an_arrow() {
        let mut entry = line("Condition", "1990", "x");
        (entry.until, entry.status) = (OPEN_HIGH, Some("active".into()));
        let bounds = |text: &str| time::parse(text).unwrap();
        let svg = draw(&Record { from: bounds("2000").low, to: bounds("2009").high, ..record(vec![entry.clone()]) }, &frame());
        assert!(svg.contains("active since 1990") && svg.contains("stroke=\"none\" fill=\"#b54708\""), "{svg}");
        assert!(contents(&svg, "text").iter().any(|(_, text)| *text == "2005"), "{svg}");
        // the age at the first day of the year
        assert!(contents(&svg, "text").iter().any(|(_, text)| *text == "54"), "{svg}");
        entry.status = Some("resolved".into());
        assert!(draw(&record(vec![entry]), &frame()).contains("1990 · resolved"));
    }

    #[test]
    fn a_date_known_to_the_year_is_drawn_as_the_year() {
        let svg = draw(&record(vec![line("Procedure", "2001", "x"), line("Procedure", "2003-02-01", "y")]), &frame());
        assert!(svg.contains("stroke-dasharray=\"2 2\" fill=\"#fff\""), "{svg}");
        assert!(contents(&svg, "text").iter().any(|(_, text)| *text == "2001"), "{svg}");
    }

    #[test]
    fn dates_are_told_as_exactly_as_they_are_known() {
        let period = |from: &str, to: &str| Line { ended: Some(time::parse(to).unwrap().high), ..line("Condition", from, "x") };
        let told = |line: &Line| format!("{} {}", day(line), last_day(line, line.ended.unwrap_or(0)));
        assert_eq!(told(&period("1966", "1975")), "1966 1975");
        assert_eq!(told(&period("1966", "1975-03")), "1966 1975-03");
        assert_eq!(told(&period("1966-02", "1975")), "1966-02 1975-12");
        assert_eq!(told(&period("1966", "1975-03-04")), "1966 1975-03-04");
        assert_eq!(told(&period("1966-02-03", "1975")), "1966-02-03 1975-12-31");
        let only_end = Line { occurred: OPEN_LOW, precision: None, until: period("1990", "1990-06").ended.unwrap(), ..period("1990", "1990-06") };
        assert_eq!(day(&only_end), "1990-06-30");
        assert_eq!((plural(1), plural(12_345), plural(1_234_567)), ("1 entry".into(), "12,345 entries".into(), "1,234,567 entries".into()));
    }

    #[test]
    fn units_are_written_as_people_do() {
        for (unit, expected) in [(Some("%"), "5%"), (Some("mm[Hg]"), "5 mmHg"), (Some("mL/min/{1.73_m2}"), "5 mL/min/1.73 m2"), (Some("{score}"), "5"), (None, "5")] {
            assert_eq!(said("5", unit), expected);
        }
    }
}
