//! What an export fails with.

use super::file::FileError;
use super::lines::LinesError;
use super::pool::Failed;
use super::request::RequestError;
use super::table::TableError;

#[derive(Debug)]
pub enum ExportError {
    Request(RequestError),
    File(FileError),
    Lines(LinesError),
    Table(TableError),
    /// A thread is gone.
    Thread,
}

impl From<RequestError> for ExportError {
    fn from(error: RequestError) -> ExportError {
        ExportError::Request(error)
    }
}

impl From<FileError> for ExportError {
    fn from(error: FileError) -> ExportError {
        ExportError::File(error)
    }
}

impl From<LinesError> for ExportError {
    fn from(error: LinesError) -> ExportError {
        ExportError::Lines(error)
    }
}

impl From<TableError> for ExportError {
    fn from(error: TableError) -> ExportError {
        match error {
            TableError::File(error) => ExportError::File(error),
            other => ExportError::Table(other),
        }
    }
}

impl<E: Into<ExportError>> From<Failed<E>> for ExportError {
    fn from(failed: Failed<E>) -> ExportError {
        match failed {
            Failed::Job(error) => error.into(),
            Failed::Thread => ExportError::Thread,
        }
    }
}
