//! Rows as columns of Parquet, <https://parquet.apache.org/docs/file-format/>.
//!
//! Rows collect in a [`Group`], column by column; a full one is a row group of the file, written on another thread.

use super::file::{FileError, Outgoing};
use super::lines::MAX_TEXT;
use super::request::Compression;
use crate::json::{self, Untold};
use parquet::basic::{Compression as Codec, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, FixedLenByteArray, FixedLenByteArrayType, FloatType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{ColumnPath, Type};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// What a column holds. Moments count from 1970, days too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Bool,
    Int16,
    Int32,
    Int64,
    Float,
    Double,
    Decimal { precision: u8, scale: u8 },
    Date,
    /// Microseconds; of a zone, or of none.
    Timestamp { zone: bool },
    /// Microseconds of a day.
    Time,
    Uuid,
    Bytes,
    Text,
    /// Containers, written as text.
    Json,
}

/// A column of the file.
#[derive(Clone, Debug)]
pub struct Field {
    pub name: String,
    pub kind: Kind,
    /// It holds lists of such.
    pub is_list: bool,
}

/// Decimals of more digits are text.
pub const MAX_PRECISION: u8 = 38;
/// Decimals of so many digits fit 64 bits.
const SHORT: u8 = 18;

/// Why no file comes of it.
#[derive(Debug)]
pub enum TableError {
    NoColumns,
    TwoColumns(String),
    /// A value that is no container.
    Broken,
    Memory,
    File(FileError),
    Parquet(String),
}

/// Values of one column, as the file has them.
#[derive(Debug)]
enum Values {
    Bool(Vec<bool>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Float(Vec<f32>),
    Double(Vec<f64>),
    /// One after the other, with their ends.
    Bytes(Vec<u8>, Vec<usize>),
    Fixed(Vec<[u8; 16]>),
}

#[derive(Debug)]
struct Column {
    kind: Kind,
    values: Values,
    /// 1 for a value, 0 for NULL. In lists 3 for a value, 2 for NULL; 1 for an empty list, 0 for NULL in its place.
    levels: Vec<i16>,
    /// 0 for the first of a list, 1 for the others; empty where there are no lists.
    repeats: Vec<i16>,
    is_list: bool,
    rows: usize,
}

/// Rows that are to be a row group.
#[derive(Debug)]
pub struct Group {
    columns: Vec<Column>,
    rows: usize,
    bytes: usize,
    table: Arc<Mutex<Writer>>,
}

/// A file that is being written.
pub struct Table {
    writer: Arc<Mutex<Writer>>,
    kinds: Vec<(Kind, bool)>,
}

type Writer = Option<SerializedFileWriter<Outgoing>>;

/// What a row group may hold, whichever comes first.
const ROWS: usize = 128 * 1024;
const BYTES: usize = 16 << 20;

impl Table {
    /// Begins a file with these columns.
    pub fn new(outgoing: Outgoing, fields: &[Field], compression: Compression) -> Result<Table, TableError> {
        if fields.is_empty() {
            return Err(TableError::NoColumns);
        }
        if let Some(twice) = fields.iter().enumerate().find(|(at, field)| fields[..*at].iter().any(|other| other.name == field.name)) {
            return Err(TableError::TwoColumns(twice.1.name.clone()));
        }
        let path = outgoing.path().to_owned();
        let columns = fields.iter().map(|field| field.column().map(Arc::new)).collect::<Result<Vec<_>, _>>();
        let schema = columns.and_then(|columns| Type::group_type_builder("schema").with_fields(columns).build());
        let codec = if compression == Compression::None { Codec::UNCOMPRESSED } else { Codec::ZSTD(ZstdLevel::default()) };
        let mut properties = WriterProperties::builder().set_compression(codec).set_created_by("fhirlake".into());
        for field in fields.iter().filter(|field| field.kind == Kind::Json) {
            // whole documents: neither do they repeat, nor does anybody ask for the least
            let parts = if field.is_list { vec![&field.name[..], "list", "element"] } else { vec![&field.name[..]] };
            let column = ColumnPath::new(parts.into_iter().map(str::to_owned).collect());
            properties = properties
                .set_column_dictionary_enabled(column.clone(), false)
                .set_column_statistics_enabled(column, EnabledStatistics::None);
        }
        let failed = |error| TableError::of(error, &path);
        let writer = SerializedFileWriter::new(outgoing, Arc::new(schema.map_err(failed)?), Arc::new(properties.build()))
            .map_err(|error| TableError::of(error, &path))?;
        Ok(Table { writer: Arc::new(Mutex::new(Some(writer))), kinds: fields.iter().map(|field| (field.kind, field.is_list)).collect() })
    }

