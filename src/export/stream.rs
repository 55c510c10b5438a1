//! A file on its way: pieces go to other threads as they fill, and come back in order.

use super::error::ExportError;
use super::file::{FileError, Outgoing};
use super::lines::{self, Batch, Block, LinesError};
use super::pool::Pool;
use super::request::Compression;
use super::sink::Sink;
use super::table::{self, Field, Group, Table, TableError};

/// How threads are started, and what happens while one is waited for (it may leave by a panic).
#[derive(Clone, Copy)]
pub struct Threads {
    pub count: usize,
    pub start: fn(&mut dyn FnMut()),
    pub alive: fn(),
}

/// A file of lines, made when its first ones come.
pub struct Lines<'a> {
    create: &'a dyn Fn() -> Result<Outgoing, FileError>,
    compression: Compression,
    threads: Threads,
    pool: Option<Pool<Batch, Block, LinesError>>,
    batch: Batch,
    sink: Option<Sink>,
    count: u64,
}

impl<'a> Lines<'a> {
    pub fn new(create: &'a dyn Fn() -> Result<Outgoing, FileError>, compression: Compression, threads: Threads) -> Lines<'a> {
        Lines { create, compression, threads, pool: None, batch: Batch::new(compression), sink: None, count: 0 }
    }

    /// Adds a container as a line.
    pub fn add(&mut self, container: &[u8]) -> Result<(), ExportError> {
        self.batch.add(container)?;
        if self.batch.is_full() { self.give() } else { Ok(()) }
    }

    fn give(&mut self) -> Result<(), ExportError> {
        while self.pool.as_ref().is_some_and(Pool::is_full) {
            self.take()?;
        }
        let batch = std::mem::replace(&mut self.batch, Batch::new(self.compression));
        let threads = self.threads;
        self.pool.get_or_insert_with(|| Pool::new(threads.count, threads.start, lines::block)).give(batch);
        Ok(())
    }

    /// Writes the oldest block; whether there was one.
    fn take(&mut self) -> Result<bool, ExportError> {
        let Some(block) = self.pool.as_mut().and_then(|pool| pool.take(self.threads.alive)) else { return Ok(false) };
        let block = block?;
        self.sink()?.put(&block.bytes)?;
        self.count += block.resources;
        Ok(true)
    }

    fn sink(&mut self) -> Result<&mut Sink, FileError> {
        match &mut self.sink {
            Some(sink) => Ok(sink),
            empty => Ok(empty.insert(Sink::new((self.create)()?, self.compression)?)),
        }
    }

    /// The file with all that was given, on disk under its temporary name, and how many lines; none if nothing was.
    pub fn end(mut self) -> Result<Option<(Outgoing, u64)>, ExportError> {
        // a few lines are not worth a thread
        if self.pool.is_none() {
            self.threads.count = 0;
        }
        if !self.batch.is_empty() {
            self.give()?;
        }
        while self.take()? {}
        match self.sink.take() {
            Some(sink) => Ok(Some((sink.finish()?, self.count))),
            None => Ok(None),
        }
    }
}

/// A file of rows.
pub struct Rows {
    table: Table,
    pool: Pool<Group, u64, TableError>,
    group: Group,
    /// Bytes of the group before the row that is being made.
    before: usize,
    count: u64,
    alive: fn(),
}

impl Rows {
    /// One thread writes: the groups of a file follow each other.
    pub fn new(outgoing: Outgoing, fields: &[Field], compression: Compression, threads: Threads) -> Result<Rows, ExportError> {
        let table = Table::new(outgoing, fields, compression)?;
        let group = table.group();
        Ok(Rows { table, pool: Pool::new(threads.count.min(1), threads.start, table::write), group, before: 0, count: 0, alive: threads.alive })
    }

    /// The row that is being made.
    pub fn row(&mut self) -> &mut Group {
        &mut self.group
    }

    /// Ends it; tells its bytes.
    pub fn end_row(&mut self) -> Result<usize, ExportError> {
        self.group.end_row();
        let bytes = self.group.bytes() - self.before;
        if self.group.is_full() {
            self.give()?;
        }
        self.before = self.group.bytes();
        Ok(bytes)
    }

