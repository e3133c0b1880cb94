//! Whether another device uses the same client id.
//!
//! The server cuts the older of two connections with one client id. Both devices come back, and cut each other for ever. MQTT 5
//! has a reason code for it; in MQTT 3.1.1 the connection just ends, at a moment when nothing was wrong with it.

use std::time::{Duration, Instant};

/// Ends without another explanation, one soon after the other, from which on a rival is suspected.
const SUSPICIOUS: u32 = 3;
/// A connection that lived longer was not ended by a rival that tries to come back.
const SOON: Duration = Duration::from_secs(600);

/// Counts the ends of connections that look like takeovers.
#[derive(Debug, Default)]
pub(super) struct Rivals {
    takeovers: u32,
}

impl Rivals {
    /// A connection that began at `connected` was closed by the server. `idle`: nothing that we had sent waited for an answer, so it
    /// was not for that. Gives how often it happened, once that is suspicious.
    pub(super) fn closed(&mut self, connected: Instant, idle: bool) -> Option<u32> {
        if connected.elapsed() > SOON {
            self.takeovers = 0;
        } else if idle {
            self.takeovers = self.takeovers.saturating_add(1);
        }
        (idle && self.takeovers >= SUSPICIOUS).then_some(self.takeovers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_soon_ends_without_a_cause_are_suspicious() {
        let (now, mut rivals) = (Instant::now(), Rivals::default());
        assert_eq!([(); 2].map(|()| rivals.closed(now, true)), [None, None]);
        // In the middle of a message: that tells nothing.
        assert_eq!(rivals.closed(now, false), None);
        assert_eq!(rivals.closed(now, true), Some(3));
        if let Some(long_ago) = now.checked_sub(SOON * 2) {
            assert_eq!(rivals.closed(long_ago, true), None);
            assert_eq!(rivals.closed(now, true), None);
        }
    }
}
