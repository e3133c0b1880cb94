//! One visitor after the other, in the order in which they came, and none waits for ever.

use std::{
    collections::VecDeque,
    ops::{Deref, DerefMut},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// What visitors have in turn.
#[derive(Debug)]
pub(super) struct Turns<T> {
    shared: Mutex<T>,
    queue: Queue,
}

impl<T> Turns<T> {
    pub(super) fn new(shared: T) -> Self {
        Self { shared: Mutex::new(shared), queue: Queue::default() }
    }

    /// Waits for all who came before, `patience` at most.
    pub(super) fn take(&self, patience: Duration) -> Option<Turn<'_, T>> {
        let place = self.queue.stand(patience)?;
        // Who had it before let go of it, and then left the queue.
        Some(Turn { shared: unpoisoned(self.shared.lock()), _place: place })
    }
}

/// The turn of one visitor, until it is dropped: what is shared first, then the place in the queue.
#[derive(Debug)]
pub(super) struct Turn<'a, T> {
    shared: MutexGuard<'a, T>,
    _place: Place<'a>,
}

impl<T> Deref for Turn<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.shared
    }
}

impl<T> DerefMut for Turn<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.shared
    }
}

/// Who waits, each with a number; it is the turn of the one in front.
#[derive(Debug, Default)]
struct Queue {
    line: Mutex<(VecDeque<u64>, u64)>,
    has_moved: Condvar,
}

impl Queue {
    /// A place that has come to the front.
    fn stand(&self, patience: Duration) -> Option<Place<'_>> {
        let mut line = unpoisoned(self.line.lock());
        let (waiting, next) = &mut *line;
        let number = *next;
        *next += 1;
        waiting.push_back(number);
        let (line, waited) = unpoisoned(
            self.has_moved
                .wait_timeout_while(line, patience, |(waiting, _)| waiting.front() != Some(&number)),
        );
        drop(line);
        let place = Place { queue: self, number };
        (!waited.timed_out()).then_some(place)
    }
}

/// A place in the queue, which is left by dropping it.
#[derive(Debug)]
struct Place<'a> {
    queue: &'a Queue,
    number: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        unpoisoned(self.queue.line.lock()).0.retain(|number| *number != self.number);
        self.queue.has_moved.notify_all();
    }
}

/// A thread that panicked left nothing behind that the next transaction would not begin anew.
fn unpoisoned<G>(result: Result<G, PoisonError<G>>) -> G {
    result.unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Instant};

    use super::*;

    const SHORT: Duration = Duration::from_millis(50);
    const LONG: Duration = Duration::from_secs(20);

    /// Waits until `count` stand in the queue.
    fn until(turns: &Turns<Vec<u32>>, count: usize) {
        let start = Instant::now();
        while turns.queue.line.lock().unwrap().0.len() != count {
            assert!(start.elapsed() < LONG, "nobody comes or goes");
            thread::yield_now();
        }
    }

    #[test]
    fn visitors_come_in_their_order() {
        let turns = Turns::new(Vec::new());
        let first = turns.take(LONG).unwrap();
        thread::scope(|scope| {
            for visitor in 1..=4 {
                let turns = &turns;
                scope.spawn(move || turns.take(LONG).unwrap().push(visitor));
                until(turns, visitor as usize + 1);
            }
            drop(first);
        });
        assert_eq!(*turns.take(SHORT).unwrap(), [1, 2, 3, 4]);
    }

    #[test]
    fn who_gave_up_does_not_keep_the_others() {
        let turns = Turns::new(Vec::new());
        let first = turns.take(LONG).unwrap();
        thread::scope(|scope| {
            let start = Instant::now();
            assert!(turns.take(SHORT).is_none());
            assert!(start.elapsed() >= SHORT);
            let next = scope.spawn(|| turns.take(LONG).is_some());
            until(&turns, 2);
            drop(first);
            assert!(next.join().unwrap());
        });
        until(&turns, 0);
    }

    #[test]
    fn who_died_in_their_turn_does_not_keep_the_others() {
        let turns = Turns::new(Vec::<u32>::new());
        thread::scope(|scope| {
            let died = scope.spawn(|| {
                let _turn = turns.take(LONG).unwrap();
                panic!("on purpose");
            });
            assert!(died.join().is_err());
        });
        assert!(turns.take(SHORT).is_some());
    }
}