    fn give(&mut self) -> Result<(), ExportError> {
        while self.pool.is_full() {
            self.take()?;
        }
        self.pool.give(std::mem::replace(&mut self.group, self.table.group()));
        Ok(())
    }

    fn take(&mut self) -> Result<bool, ExportError> {
        let Some(rows) = self.pool.take(self.alive) else { return Ok(false) };
        self.count += rows?;
        Ok(true)
    }

    /// The file with all rows, on disk under its temporary name, and how many.
    pub fn end(mut self) -> Result<(Outgoing, u64), ExportError> {
        if !self.group.is_empty() {
            self.give()?;
        }
        while self.take()? {}
        Ok((self.table.finish()?, self.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::table::{Cell, Kind};
    use crate::json::{self, Limits};

    const THREADS: Threads = Threads { count: 2, start: |spawn| spawn(), alive: || () };

    fn scratch(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("fhirlake-export-stream-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn lines_come_in_the_order_in_which_they_were_given_however_packed() {
        let folder = scratch("lines");
        let long = "x".repeat(10_000);
        for (compression, name) in [(Compression::None, "a"), (Compression::Gzip, "b"), (Compression::Zstd, "c")] {
            let create = || Outgoing::create(folder.join(name), "1");
            let mut lines = Lines::new(&create, compression, THREADS);
            let texts: Vec<String> = (0..1000).map(|n| format!("{{\"n\":{n},\"text\":\"{long}\"}}")).collect();
            for text in &texts {
                lines.add(&json::parse(text.as_bytes(), &Limits::default()).unwrap()).unwrap();
            }
            let (outgoing, count) = lines.end().unwrap().unwrap();
            assert_eq!(count, 1000);
            outgoing.publish().unwrap();
            let mut found = String::new();
            let mut reader = crate::load::files::open(&folder.join(name), &Default::default()).unwrap();
            std::io::Read::read_to_string(&mut reader, &mut found).unwrap();
            assert!(found.lines().eq(texts.iter().map(String::as_str)), "{name}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn nothing_given_makes_no_file() {
        let create = || Err(FileError::Relative);
        assert!(Lines::new(&create, Compression::None, THREADS).end().unwrap().is_none());
    }

    #[test]
    fn what_is_left_in_the_middle_leaves_no_file() {
        let folder = scratch("middle");
        let create = || Outgoing::create(folder.join("a"), "1");
        let mut lines = Lines::new(&create, Compression::None, THREADS);
        let container = json::parse(format!("[\"{}\"]", "x".repeat(100_000)).as_bytes(), &Limits::default()).unwrap();
        for _ in 0..200 {
            lines.add(&container).unwrap();
        }
        drop(lines);
        let fields = [Field { name: "a".into(), kind: Kind::Json, is_list: false }];
        let mut rows = Rows::new(Outgoing::create(folder.join("b"), "1").unwrap(), &fields, Compression::Zstd, THREADS).unwrap();
        for _ in 0..1000 {
            rows.row().put(0, Cell::Bytes(&container)).unwrap();
            rows.end_row().unwrap();
        }
        drop(rows);
        assert_eq!(folder.read_dir().unwrap().count(), 0);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn rows_make_as_many_groups_as_they_need() {
        let folder = scratch("rows");
        let fields = [Field { name: "a".into(), kind: Kind::Text, is_list: false }];
        for count in [0u64, 1, 700] {
            let path = folder.join(format!("{count}"));
            let mut rows = Rows::new(Outgoing::create(path.clone(), "1").unwrap(), &fields, Compression::Zstd, THREADS).unwrap();
            for n in 0..count {
                rows.row().put(0, Cell::Text(&format!("{n}{}", "x".repeat(100_000)))).unwrap();
                rows.end_row().unwrap();
            }
            let (outgoing, written) = rows.end().unwrap();
            assert_eq!(written, count);
            outgoing.publish().unwrap();
            use parquet::file::reader::FileReader;
            let reader = parquet::file::reader::SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
            assert_eq!(reader.metadata().file_metadata().num_rows() as u64, count);
            assert_eq!(reader.num_row_groups() > 2, count == 700);
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
