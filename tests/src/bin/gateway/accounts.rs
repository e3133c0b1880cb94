//! The reckoning: what was accepted, what arrived, how often and in which order.

use std::collections::{HashMap, HashSet};

use super::client::Sent;

/// Messages of the agent that may be on their way at once; as many may come again after each kill.
pub(crate) const IN_FLIGHT: usize = 100;

/// What arrived.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    seen: HashSet<Sent>,
    /// The newest that came of each client and topic.
    newest: HashMap<(u64, String), u64>,
    messages: HashSet<(u64, u64)>,
    total: usize,
    repeated: usize,
    out_of_order: Vec<Sent>,
}

impl Arrivals {
    /// Counts one. Whether it was there before.
    pub(crate) fn add(&mut self, sent: Sent) -> bool {
        self.total += 1;
        if !self.seen.insert(sent) {
            self.repeated += 1;
            return true;
        }
        if self.messages.insert((sent.client, sent.sequence)) {
            // The order of a topic is that in which its messages came for the first time.
            let newest = self.newest.entry((sent.client, sent.topic())).or_insert(sent.sequence);
            if sent.sequence < *newest {
                self.out_of_order.push(sent);
            }
            *newest = sent.sequence.max(*newest);
        }
        false
    }

    /// Which of the accepted did not come.
    pub(crate) fn missing<'a>(&self, accepted: &'a [Sent]) -> Vec<&'a Sent> {
        accepted.iter().filter(|sent| !self.seen.contains(sent)).collect()
    }

    /// Different messages.
    pub(crate) fn messages(&self) -> usize {
        self.messages.len()
    }

    /// Arrivals of what was there already: the agent sent it again.
    pub(crate) fn repeated(&self) -> usize {
        self.repeated
    }

    /// What the clients had sent again, because they knew of no acknowledgement, and the agent had accepted before.
    pub(crate) fn sent_twice(&self) -> usize {
        self.seen.len() - self.messages.len()
    }

    /// Messages that came after a newer one of their topic.
    pub(crate) fn out_of_order(&self) -> &[Sent] {
        &self.out_of_order
    }
}