    /// An empty group of rows of this file.
    pub fn group(&self) -> Group {
        let columns = self.kinds.iter().map(|(kind, is_list)| Column::new(*kind, *is_list)).collect();
        Group { columns, rows: 0, bytes: 0, table: self.writer.clone() }
    }

    /// The file, complete and on disk, still under its temporary name. No group may be on its way any more.
    pub fn finish(self) -> Result<Outgoing, TableError> {
        let writer = self.writer.lock().ok().and_then(|mut writer| writer.take()).ok_or(TableError::Broken)?;
        let path = writer.inner().path().to_owned();
        let mut outgoing = writer.into_inner().map_err(|error| TableError::of(error, &path))?;
        outgoing.sync().map_err(TableError::File)?;
        Ok(outgoing)
    }
}

impl TableError {
    fn of(error: ParquetError, path: &std::path::Path) -> TableError {
        let path: PathBuf = path.to_owned();
        match error {
            ParquetError::External(inner) => match inner.downcast::<std::io::Error>() {
                Ok(error) => TableError::File(FileError::Io { doing: "write to", path, error: *error }),
                Err(other) => TableError::Parquet(other.to_string()),
            },
            other => TableError::Parquet(other.to_string()),
        }
    }
}

impl Field {
    fn column(&self) -> Result<Type, ParquetError> {
        let unit = TimeUnit::MICROS;
        let (physical, logical) = match self.kind {
            Kind::Bool => (Physical::BOOLEAN, None),
            Kind::Int16 => (Physical::INT32, Some(LogicalType::integer(16, true))),
            Kind::Int32 => (Physical::INT32, None),
            Kind::Int64 => (Physical::INT64, None),
            Kind::Float => (Physical::FLOAT, None),
            Kind::Double => (Physical::DOUBLE, None),
            Kind::Decimal { precision, scale } => {
                let physical = if precision <= SHORT { Physical::INT64 } else { Physical::FIXED_LEN_BYTE_ARRAY };
                (physical, Some(LogicalType::decimal(scale.into(), precision.into())))
            }
            Kind::Date => (Physical::INT32, Some(LogicalType::Date)),
            Kind::Timestamp { zone } => (Physical::INT64, Some(LogicalType::timestamp(zone, unit))),
            Kind::Time => (Physical::INT64, Some(LogicalType::time(false, unit))),
            Kind::Uuid => (Physical::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::Uuid)),
            Kind::Bytes => (Physical::BYTE_ARRAY, None),
            Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Kind::Json => (Physical::BYTE_ARRAY, Some(LogicalType::Json)),
        };
        let name = if self.is_list { "element" } else { &self.name };
        let mut builder = Type::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL).with_logical_type(logical);
        if let Kind::Decimal { precision, scale } = self.kind {
            builder = builder.with_precision(precision.into()).with_scale(scale.into());
        }
        if physical == Physical::FIXED_LEN_BYTE_ARRAY {
            builder = builder.with_length(16);
        }
        let value = builder.build()?;
        if !self.is_list {
            return Ok(value);
        }
        // https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#lists
        let list = Type::group_type_builder("list").with_repetition(Repetition::REPEATED).with_fields(vec![Arc::new(value)]).build()?;
        Type::group_type_builder(&self.name)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(Some(LogicalType::List))
            .with_fields(vec![Arc::new(list)])
            .build()
    }
}

impl Group {
    pub fn is_full(&self) -> bool {
        self.rows >= ROWS || self.bytes >= BYTES
    }

    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Of its values.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Ends a row; columns that were not given are NULL.
    pub fn end_row(&mut self) {
        self.rows += 1;
        for column in self.columns.iter_mut().filter(|column| column.rows < self.rows) {
            column.add_level(0, 0);
            column.rows = self.rows;
        }
    }

    /// A value of a column in the row that is not ended. Of the wrong kind, or no value of that kind, it is NULL.
    pub fn put(&mut self, column: usize, value: Cell<'_>) -> Result<(), TableError> {
        let Some(column) = self.columns.get_mut(column) else { return Ok(()) };
        if column.add(value)? {
            self.bytes += value.size();
            column.add_level(1, 0);
            column.rows += 1;
        }
        Ok(())
    }

