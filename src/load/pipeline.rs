//! Threads that turn chunks into rows, and the order in which their work comes back.
//!
//! Each takes the next chunk from the source, does it, and sends the result; the receiver puts them in order again. How far
//! they may be ahead of it is bounded in bytes of text, so memory does not grow with the file. They end with the pipeline: when it
//! is dropped, on whatever way, they are stopped and waited for.

use super::files::FilesError;
use super::source::{Chunk, Source};
use super::work::{Done, Work, Worker};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Bytes of text that may be on their way between the source and the receiver; beyond it the threads wait.
const AHEAD: u64 = 32 * 1024 * 1024;

/// What deep recursion over a resource needs in a build without optimisation.
const STACK: usize = 32 * 1024 * 1024;

#[derive(Debug)]
pub enum PipelineError {
    Files(FilesError),
    /// A thread could not be started.
    Thread(std::io::Error),
    /// A defect of ours, caught.
    Panic,
}

/// The next result, in the order of the source.
pub enum Next {
    Done(Done),
    /// None within the time.
    NotYet,
    End,
}

pub enum Pipeline {
    /// The receiver does the work itself.
    Alone(Box<Alone>),
    Threads(Threads),
}

pub struct Alone {
    source: Source,
    worker: Worker,
    work: Work,
    stop: AtomicBool,
}

pub struct Threads {
    shared: Arc<Shared>,
    results: Option<Receiver<Numbered>>,
    handles: Vec<JoinHandle<()>>,
    early: BTreeMap<u64, Result<Done, PipelineError>>,
    next: u64,
}

struct Numbered {
    number: u64,
    result: Result<Done, PipelineError>,
}

struct Shared {
    work: Work,
    source: Mutex<Numbering>,
    ahead: Mutex<u64>,
    room: Condvar,
    stop: AtomicBool,
}

struct Numbering {
    source: Source,
    next: u64,
    /// Nothing follows.
    is_done: bool,
}

impl Pipeline {
    /// Starts with so many threads; with none the work is done where the results are asked for. Signals are the business of the
    /// caller: threads get its mask.
    pub fn start(source: Source, work: Work, threads: usize) -> Result<Pipeline, PipelineError> {
        if threads == 0 {
            let alone = Alone { source, worker: Worker::new(&work), work, stop: AtomicBool::new(false) };
            return Ok(Pipeline::Alone(Box::new(alone)));
        }
        let (sender, results) = mpsc::channel();
        let shared = Arc::new(Shared {
            work,
            source: Mutex::new(Numbering { source, next: 0, is_done: false }),
            ahead: Mutex::new(0),
            room: Condvar::new(),
            stop: AtomicBool::new(false),
        });
        // Made first, so that its end stops the threads that did start.
        let mut started = Threads { shared, results: Some(results), handles: Vec::new(), early: BTreeMap::new(), next: 0 };
        for _ in 0..threads {
            let (shared, sender) = (started.shared.clone(), sender.clone());
            let thread = std::thread::Builder::new().name("fhirlake load".into()).stack_size(STACK);
            started.handles.push(thread.spawn(move || shared.run(&sender)).map_err(PipelineError::Thread)?);
        }
        Ok(Pipeline::Threads(started))
    }

    /// The next result; waits for it no longer than so long.
    pub fn next(&mut self, patience: Duration) -> Result<Next, PipelineError> {
        match self {
            Pipeline::Alone(alone) => {
                let Alone { source, worker, work, stop } = alone.as_mut();
                let chunk = source.next_chunk(stop).map_err(PipelineError::Files)?;
                Ok(chunk.map_or(Next::End, |chunk| Next::Done(worker.work(chunk, work, stop))))
            }
            Pipeline::Threads(threads) => threads.next(patience),
        }
    }
}

impl Threads {
    fn next(&mut self, patience: Duration) -> Result<Next, PipelineError> {
        let deadline = std::time::Instant::now() + patience;
        loop {
            if let Some(result) = self.early.remove(&self.next) {
                self.next += 1;
                let done = result?;
                self.shared.release(done.bytes);
                return Ok(Next::Done(done));
            }
            let Some(results) = &self.results else { return Ok(Next::End) };
            match results.recv_timeout(deadline.saturating_duration_since(std::time::Instant::now())) {
                Ok(Numbered { number, result }) => {
                    self.early.insert(number, result);
                }
                Err(RecvTimeoutError::Timeout) => return Ok(Next::NotYet),
                Err(RecvTimeoutError::Disconnected) => {
                    self.results = None;
                    // A thread that ended without a word leaves a gap.
                    if !self.early.is_empty() {
                        return Err(PipelineError::Panic);
                    }
                }
            }
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        // With the lock, so that none is between its look at the sign and its wait.
        drop(locked(&self.shared.ahead));
        self.shared.room.notify_all();
        self.results = None;
        for handle in self.handles.drain(..) {
            let _ = handle.join();
        }
    }
}

impl Shared {
    /// The life of a thread.
    fn run(&self, results: &Sender<Numbered>) {
        let mut worker = Worker::new(&self.work);
        loop {
            let (number, chunk) = match catch_unwind(AssertUnwindSafe(|| self.take())) {
                Ok(Some(taken)) => taken,
                Ok(None) => return,
                Err(_) => {
                    let mut source = locked(&self.source);
                    source.is_done = true;
                    (source.next, Err(PipelineError::Panic))
                }
            };
            let ends = chunk.is_err();
            let result = chunk.and_then(|chunk| {
                catch_unwind(AssertUnwindSafe(|| worker.work(chunk, &self.work, &self.stop))).map_err(|_| PipelineError::Panic)
            });
            if results.send(Numbered { number, result }).is_err() || ends {
                return;
            }
        }
    }

