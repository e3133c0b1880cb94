//! The certificate and the key, watched while everything works: both fail at the worst moment otherwise.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use identity::{Identity, Key};
use tokio::task::JoinSet;

use super::{Feature, Means, Rhythm};
use crate::supervisor::Report;

const DAY: Duration = Duration::from_secs(86_400);
/// How long before its end a certificate is told of, once a day.
const WARNING: Duration = Duration::from_secs(30 * 86_400);
/// How often the chip is asked for its serial number: one wake, one Read.
const LOOK: Duration = Duration::from_secs(3_600);

/// Watches certificate and key.
pub(super) struct Credentials {
    /// When the certificate ends, since 1970.
    not_after: Duration,
    key: Arc<Key>,
    days: Rhythm,
    looks: Rhythm,
    /// A look at the key, which may take its time. `None`: what holds it cannot be asked.
    looking: JoinSet<Option<Result<(), String>>>,
    is_missing: bool,
}

impl Credentials {
    pub(super) fn new(identity: &Identity) -> Self {
        Self {
            not_after: identity.leaf().tbs_certificate().validity().not_after.to_unix_duration(),
            key: identity.key().clone(),
            days: Rhythm::new(DAY),
            looks: Rhythm::later(LOOK),
            looking: JoinSet::new(),
            is_missing: false,
        }
    }

    fn looked(&mut self, found: Result<(), String>, means: &Means) {
        let was_missing = std::mem::replace(&mut self.is_missing, found.is_err());
        match found {
            Err(problem) if !was_missing => means.tell(Report::KeyMissing { problem }),
            Ok(()) if was_missing => means.tell(Report::KeyBack),
            _ => {}
        }
    }
}

impl Feature for Credentials {
    fn tick(&mut self, means: &mut Means) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        if self.days.is_due(Instant::now())
            && let Some(days) = days_left(self.not_after, now)
        {
            means.tell(Report::CertificateEnds { days });
        }
        while let Some(looked) = self.looking.try_join_next() {
            if let Ok(Some(found)) = looked {
                self.looked(found, means);
            }
        }
        if self.looking.is_empty() && self.looks.is_due(Instant::now()) {
            let key = self.key.clone();
            self.looking.spawn_blocking(move || match key.is_present()? {
                Ok(true) => Some(Ok(())),
                Ok(false) => Some(Err("another chip is in its place".to_owned())),
                Err(error) => Some(Err(error.to_string())),
            });
        }
    }
}

/// Days until the end, if that is near: 0 on the last day, less afterwards.
fn days_left(not_after: Duration, now: Duration) -> Option<i64> {
    if not_after > now + WARNING {
        return None;
    }
    let days = |time: Duration| i64::try_from(time.as_secs() / DAY.as_secs()).unwrap_or(i64::MAX);
    Some(match not_after.checked_sub(now) {
        Some(left) => days(left),
        None => -1 - days(now - not_after),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_certificate_is_told_thirty_days_before() {
        let end = 1000 * DAY;
        assert_eq!(days_left(end, 969 * DAY), None);
        assert_eq!(days_left(end, 970 * DAY), Some(30));
        assert_eq!(days_left(end, 999 * DAY + DAY / 2), Some(0));
        assert_eq!(days_left(end, 1000 * DAY + DAY / 2), Some(-1));
    }
}