    /// A list of values of a column that holds lists.
    pub fn put_list<'c>(&mut self, column: usize, values: impl Iterator<Item = Option<Cell<'c>>>) -> Result<(), TableError> {
        let Some(column) = self.columns.get_mut(column).filter(|column| column.is_list) else { return Ok(()) };
        let mut repeat = 0;
        for value in values {
            let is_put = match value {
                Some(value) => column.add(value)?,
                None => false,
            };
            self.bytes += value.map_or(4, Cell::size);
            column.add_level(if is_put { 3 } else { 2 }, repeat);
            repeat = 1;
        }
        if repeat == 0 {
            column.add_level(1, 0);
        }
        column.rows += 1;
        Ok(())
    }
}

/// A value on its way into a column.
#[derive(Clone, Copy, Debug)]
pub enum Cell<'a> {
    Bool(bool),
    Int(i64),
    Float(f32),
    Double(f64),
    Text(&'a str),
    /// Also containers of JSON and the sixteen bytes of a UUID.
    Bytes(&'a [u8]),
}

impl Cell<'_> {
    fn size(self) -> usize {
        match self {
            Cell::Bytes(bytes) => bytes.len(),
            Cell::Text(text) => text.len(),
            _ => 8,
        }
    }
}

fn push<T>(values: &mut Vec<T>, value: T) -> Result<bool, TableError> {
    values.try_reserve(1).map_err(|_| TableError::Memory)?;
    values.push(value);
    Ok(true)
}

fn append(values: &mut Vec<u8>, ends: &mut Vec<usize>, bytes: &[u8]) -> Result<bool, TableError> {
    values.try_reserve(bytes.len()).map_err(|_| TableError::Memory)?;
    values.extend_from_slice(bytes);
    push(ends, values.len())
}

impl Column {
    fn new(kind: Kind, is_list: bool) -> Column {
        let values = match kind {
            Kind::Bool => Values::Bool(Vec::new()),
            Kind::Int16 | Kind::Int32 | Kind::Date => Values::Int32(Vec::new()),
            Kind::Int64 | Kind::Timestamp { .. } | Kind::Time => Values::Int64(Vec::new()),
            Kind::Decimal { precision, .. } if precision <= SHORT => Values::Int64(Vec::new()),
            Kind::Decimal { .. } | Kind::Uuid => Values::Fixed(Vec::new()),
            Kind::Float => Values::Float(Vec::new()),
            Kind::Double => Values::Double(Vec::new()),
            Kind::Bytes | Kind::Text | Kind::Json => Values::Bytes(Vec::new(), Vec::new()),
        };
        Column { kind, values, levels: Vec::new(), repeats: Vec::new(), is_list, rows: 0 }
    }

    fn add_level(&mut self, level: i16, repeat: i16) {
        self.levels.push(level);
        if self.is_list {
            self.repeats.push(repeat);
        }
    }

    /// Adds a value; false if it is none of this column's kind.
    fn add(&mut self, value: Cell<'_>) -> Result<bool, TableError> {
        match (&mut self.values, value, self.kind) {
            (Values::Bool(values), Cell::Bool(value), _) => push(values, value),
            (Values::Int32(values), Cell::Int(value), _) => i32::try_from(value).map_or(Ok(false), |value| push(values, value)),
            (Values::Int64(values), Cell::Int(value), _) => push(values, value),
            (Values::Float(values), Cell::Float(value), _) => push(values, value),
            (Values::Double(values), Cell::Double(value), _) => push(values, value),
            (Values::Int64(values), Cell::Text(text), Kind::Decimal { precision, scale }) => {
                let value = decimal(text, precision, scale).and_then(|value| i64::try_from(value).ok());
                value.map_or(Ok(false), |value| push(values, value))
            }
            (Values::Fixed(values), Cell::Text(text), Kind::Decimal { precision, scale }) => {
                decimal(text, precision, scale).map_or(Ok(false), |value| push(values, value.to_be_bytes()))
            }
            (Values::Fixed(values), Cell::Bytes(bytes), Kind::Uuid) => bytes.try_into().map_or(Ok(false), |value| push(values, value)),
            (Values::Bytes(values, ends), Cell::Bytes(bytes), _) => append(values, ends, bytes),
            (Values::Bytes(values, ends), Cell::Text(text), _) => append(values, ends, text.as_bytes()),
            _ => Ok(false),
        }
    }

