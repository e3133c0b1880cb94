//! One message and out: for scripts, installers and tests.

use std::pin::pin;
use std::time::Duration;

use tokio::time::timeout;

use super::run::{ACKNOWLEDGEMENT_LIMIT, SHUTDOWN_LIMIT};
use super::{Agent, Error, Report};
use crate::mqtt::{Event, Events, Link};
use crate::telemetry::Sample;

/// How long the whole of it may take.
pub const ONCE_LIMIT: Duration = Duration::from_secs(90);

impl Agent {
    /// Connects, publishes one telemetry message, waits for its PUBACK and disconnects. The first failure to
    /// connect ends it: whoever asked is waiting.
    ///
    /// # Errors
    /// When the connection fails, the server does not acknowledge in time, or `shutdown` comes first.
    pub async fn once(mut self, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
        self.tell_start();
        let (link, mut events) = Link::start(self.link_options(Vec::new()), self.connector.clone())?;
        let result = tokio::select! {
            result = timeout(ONCE_LIMIT, self.publish_one(&link, &mut events)) => {
                result.unwrap_or(Err(Error::TooSlow(ONCE_LIMIT)))
            }
            () = pin!(shutdown) => Err(Error::Interrupted),
        };
        drop(events);
        // What failed goes unacknowledged anyway; only the goodbye is worth waiting for.
        let limit = if result.is_ok() { SHUTDOWN_LIMIT } else { Duration::ZERO };
        if let Ok(unacknowledged) = link.shutdown(limit).await
            && result.is_ok()
        {
            self.tell(Report::Stopped { unacknowledged });
        }
        result
    }

    async fn publish_one(&mut self, link: &Link, events: &mut Events) -> Result<(), Error> {
        let receipt = link.publish(&self.names.telemetry, Sample::take(0).to_json())?;
        let mut acknowledged = pin!(receipt.acknowledged(ACKNOWLEDGEMENT_LIMIT));
        loop {
            tokio::select! {
                acknowledgement = &mut acknowledged => {
                    let acknowledgement = acknowledgement?;
                    self.tell(Report::TelemetryAcknowledged { sequence: 0, acknowledgement });
                    return Ok(());
                }
                event = events.next() => match event {
                    Some(Event::Connected { attempt, handshake, .. }) => {
                        self.tell(Report::Connected { attempt, handshake });
                    }
                    Some(Event::Disconnected { reason, .. }) => return Err(reason.into()),
                    Some(Event::Message(_) | Event::Undeliverable { .. }) => {}
                    None => return Err(Error::LinkEnded),
                },
            }
        }
    }
}
