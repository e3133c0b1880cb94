//! Rates beyond which AWS takes no more (page "AWS IoT Core endpoints and quotas").
//!
//! All are off unless asked for, since few tests mean to be slow. What AWS does to whoever is too quick: a CONNECT is
//! refused, a PUBLISH discarded without an acknowledgement, a request to a service rejected.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Instant;

use crate::clock::Clock;
use crate::lock;

/// How many of each may happen in a second; `None` is without limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Throttles {
    /// CONNECT packets of one client id. AWS: 1.
    pub connects_per_client_id: Option<u32>,
    /// PUBLISH packets of one connection. AWS: 100.
    pub publishes_per_connection: Option<u32>,
    /// Requests to fleet provisioning, all clients together. AWS has a quota for each call and region.
    pub provisioning: Option<u32>,
}

impl Throttles {
    /// What the quotas page says where nobody has asked AWS for more.
    #[must_use]
    pub fn aws() -> Self {
        Self { connects_per_client_id: Some(1), publishes_per_connection: Some(100), provisioning: None }
    }
}

/// What is left for whom.
pub(crate) struct Throttle {
    limits: Throttles,
    clock: Clock,
    connects: Mutex<HashMap<String, Bucket>>,
    provisioning: Mutex<Option<Bucket>>,
}

impl Throttle {
    pub(crate) fn new(limits: Throttles, clock: Clock) -> Self {
        Self { limits, clock, connects: Mutex::default(), provisioning: Mutex::default() }
    }

    /// Whether this client id may connect now.
    pub(crate) fn connect(&self, client_id: &str) -> bool {
        let Some(limit) = self.limits.connects_per_client_id else { return true };
        let now = self.clock.now();
        let mut connects = lock(&self.connects);
        // A full bucket is as good as none.
        connects.retain(|_, bucket| !bucket.is_full(limit, now));
        connects.entry(client_id.to_owned()).or_insert_with(|| Bucket::full(limit, now)).take(limit, now)
    }

    /// Whether fleet provisioning takes one more request now.
    pub(crate) fn provisioning(&self) -> bool {
        let Some(limit) = self.limits.provisioning else { return true };
        let now = self.clock.now();
        lock(&self.provisioning).get_or_insert_with(|| Bucket::full(limit, now)).take(limit, now)
    }

    /// What one new connection may publish.
    pub(crate) fn publishes(&self) -> Publishes {
        let now = self.clock.now();
        let limit = self.limits.publishes_per_connection;
        Publishes(limit.map(|limit| (limit, self.clock.clone(), Mutex::new(Bucket::full(limit, now)))))
    }
}

/// What one connection may still publish.
pub(crate) struct Publishes(Option<(u32, Clock, Mutex<Bucket>)>);

impl Publishes {
    /// Whether one more is taken now.
    pub(crate) fn allowed(&self) -> bool {
        self.0.as_ref().is_none_or(|(limit, clock, bucket)| lock(bucket).take(*limit, clock.now()))
    }
}

/// A second's worth of permits that fills up evenly.
struct Bucket {
    permits: f64,
    looked_at: Instant,
}

impl Bucket {
    fn full(limit: u32, now: Instant) -> Self {
        Self { permits: f64::from(limit), looked_at: now }
    }

    fn is_full(&self, limit: u32, now: Instant) -> bool {
        self.after(limit, now) >= f64::from(limit)
    }

    fn after(&self, limit: u32, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(self.looked_at).as_secs_f64();
        (self.permits + passed * f64::from(limit)).min(f64::from(limit))
    }

    fn take(&mut self, limit: u32, now: Instant) -> bool {
        self.permits = self.after(limit, now);
        self.looked_at = now;
        let taken = self.permits >= 1.0;
        if taken {
            self.permits -= 1.0;
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_client_id_connects_once_a_second() {
        let clock = Clock::default();
        let throttle = Throttle::new(Throttles::aws(), clock.clone());
        assert!(throttle.connect("a"));
        assert!(!throttle.connect("a"));
        assert!(throttle.connect("b"));
        clock.advance(Duration::from_secs(1));
        assert!(throttle.connect("a"));
        assert_eq!(lock(&throttle.connects).len(), 1, "who waited long enough is forgotten");
    }

    #[test]
    fn without_limits_nothing_is_counted() {
        let throttle = Throttle::new(Throttles::default(), Clock::default());
        let publishes = throttle.publishes();
        assert!((0..1000).all(|_| throttle.connect("a") && throttle.provisioning() && publishes.allowed()));
    }
}