    fn write(self, to: &mut SerializedColumnWriter<'_>) -> Result<(), Failure> {
        let levels = Some(self.levels.as_slice());
        let repeats = self.is_list.then_some(self.repeats.as_slice());
        match self.values {
            Values::Bool(values) => to.typed::<BoolType>().write_batch(&values, levels, repeats)?,
            Values::Int32(values) => to.typed::<Int32Type>().write_batch(&values, levels, repeats)?,
            Values::Int64(values) => to.typed::<Int64Type>().write_batch(&values, levels, repeats)?,
            Values::Float(values) => to.typed::<FloatType>().write_batch(&values, levels, repeats)?,
            Values::Double(values) => to.typed::<DoubleType>().write_batch(&values, levels, repeats)?,
            Values::Fixed(values) => {
                let values: Vec<FixedLenByteArray> = values.iter().map(|value| FixedLenByteArray::from(value.to_vec())).collect();
                to.typed::<FixedLenByteArrayType>().write_batch(&values, levels, repeats)?
            }
            Values::Bytes(values, ends) => {
                let starts = std::iter::once(0).chain(ends.iter().copied());
                let pieces = starts.zip(&ends).map(|(start, end)| values.get(start..*end).unwrap_or_default());
                let arrays = match self.kind {
                    Kind::Json => pieces.map(text).collect::<Result<Vec<ByteArray>, Failure>>()?,
                    _ => pieces.map(|piece| ByteArray::from(piece.to_vec())).collect(),
                };
                drop(values);
                to.typed::<ByteArrayType>().write_batch(&arrays, levels, repeats)?
            }
        };
        Ok(())
    }
}

/// The text of a container.
fn text(container: &[u8]) -> Result<ByteArray, Failure> {
    let mut text = Vec::new();
    text.try_reserve(container.len() + container.len() / 8).map_err(|_| Failure::Memory)?;
    json::compact(container, &mut text, MAX_TEXT)?;
    if std::str::from_utf8(&text).is_err() {
        return Err(Failure::Broken);
    }
    Ok(ByteArray::from(text))
}

/// What happens within a group.
enum Failure {
    Broken,
    Memory,
    Parquet(ParquetError),
}

impl From<Untold> for Failure {
    fn from(untold: Untold) -> Failure {
        match untold {
            Untold::Broken => Failure::Broken,
            Untold::TooLarge => Failure::Memory,
        }
    }
}

impl From<ParquetError> for Failure {
    fn from(error: ParquetError) -> Failure {
        Failure::Parquet(error)
    }
}

/// Writes a group of rows to its file; how many rows. Groups of one file are written in the order of the calls.
pub fn write(group: Group) -> Result<u64, TableError> {
    let Group { columns, rows, table, .. } = group;
    let mut guard = table.lock().map_err(|_| TableError::Broken)?;
    let writer = guard.as_mut().ok_or(TableError::Broken)?;
    let path = writer.inner().path().to_owned();
    let mut columns = columns.into_iter();
    let mut written = || -> Result<(), Failure> {
        let mut group = writer.next_row_group()?;
        while let Some(mut to) = group.next_column()? {
            if let Some(column) = columns.next() {
                column.write(&mut to)?;
            }
            to.close()?;
        }
        group.close()?;
        Ok(())
    };
    match written() {
        Ok(()) => Ok(rows as u64),
        Err(Failure::Broken) => Err(TableError::Broken),
        Err(Failure::Memory) => Err(TableError::Memory),
        Err(Failure::Parquet(error)) => Err(TableError::of(error, &path)),
    }
}

