//! Reports to AWS IoT Device Defender.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::{Feature, Means, Rhythm};
use crate::defender::{self, Answer, Traffic};
use crate::mqtt::Message;
use crate::supervisor::Report;

/// Reports what the host does on the network.
pub(super) struct Defender {
    prefix: String,
    rhythm: Rhythm,
    is_connected: bool,
    last_id: u64,
    /// What was told last of a report that was not taken.
    told: Option<String>,
    before: Option<Traffic>,
}

impl Defender {
    pub(super) fn new(thing: &str, interval: Duration) -> Self {
        Self {
            prefix: format!("$aws/things/{thing}/defender/metrics/json"),
            rhythm: Rhythm::new(interval),
            is_connected: false,
            last_id: 0,
            told: None,
            before: None,
        }
    }

    /// The same problem comes with every report; it is told once, and again after a report that was taken.
    fn fails(&mut self, problem: String, means: &Means) {
        if self.told.as_ref() != Some(&problem) {
            self.told = Some(problem.clone());
            means.tell(Report::DefenderFailed { problem });
        }
    }
}

impl Feature for Defender {
    fn filters(&self) -> Vec<String> {
        ["accepted", "rejected"].map(|end| format!("{}/{end}", self.prefix)).to_vec()
    }

    fn connected(&mut self, _means: &mut Means) {
        self.is_connected = true;
    }

    fn disconnected(&mut self, _means: &mut Means) {
        self.is_connected = false;
    }

    fn message(&mut self, message: &Message, means: &mut Means) {
        let answer: Answer = match serde_json::from_slice(&message.payload) {
            Ok(answer) => answer,
            Err(error) => {
                return self.fails(format!("its answer cannot be read: {error}"), means);
            }
        };
        // Another device with this thing's certificate may report, too.
        if answer.report_id != Some(self.last_id) {
            return;
        }
        if message.topic.ends_with("/rejected") {
            self.fails(answer.status_details.unwrap_or_default().to_string(), means);
        } else {
            self.told = None;
            means.tell(Report::DefenderAccepted { report: self.last_id });
        }
    }

    fn tick(&mut self, means: &mut Means) {
        // Of an hour without a connection nobody wants twelve reports.
        if !self.is_connected || !self.rhythm.is_due(Instant::now()) {
            return;
        }
        // Grows also over a restart.
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        self.last_id = seconds.max(self.last_id + 1);
        let report = defender::Report::take(self.last_id, self.before);
        self.before = Traffic::now();
        if let Err(reason) = means.link.publish(&self.prefix, report.to_json()) {
            means.tell(Report::NotDelivered { reason });
        }
    }
}
