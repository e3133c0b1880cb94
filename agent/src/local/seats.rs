//! The places of clients. When all are taken and one more comes, it gets one, and somebody goes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};

use super::user::User;

/// How long a newcomer waits for the place of one that has to go, and whose messages are still committed.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a client stays at least: it needs a moment for its first message or subscription before it is judged.
const MOMENT: Duration = Duration::from_millis(50);
/// How often it is told at most that somebody had to go.
const TELL: Duration = Duration::from_secs(60);

/// All places.
#[derive(Debug)]
pub(super) struct Seats {
    most: usize,
    places: Arc<Semaphore>,
    book: Mutex<Book>,
}

/// Who sits, and who waits for a place.
#[derive(Debug, Default)]
struct Book {
    next: u64,
    entries: BTreeMap<u64, Entry>,
    told: Option<Instant>,
}

#[derive(Debug)]
struct Entry {
    user: User,
    state: State,
    /// It has published or subscribed.
    works: bool,
    /// It takes what is written to it.
    reads: bool,
    came: Instant,
    heard: Instant,
    out: watch::Sender<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waits,
    Sits,
    /// It was told to go.
    Leaves,
}

/// One client's place, until it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    number: u64,
    seats: Arc<Seats>,
    out: watch::Receiver<bool>,
    place: Option<OwnedSemaphorePermit>,
}

impl Seats {
    /// Room for `clients`.
    pub(super) fn new(clients: usize) -> Arc<Self> {
        let places = Arc::new(Semaphore::new(clients));
        Arc::new(Self { most: clients, places, book: Mutex::default() })
    }

    /// Places that are taken.
    pub(super) fn taken(&self) -> usize {
        self.most.saturating_sub(self.places.available_permits())
    }

    /// A place for a client of `user`. `None`: nobody left in time.
    pub(super) async fn take(self: &Arc<Self>, user: User) -> Option<Seat> {
        let mut seat = self.enter(user);
        let place = match self.places.clone().try_acquire_owned() {
            Ok(place) => place,
            Err(_) => timeout(PATIENCE, self.wait_for_place(user)).await.ok().flatten()?,
        };
        seat.place = Some(place);
        seat.note(|entry| entry.state = State::Sits);
        Some(seat)
    }

    /// The next place, and room for it as long as there are more that wait than leave.
    async fn wait_for_place(&self, user: User) -> Option<OwnedSemaphorePermit> {
        // Those that wait get places in the order in which they came.
        let free = self.places.clone().acquire_owned();
        tokio::pin!(free);
        loop {
            let pause = self.make_room(user);
            tokio::select! {
                place = &mut free => return place.ok(),
                () = sleep(pause) => {}
            }
        }
    }

    fn enter(self: &Arc<Self>, user: User) -> Seat {
        let (out, told) = watch::channel(false);
        let came = Instant::now();
        let entry = Entry { user, state: State::Waits, works: false, reads: true, came, heard: came, out };
        let mut book = self.book();
        book.next += 1;
        let number = book.next;
        book.entries.insert(number, entry);
        Seat { number, seats: self.clone(), out: told, place: None }
    }

    /// Tells the one that has to go for a newcomer of `user`, if more wait than leave. Gives how long to wait until it is
    /// worth looking again.
    fn make_room(&self, user: User) -> Duration {
        let mut book = self.book();
        if book.count(State::Leaves) >= book.count(State::Waits) {
            return MOMENT;
        }
        let Some(entry) = book.goes_for(user).and_then(|number| book.entries.get_mut(&number)) else {
            return MOMENT;
        };
        let young = MOMENT.saturating_sub(entry.came.elapsed());
        if !young.is_zero() {
            return young;
        }
        entry.state = State::Leaves;
        // It may just have gone by itself.
        let _ = entry.out.send(true);
        let whose = entry.user;
        let now = Instant::now();
        if book.told.is_none_or(|told| now - told >= TELL) {
            book.told = Some(now);
            tracing::warn!(
                user = ?whose,
                "more than {} local clients: the least busy one of the user with the most was cut; raise `clients` in [local] if all of them are wanted",
                self.most
            );
        }
        MOMENT
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn count(&self, state: State) -> usize {
        self.entries.values().filter(|entry| entry.state == state).count()
    }

    /// Who goes for a newcomer of `user`, who has entered already: of the user with the most clients the one that only
    /// said CONNECT or does not read, and of several the one that was silent for longest.
    fn goes_for(&self, user: User) -> Option<u64> {
        let staying = self.entries.values().filter(|entry| entry.state != State::Leaves);
        // With equal shares the newcomer's own user gives.
        let whose = User::with_the_most(staying.map(|entry| entry.user), Some(user))?;
        let sitting =
            self.entries.iter().filter(|(_, entry)| entry.user == whose && entry.state == State::Sits);
        let first = sitting.min_by_key(|(_, entry)| (entry.works && entry.reads, entry.heard));
        first.map(|(number, _)| *number)
    }
}

impl Seat {
    /// Something came from the client: a message or a subscription, or not as much.
    pub(super) fn heard(&self, works: bool) {
        self.note(|entry| {
            entry.heard = Instant::now();
            entry.works |= works;
        });
    }

    /// Whether the client takes what is written to it just now.
    pub(super) fn reads(&self, reads: bool) {
        self.note(|entry| entry.reads = reads);
    }