/// A decimal as a whole number of units of its scale; none for what is no number, or has more digits.
fn decimal(text: &str, precision: u8, scale: u8) -> Option<i128> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if fraction.len() > usize::from(scale) || whole.is_empty() {
        return None;
    }
    let zeros = usize::from(scale) - fraction.len();
    let mut value: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()).chain(std::iter::repeat_n(b'0', zeros)) {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
    }
    if value >= 10i128.checked_pow(precision.into())? {
        return None;
    }
    Some(if is_negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Limits;
    use parquet::file::reader::{FileReader, SerializedFileReader};

    fn field(name: &str, kind: Kind) -> Field {
        Field { name: name.into(), kind, is_list: false }
    }

    fn written(name: &str, fields: &[Field], compression: Compression, fill: impl Fn(&mut Group)) -> Vec<String> {
        let folder = std::env::temp_dir().join(format!("fhirlake-export-table-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("a.parquet");
        let table = Table::new(Outgoing::create(path.clone(), "1").unwrap(), fields, compression).unwrap();
        for _ in 0..2 {
            let mut group = table.group();
            fill(&mut group);
            write(group).unwrap();
        }
        table.finish().unwrap().publish().unwrap();
        let reader = SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
        assert_eq!(reader.num_row_groups(), 2);
        let rows = reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect();
        std::fs::remove_dir_all(folder).unwrap();
        rows
    }

    #[test]
    fn every_kind_reads_back() {
        let fields = [
            field("b", Kind::Bool),
            field("s", Kind::Int16),
            field("i", Kind::Int32),
            field("l", Kind::Int64),
            field("f", Kind::Float),
            field("d", Kind::Double),
            field("n", Kind::Decimal { precision: 10, scale: 3 }),
            field("m", Kind::Decimal { precision: 38, scale: 10 }),
            field("day", Kind::Date),
            field("at", Kind::Timestamp { zone: true }),
            field("x", Kind::Bytes),
            field("t", Kind::Text),
            field("j", Kind::Json),
        ];
        let container = json::parse(br#"{"b": [1.50, "x"]}"#, &Limits::default()).unwrap();
        for compression in [Compression::None, Compression::Zstd] {
            let rows = written("kinds", &fields, compression, |group| {
                let cells = [
                    Cell::Bool(true),
                    Cell::Int(-7),
                    Cell::Int(8),
                    Cell::Int(1 << 40),
                    Cell::Float(0.5),
                    Cell::Double(0.25),
                    Cell::Text("-12.5"),
                    Cell::Text("12345678901234567890.1234567890"),
                    Cell::Int(10957),
                    Cell::Int(946_684_800_000_000),
                    Cell::Bytes(b"\x00\xFF"),
                    Cell::Text("é"),
                    Cell::Bytes(&container),
                ];
                for (at, cell) in cells.into_iter().enumerate() {
                    group.put(at, cell).unwrap();
                }
                group.end_row();
                group.end_row();
            });
            assert_eq!(rows.len(), 4);
            for part in ["b: true", "s: -7", "i: 8", "l: 1099511627776", "f: 0.5", "d: 0.25", "n: -12.500", "m: 12345678901234567890.1234567890",
                "day: 2000-01-01", "at: 2000-01-01 00:00:00", "x: [0, 255]", "t: \"é\"", "j: \"{\"b\":[1.50,\"x\"]}\""]
            {
                assert!(rows[0].contains(part), "{part} in {}", rows[0]);
            }
            assert_eq!(rows[1].matches("null").count(), fields.len(), "{}", rows[1]);
        }
    }

    #[test]
    fn lists_read_back_with_what_is_missing_in_them() {
        let fields = [Field { name: "words".into(), kind: Kind::Text, is_list: true }, field("i", Kind::Int32)];
        let rows = written("lists", &fields, Compression::Zstd, |group| {
            for (at, list) in [Some(vec![Some("a"), None, Some("b")]), None, Some(vec![]), Some(vec![None])].into_iter().enumerate() {
                if let Some(list) = list {
                    group.put_list(0, list.into_iter().map(|text| text.map(Cell::Text))).unwrap();
                }
                group.put(1, Cell::Int(at as i64)).unwrap();
                group.end_row();
            }
        });
        assert_eq!(rows[..4], ["{words: [\"a\", null, \"b\"], i: 0}", "{words: null, i: 1}", "{words: [], i: 2}", "{words: [null], i: 3}"]);
        assert_eq!(rows[..4], rows[4..]);
    }

    #[test]
    fn decimals_are_exact_or_nothing() {
        assert_eq!(decimal("1.10", 10, 2), Some(110));
        assert_eq!(decimal("-0.05", 10, 2), Some(-5));
        assert_eq!(decimal("7", 3, 2), Some(700));
        assert_eq!(decimal("10", 3, 2), None);
        for odd in ["NaN", "Infinity", "", "-", "1.234", "1e5"] {
            assert_eq!(decimal(odd, 10, 2), None, "{odd}");
        }
        assert_eq!(decimal(&"9".repeat(38), 38, 0), Some(10i128.pow(38) - 1));
        assert_eq!(decimal(&"9".repeat(60), 38, 0), None);
    }

    #[test]
    fn columns_have_names_of_their_own() {
        let outgoing = || Outgoing::create(std::env::temp_dir().join(format!("fhirlake-export-names-{}", std::process::id())), "1").unwrap();
        let twice = [field("a", Kind::Bool), field("a", Kind::Text)];
        assert!(matches!(Table::new(outgoing(), &twice, Compression::None), Err(TableError::TwoColumns(name)) if name == "a"));
        assert!(matches!(Table::new(outgoing(), &[], Compression::None), Err(TableError::NoColumns)));
    }
}
