//! Whose process is at the other end.

use std::collections::BTreeMap;

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum User {
    /// Of a port nobody knows who came there: all of them are one user.
    Port,
    /// The user id of the process that connected to the Unix socket.
    Id(u32),
}

impl User {
    /// The one who has the most of some connections, of which `users` are the owners. Of several with equally many it is
    /// `first`, if that is one of them.
    pub(super) fn with_the_most(users: impl Iterator<Item = Self>, first: Option<Self>) -> Option<Self> {
        let mut counts = BTreeMap::<Self, usize>::new();
        for user in users {
            *counts.entry(user).or_default() += 1;
        }
        let most = counts.into_iter().max_by_key(|(user, count)| (*count, Some(*user) == first));
        most.map(|(user, _)| user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_with_the_most_gives_and_of_equals_the_one_who_asks() {
        let (alice, bob) = (User::Id(1000), User::Id(1001));
        let most = |users: &[User], first| User::with_the_most(users.iter().copied(), first);
        assert_eq!(most(&[alice, bob, bob], Some(alice)), Some(bob));
        for asks in [alice, bob] {
            assert_eq!(most(&[alice, bob], Some(asks)), Some(asks));
        }
        // Who has none does not give.
        assert!([Some(alice), Some(bob)].contains(&most(&[alice, bob, bob, alice], Some(User::Port))));
        assert_eq!(most(&[], Some(alice)), None);
    }
}
