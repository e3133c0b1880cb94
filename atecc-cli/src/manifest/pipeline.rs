//! Many entries at once, and what came of them in their order.
//!
//! One thread reads, each core has one that checks, the caller's takes the results. What is under way is bounded,
//! so that a manifest of any length needs the same memory.

use std::{
    io::Read,
    num::NonZero,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};

use super::entries::{Entries, ReadError};

/// So many entries are handed over at once.
const BATCH: usize = 64;
/// A batch ends sooner if its entries are long.
const BATCH_BYTES: usize = 512 * 1024;
/// So many batches wait in front of each thread, and so many behind it.
const WAITING: usize = 2;
const MAX_THREADS: usize = 8;

/// Entries that follow each other, and the number of the first.
type Batch = (usize, Vec<Vec<u8>>);

/// Does `check` to batches of entries of `input` and gives what comes out of each entry to `take`, with the entry's
/// number from 1. `check` is told the number of the first. `take` says whether to go on.
///
/// # Errors
/// When the input cannot be read on. What came before it was taken.
pub(super) fn run<T: Send>(
    input: impl Read + Send,
    check: impl Fn(usize, &[Vec<u8>]) -> Vec<T> + Sync,
    mut take: impl FnMut(usize, T) -> bool,
) -> Result<(), ReadError> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(MAX_THREADS);
    thread::scope(|scope| {
        let mut jobs = Vec::new();
        let mut results = Vec::new();
        for _ in 0..threads {
            let (job_sender, job_receiver) = sync_channel::<Batch>(WAITING);
            let (result_sender, result_receiver) = sync_channel::<Vec<(usize, T)>>(WAITING);
            jobs.push(job_sender);
            results.push(result_receiver);
            let check = &check;
            scope.spawn(move || work(&job_receiver, &result_sender, check));
        }
        let reader = scope.spawn(move || read(input, &jobs));
        // Batches go round, so results come round.
        for receiver in results.iter().cycle() {
            let Ok(batch) = receiver.recv() else { break };
            if !batch.into_iter().all(|(entry, result)| take(entry, result)) {
                break;
            }
        }
        // Threads that still have something to say end as nobody listens.
        drop(results);
        reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn read(input: impl Read, jobs: &[SyncSender<Batch>]) -> Result<(), ReadError> {
    let mut entries = Entries::new(input);
    let mut first = 1;
    for job in jobs.iter().cycle() {
        let mut batch = Vec::with_capacity(BATCH);
        let mut bytes = 0;
        let end = loop {
            match entries.next() {
                Ok(Some(entry)) => {
                    bytes += entry.len();
                    batch.push(entry);
                }
                Ok(None) => break Some(Ok(())),
                Err(error) => break Some(Err(error)),
            }
            if batch.len() == BATCH || bytes >= BATCH_BYTES {
                break None;
            }
        };
        let length = batch.len();
        if job.send((first, batch)).is_err() {
            return Ok(());
        }
        first += length;
        if let Some(end) = end {
            return end;
        }
    }
    Ok(())
}

fn work<T>(
    jobs: &Receiver<Batch>,
    results: &SyncSender<Vec<(usize, T)>>,
    check: impl Fn(usize, &[Vec<u8>]) -> Vec<T>,
) {
    while let Ok((first, batch)) = jobs.recv() {
        let result = (first..).zip(check(first, &batch)).collect();
        if results.send(result).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_entries() {
        let text: Vec<String> = (1..=5000).map(|number| format!("{{\"n\":{number}}}")).collect();
        let text = format!("[{}]", text.join(","));
        let mut next = 1;
        run(
            text.as_bytes(),
            |_, entries| entries.iter().map(|entry| String::from_utf8_lossy(entry).into_owned()).collect(),
            |number, entry| {
                assert_eq!((number, entry), (next, format!("{{\"n\":{next}}}")));
                next += 1;
                true
            },
        )
        .unwrap();
        assert_eq!(next, 5001);
    }

    #[test]
    fn what_comes_before_damage_is_taken() {
        let text = format!("[{}{{]", "{},".repeat(300));
        let mut taken = 0;
        let result = run(
            text.as_bytes(),
            |_, entries| vec![(); entries.len()],
            |_, ()| {
                taken += 1;
                true
            },
        );
        assert!(result.is_err());
        assert_eq!(taken, 300);
    }

    #[test]
    fn who_has_enough_ends_it() {
        let endless = b"[".chain(std::io::repeat(b' '));
        let entries = "{},".repeat(100_000);
        let input = b"[".chain(entries.as_bytes()).chain(endless);
        let mut taken = 0;
        run(
            input,
            |_, entries| vec![(); entries.len()],
            |_, ()| {
                taken += 1;
                taken < 100
            },
        )
        .unwrap();
        assert_eq!(taken, 100);
    }
}
