//! The places of clients. When all are taken and one more comes, it gets one, and somebody goes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;

/// How long a newcomer waits for the place of one that has to go, and whose messages are still committed.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a client is new: it had no time yet for its first message or subscription, and is not the first to go.
const NEW: Duration = Duration::from_secs(1);
/// How often it is told at most that somebody had to go.
const TELL: Duration = Duration::from_secs(60);

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum User {
    /// Of a port nobody knows who came there: all of them are one user.
    Port,
    /// The user id of the process that connected to the Unix socket.
    Id(u32),
}

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
            Err(_) => {
                self.make_room(user);
                // Those that wait get places in the order in which they came.
                timeout(PATIENCE, self.places.clone().acquire_owned()).await.ok()?.ok()?
            }
        };
        seat.place = Some(place);
        seat.note(|entry| entry.state = State::Sits);
        Some(seat)
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

    /// Tells the one that has to go for a newcomer of `user`.
    fn make_room(&self, user: User) {
        let mut book = self.book();
        let Some(number) = book.goes_for(user) else { return };
        let Some(entry) = book.entries.get_mut(&number) else { return };
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
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    /// Who goes for a newcomer of `user`, who has entered already: of the user with the most clients the one that only
    /// said CONNECT, a while ago, or does not read, and of several the one that was silent for longest.
    fn goes_for(&self, user: User) -> Option<u64> {
        let mut counts = BTreeMap::<User, usize>::new();
        for entry in self.entries.values().filter(|entry| entry.state != State::Leaves) {
            *counts.entry(entry.user).or_default() += 1;
        }
        // With equal shares the newcomer's own user gives.
        let (whose, _) = counts.into_iter().max_by_key(|(one, count)| (*count, *one == user))?;
        let sitting =
            self.entries.iter().filter(|(_, entry)| entry.user == whose && entry.state == State::Sits);
        let first = sitting.min_by_key(|(_, entry)| (entry.is_busy(), entry.heard));
        first.map(|(number, _)| *number)
    }
}

impl Entry {
    fn is_busy(&self) -> bool {
        self.reads && (self.works || self.came.elapsed() < NEW)
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
        seat.note(|entry| entry.came -= NEW);
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

    #[tokio::test]
    async fn the_one_that_only_connected_goes_before_those_that_do_something() {
        let seats = Seats::new(3);
        let (works, idle, deaf) =
            (sits(&seats, ALICE).await, sits(&seats, ALICE).await, sits(&seats, ALICE).await);
        works.heard(true);
        deaf.heard(true);
        deaf.reads(false);
        idle.heard(false);
        comes(&seats, ALICE).await;
        assert!(has_to_go(&deaf) && !has_to_go(&idle) && !has_to_go(&works));
        comes(&seats, ALICE).await;
        assert!(has_to_go(&idle) && !has_to_go(&works));
        comes(&seats, ALICE).await;
        assert!(has_to_go(&works));
        assert_eq!(seats.taken(), 3, "they have not gone yet");
    }

    #[tokio::test]
    async fn among_those_alike_the_one_that_was_silent_for_longest_goes() {
        let seats = Seats::new(2);
        let (first, second) = (sits(&seats, ALICE).await, sits(&seats, ALICE).await);
        second.heard(true);
        tokio::time::sleep(Duration::from_millis(2)).await;
        first.heard(true);
        comes(&seats, ALICE).await;
        assert!(has_to_go(&second) && !has_to_go(&first));
    }

    #[tokio::test]
    async fn who_came_just_now_has_a_moment_for_its_first_message() {
        let seats = Seats::new(2);
        let (works, new) = (sits(&seats, ALICE).await, sits_down(&seats, ALICE).await);
        works.heard(true);
        tokio::time::sleep(Duration::from_millis(2)).await;
        new.heard(false);
        comes(&seats, ALICE).await;
        assert!(has_to_go(&works) && !has_to_go(&new));
    }

    #[tokio::test]
    async fn who_has_many_gives_and_who_has_few_does_not() {
        let seats = Seats::new(4);
        let bob = sits(&seats, BOB).await;
        let alices = [sits(&seats, ALICE).await, sits(&seats, ALICE).await, sits(&seats, ALICE).await];
        alices.iter().for_each(|seat| seat.heard(true));
        // However many of hers come at once, and Bob's only client is idle.
        for _ in 0..5 {
            comes(&seats, ALICE).await;
        }
        assert!(!has_to_go(&bob) && alices.iter().all(has_to_go));
        let seats = Seats::new(4);
        let alices = [sits(&seats, ALICE).await, sits(&seats, ALICE).await];
        let ports = [sits(&seats, User::Port).await, sits(&seats, User::Port).await];
        comes(&seats, BOB).await;
        comes(&seats, BOB).await;
        assert_eq!(alices.iter().chain(&ports).filter(|seat| has_to_go(seat)).count(), 2);
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