    /// The next chunk and its number; none where there is no more to do.
    fn take(&self) -> Option<(u64, Result<Chunk, PipelineError>)> {
        let mut numbering = locked(&self.source);
        let mut ahead = locked(&self.ahead);
        while *ahead >= AHEAD && !self.stops() {
            ahead = self.room.wait(ahead).unwrap_or_else(PoisonError::into_inner);
        }
        drop(ahead);
        if self.stops() || numbering.is_done {
            return None;
        }
        let chunk = match numbering.source.next_chunk(&self.stop) {
            Ok(Some(chunk)) => Ok(chunk),
            Ok(None) => {
                numbering.is_done = true;
                return None;
            }
            Err(error) => {
                numbering.is_done = true;
                Err(PipelineError::Files(error))
            }
        };
        if let Ok(chunk) = &chunk {
            *locked(&self.ahead) += chunk.content.length();
        }
        let number = numbering.next;
        numbering.next += 1;
        Some((number, chunk))
    }

    fn stops(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn release(&self, bytes: u64) {
        let mut ahead = locked(&self.ahead);
        *ahead = ahead.saturating_sub(bytes);
        self.room.notify_all();
    }
}

/// Nothing that is held here is left half done by a panic that matters: the pipeline ends with it.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::work::Ids;
    use crate::load::files::Input;
    use crate::load::options::Format;
    use crate::load::work::Outcome;
    use crate::validate::Level;
    use std::path::PathBuf;

    const PATIENCE: Duration = Duration::from_secs(60);

    fn file(name: &str, lines: usize) -> PathBuf {
        let path = std::env::temp_dir().join(format!("fhirlake-pipeline-{name}-{}", std::process::id()));
        let text: String = (0..lines).map(|i| format!("{{\"resourceType\":\"Patient\",\"id\":\"p{i}\",\"active\":true}}\n")).collect();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn started(files: &[PathBuf], threads: usize) -> Pipeline {
        let ids = Ids::new(0, 1);
        let work = Work { level: Some(Level::Structure), keeps_versions: false, resolves: true, sees_targets: true, max_line: 1 << 20, ids };
        let inputs = files.iter().map(|path| Input { path: path.clone(), are_deletions: false }).collect();
        Pipeline::start(Source::new(inputs, Format::Auto, 1 << 20), work, threads).unwrap()
    }

    fn ids(pipeline: &mut Pipeline) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        while let Next::Done(done) = pipeline.next(PATIENCE).unwrap() {
            found.extend(done.outcomes.into_iter().filter_map(|(_, outcome)| match outcome {
                Outcome::Row(row) => Some((done.file, row.stamped.id)),
                _ => None,
            }));
        }
        found
    }

    #[test]
    fn rows_come_in_the_order_of_the_files_however_many_threads() {
        let files = [file("a", 30_000), file("empty", 0), file("b", 10_000)];
        let alone = ids(&mut started(&files, 0));
        assert_eq!(alone.len(), 40_000);
        assert_eq!((alone[0].clone(), alone[39_999].clone()), ((0, "p0".into()), (2, "p9999".into())));
        for threads in [1, 4] {
            assert!(ids(&mut started(&files, threads)) == alone);
        }
        files.iter().for_each(|file| std::fs::remove_file(file).unwrap());
    }

    #[test]
    fn a_file_that_cannot_be_read_is_an_error_behind_what_comes_before() {
        let files = [file("c", 5), PathBuf::from("/nowhere/at/all")];
        for threads in [0, 3] {
            let mut pipeline = started(&files, threads);
            assert!(matches!(pipeline.next(PATIENCE), Ok(Next::Done(done)) if done.outcomes.len() == 5));
            assert!(matches!(pipeline.next(PATIENCE), Ok(Next::Done(done)) if done.is_end));
            assert!(matches!(pipeline.next(PATIENCE), Err(PipelineError::Files(FilesError::Unreadable { .. }))));
        }
        std::fs::remove_file(&files[0]).unwrap();
    }

    #[test]
    fn a_pipeline_that_nobody_reads_waits_and_ends_when_it_is_dropped() {
        let path = file("d", 1_200_000);
        let mut pipeline = started(std::slice::from_ref(&path), 2);
        assert!(matches!(pipeline.next(PATIENCE), Ok(Next::Done(_))));
        std::thread::sleep(Duration::from_millis(300));
        if let Pipeline::Threads(threads) = &pipeline {
            assert!(*locked(&threads.shared.ahead) < AHEAD + (1 << 20));
        }
        drop(pipeline);
        std::fs::remove_file(path).unwrap();
    }
}
