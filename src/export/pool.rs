//! Work on other threads, with the results in the order in which it was given.
//!
//! The threads are pure: they know nothing of the server. There are as many jobs on the way as threads, twice, so that memory is
//! bounded by the size of a job.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a wait for a thread lasts before the caller is asked again whether to go on.
const PATIENCE: Duration = Duration::from_millis(50);

/// Why a job came to nothing.
#[derive(Debug, PartialEq, Eq)]
pub enum Failed<E> {
    Job(E),
    /// The thread is gone; a job in it has panicked, or it could not be started.
    Thread,
}

/// Threads that do the same to each job.
pub struct Pool<J, R, E> {
    work: fn(J) -> Result<R, E>,
    threads: Vec<Thread<J, R, E>>,
    /// Numbers of threads with a job, the oldest job first; with none, results that are there already.
    busy: VecDeque<usize>,
    ready: VecDeque<Result<R, Failed<E>>>,
    next: usize,
    /// Jobs that wait are not begun any more.
    is_over: Arc<AtomicBool>,
}

struct Thread<J, R, E> {
    /// None when it is to end.
    jobs: Option<SyncSender<J>>,
    results: Receiver<Result<R, Failed<E>>>,
    handle: Option<JoinHandle<()>>,
}

impl<J: Send + 'static, R: Send + 'static, E: Send + 'static> Pool<J, R, E> {
    /// Starts so many threads, or none: then the work is done where the jobs are given. `start` surrounds the start of each one.
    pub fn new(count: usize, start: impl Fn(&mut dyn FnMut()), work: fn(J) -> Result<R, E>) -> Pool<J, R, E> {
        let mut threads = Vec::new();
        let is_over = Arc::new(AtomicBool::new(false));
        for _ in 0..count {
            let is_over = is_over.clone();
            // a job in work and one that waits
            let (jobs, incoming) = sync_channel::<J>(1);
            let (outgoing, results) = sync_channel(2);
            let body = move || {
                while let Ok(job) = incoming.recv()
                    && !is_over.load(Ordering::Relaxed)
                {
                    let result = catch_unwind(AssertUnwindSafe(|| work(job)));
                    let (is_gone, result) = match result {
                        Ok(result) => (false, result.map_err(Failed::Job)),
                        Err(_) => (true, Err(Failed::Thread)),
                    };
                    if outgoing.send(result).is_err() || is_gone {
                        return;
                    }
                }
            };
            let (mut body, mut handle) = (Some(body), None);
            start(&mut || {
                if let Some(body) = body.take() {
                    handle = std::thread::Builder::new().name("fhirlake export".into()).spawn(body).ok();
                }
            });
            if handle.is_none() {
                break; // fewer will do
            }
            threads.push(Thread { jobs: Some(jobs), results, handle });
        }
        Pool { work, threads, busy: VecDeque::new(), ready: VecDeque::new(), next: 0, is_over }
    }

    /// Whether the oldest result must be taken before another job is given.
    pub fn is_full(&self) -> bool {
        if self.threads.is_empty() { !self.ready.is_empty() } else { self.busy.len() >= 2 * self.threads.len() }
    }

    /// Gives a job; does not wait unless the pool is full.
    pub fn give(&mut self, job: J) {
        if self.threads.is_empty() {
            self.ready.push_back((self.work)(job).map_err(Failed::Job));
            return;
        }
        let number = self.next;
        self.next = (number + 1) % self.threads.len();
        // One that is gone has nobody who takes the job; its results say so.
        if let Some(jobs) = &self.threads[number].jobs {
            let _ = jobs.send(job);
        }
        self.busy.push_back(number);
    }

    /// The result of the oldest job, or none if there is no job. `alive` is called while it waits, and may leave by a panic.
    pub fn take(&mut self, mut alive: impl FnMut()) -> Option<Result<R, Failed<E>>> {
        if self.threads.is_empty() {
            return self.ready.pop_front();
        }
        let number = *self.busy.front()?;
        let result = loop {
            match self.threads[number].results.recv_timeout(PATIENCE) {
                Ok(result) => break result,
                Err(RecvTimeoutError::Timeout) => alive(),
                Err(RecvTimeoutError::Disconnected) => break Err(Failed::Thread),
            }
        };
        self.busy.pop_front();
        Some(result)
    }
}

impl<J, R, E> Drop for Pool<J, R, E> {
    /// Ends the threads: each finishes the job that it has in hand.
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        for thread in &mut self.threads {
            thread.jobs = None;
        }
        for thread in &mut self.threads {
            // what it has in hand must not wait for room
            while thread.results.recv().is_ok() {}
            if let Some(handle) = thread.handle.take() {
                let _ = handle.join();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(job: u32) -> Result<u32, String> {
        if job % 3 == 0 {
            std::thread::sleep(Duration::from_millis(2));
        }
        match job {
            77 => Err("no".into()),
            99 => panic!("job 99"),
            _ => Ok(job * 2),
        }
    }

    fn all(threads: usize, jobs: impl Iterator<Item = u32>) -> Vec<Result<u32, Failed<String>>> {
        let mut pool = Pool::new(threads, |spawn| spawn(), work);
        let mut results = Vec::new();
        for job in jobs {
            while pool.is_full() {
                results.extend(pool.take(|| ()));
            }
            pool.give(job);
        }
        while let Some(result) = pool.take(|| ()) {
            results.push(result);
        }
        results
    }

    #[test]
    fn results_come_in_the_order_of_the_jobs() {
        for threads in [0, 1, 2, 5] {
            let results: Vec<u32> = all(threads, 0..70).into_iter().map(Result::unwrap).collect();
            assert_eq!(results, (0..70).map(|job| job * 2).collect::<Vec<_>>(), "{threads}");
        }
    }

    #[test]
    fn a_job_that_fails_fails_alone() {
        for threads in [0, 3] {
            let results = all(threads, 75..80);
            assert_eq!(results[2], Err(Failed::Job("no".into())));
            assert!(results.iter().enumerate().all(|(at, result)| at == 2 || result.is_ok()));
        }
    }

    #[test]
    fn a_thread_that_dies_is_told_and_nobody_waits_for_it() {
        let results = all(2, 98..110);
        assert_eq!(results.len(), 12);
        assert_eq!(results[1], Err(Failed::Thread));
        assert_eq!(results[0], Ok(196));
        assert_eq!(results[3], Err(Failed::Thread));
    }

    #[test]
    fn a_pool_that_is_dropped_ends_without_the_jobs_that_wait() {
        static BEGUN: AtomicBool = AtomicBool::new(false);
        let mut pool = Pool::<bool, (), ()>::new(
            1,
            |spawn| spawn(),
            |is_second| {
                BEGUN.store(is_second, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(100));
                Ok(())
            },
        );
        pool.give(false);
        std::thread::sleep(Duration::from_millis(20));
        pool.give(true);
        drop(pool);
        assert!(!BEGUN.load(Ordering::Relaxed));
    }
}