    /// Waits until somebody else needs the place. Safe to cancel.
    pub(super) async fn is_needed(&self) {
        if self.out.clone().wait_for(|out| *out).await.is_err() {
            // Nobody is left who could need it.
            std::future::pending::<()>().await;
        }
    }

    fn note(&self, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.seats.book().entries.get_mut(&self.number) {
            change(entry);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.book().entries.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: User = User::Id(1000);
    const BOB: User = User::Id(1001);

    /// Takes a place, which is free or becomes so, and has had it for a while.
    async fn sits(seats: &Arc<Seats>, user: User) -> Seat {
        let seat = sits_down(seats, user).await;
        seat.note(|entry| entry.came -= MOMENT);
        seat
    }

    async fn sits_down(seats: &Arc<Seats>, user: User) -> Seat {
        // Not two with the same time.
        tokio::time::sleep(Duration::from_millis(2)).await;
        seats.take(user).await.unwrap()
    }

    fn has_to_go(seat: &Seat) -> bool {
        *seat.out.borrow()
    }

    /// A newcomer waits for as long as nobody leaves; who has to?
    async fn comes(seats: &Arc<Seats>, user: User) {
        assert!(timeout(Duration::from_millis(20), seats.take(user)).await.is_err());
    }

    /// Which of `all` has to go for a newcomer of `user`; it goes.
    async fn goes(seats: &Arc<Seats>, user: User, all: &mut Vec<(&'static str, Seat)>) -> &'static str {
        comes(seats, user).await;
        let told: Vec<_> = (0..all.len()).filter(|number| has_to_go(&all[*number].1)).collect();
        assert_eq!(told.len(), 1, "one for one");
        all.remove(told[0]).0
    }

    #[tokio::test]
    async fn the_one_that_only_connected_goes_before_those_that_do_something() {
        let seats = Seats::new(3);
        let mut all = Vec::new();
        for name in ["works", "idle", "deaf"] {
            all.push((name, sits(&seats, ALICE).await));
        }
        all[0].1.heard(true);
        all[2].1.heard(true);
        all[2].1.reads(false);
        all[1].1.heard(false);
        assert_eq!(goes(&seats, ALICE, &mut all).await, "deaf");
        let one_more = sits_down(&seats, ALICE).await;
        one_more.heard(true);
        assert_eq!(goes(&seats, ALICE, &mut all).await, "idle");
        let and_one = sits_down(&seats, ALICE).await;
        and_one.heard(true);
        assert_eq!(goes(&seats, ALICE, &mut all).await, "works");
    }

    #[tokio::test]
    async fn among_those_alike_the_one_that_was_silent_for_longest_goes() {
        let seats = Seats::new(2);
        let mut all = vec![("first", sits(&seats, ALICE).await), ("second", sits(&seats, ALICE).await)];
        all[1].1.heard(true);
        tokio::time::sleep(Duration::from_millis(2)).await;
        all[0].1.heard(true);
        assert_eq!(goes(&seats, ALICE, &mut all).await, "second");
    }

    #[tokio::test]
    async fn who_came_just_now_has_a_moment_for_its_first_message() {
        let seats = Seats::new(2);
        let (works, new) = (sits(&seats, ALICE).await, sits_down(&seats, ALICE).await);
        works.heard(true);
        new.heard(false);
        comes(&seats, ALICE).await;
        assert!(!has_to_go(&works) && !has_to_go(&new), "the newcomer waits for it");
        let third = seats.take(ALICE);
        let says = async {
            sleep(MOMENT / 2).await;
            new.heard(true);
            works.is_needed().await;
            drop(works);
        };
        let (third, ()) = tokio::join!(third, says);
        assert!(third.is_some() && !has_to_go(&new));
    }

    #[tokio::test]
    async fn who_does_nothing_after_its_moment_goes_before_those_that_work() {
        let seats = Seats::new(2);
        let (works, new) = (sits(&seats, ALICE).await, sits_down(&seats, ALICE).await);
        works.heard(true);
        let leaves = async {
            new.is_needed().await;
            drop(new);
        };
        let (third, ()) = tokio::join!(seats.take(ALICE), leaves);
        assert!(third.is_some() && !has_to_go(&works));
    }

    #[tokio::test]
    async fn who_has_many_gives_and_who_has_few_does_not() {
        let seats = Seats::new(4);
        let bob = sits(&seats, BOB).await;
        let mut alices = Vec::new();
        for name in ["first", "second", "third"] {
            alices.push((name, sits(&seats, ALICE).await));
            alices.last().unwrap().1.heard(true);
        }
        // Bob's only client is idle.
        assert_eq!(goes(&seats, ALICE, &mut alices).await, "first");
        alices.push(("fourth", sits(&seats, ALICE).await));
        assert_eq!(goes(&seats, BOB, &mut alices).await, "fourth");
        assert!(!has_to_go(&bob));
    }

    #[tokio::test]
    async fn a_newcomer_gets_the_place_as_soon_as_it_is_free_and_nothing_is_left_of_those_that_gave_up() {
        let seats = Seats::new(1);
        let first = sits(&seats, ALICE).await;
        comes(&seats, ALICE).await;
        let leaves = async {
            first.is_needed().await;
            drop(first);
        };
        let (second, ()) = tokio::join!(seats.take(ALICE), leaves);
        assert_eq!((seats.taken(), seats.book().entries.len()), (1, 1));
        drop(second);
        assert_eq!((seats.taken(), seats.book().entries.len()), (0, 0));
    }
}
