//! Who may stay: a connection that has no place of a client holds none up either, and there are few of them at once.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::task::AbortHandle;

use super::seats::{Seat, Seats};
use super::user::User;

/// Connections of one socket that have not said CONNECT, or wait for a place.
const MOST_STRANGERS: usize = 32;
/// How long each of them stays at least: who connects and says CONNECT at once needs a moment for it on a busy machine.
const MOMENT: Duration = Duration::from_millis(50);

/// What one connection passes with its CONNECT.
#[derive(Debug)]
pub(super) struct Door {
    seats: Arc<Seats>,
    user: User,
    passed: Arc<AtomicBool>,
}

/// The connections that have not passed it, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Strangers(VecDeque<Stranger>);

#[derive(Debug)]
struct Stranger {
    user: User,
    client: AbortHandle,
    passed: Arc<AtomicBool>,
    came: Instant,
}

impl Door {
    pub(super) fn new(seats: Arc<Seats>, user: User) -> Self {
        Self { seats, user, passed: Arc::default() }
    }

    /// Becomes true when the connection has a place, or will be told that there is none.
    pub(super) fn passed(&self) -> Arc<AtomicBool> {
        self.passed.clone()
    }

    /// A place for a client that has said CONNECT, for as long as it stays. `None`: none became free.
    pub(super) async fn enter(self) -> Option<Seat> {
        let seat = self.seats.take(self.user).await;
        self.passed.store(true, Ordering::Relaxed);
        seat
    }
}

impl Strangers {
    /// Counts a new connection. With too many the oldest of the user with the most is ended: who speaks MQTT says CONNECT
    /// at once, and is not kept out by those who only connect.
    pub(super) fn add(&mut self, user: User, client: AbortHandle, passed: Arc<AtomicBool>) {
        if self.are_many()
            && let Some(oldest) = self.goes_next().and_then(|place| self.0.remove(place))
        {
            oldest.client.abort();
        }
        self.0.push_back(Stranger { user, client, passed, came: Instant::now() });
    }

    /// How long the next connection has to wait for being accepted.
    pub(super) fn pause(&mut self) -> Duration {
        let next = if self.are_many() { self.goes_next().and_then(|place| self.0.get(place)) } else { None };
        next.map_or(Duration::ZERO, |next| MOMENT.saturating_sub(next.came.elapsed()))
    }

    fn are_many(&mut self) -> bool {
        if self.0.len() >= MOST_STRANGERS {
            self.0.retain(|one| !one.passed.load(Ordering::Relaxed) && !one.client.is_finished());
        }
        self.0.len() >= MOST_STRANGERS
    }

    /// The oldest of the user with the most.
    fn goes_next(&self) -> Option<usize> {
        let most = User::with_the_most(self.0.iter().map(|one| one.user), None);
        self.0.iter().position(|one| Some(one.user) == most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_of_those_who_only_connect_is_ended_and_of_others_none() {
        let mut strangers = Strangers::default();
        let mut add = |user| {
            let task = tokio::spawn(std::future::pending::<()>());
            strangers.add(user, task.abort_handle(), Arc::default());
            task
        };
        let other = add(User::Id(1));
        let first = add(User::Id(0));
        for _ in 0..MOST_STRANGERS {
            drop(add(User::Id(0)));
        }
        assert!(first.await.unwrap_err().is_cancelled());
        assert!(!other.is_finished());
        assert!(strangers.pause() > Duration::ZERO, "those that came just now have a moment");
        std::thread::sleep(MOMENT);
        assert_eq!(strangers.pause(), Duration::ZERO);
    }
}
