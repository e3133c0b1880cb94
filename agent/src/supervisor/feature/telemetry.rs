//! Telemetry: the state of the host, or a text, through the outbox, again and again.

use std::time::Instant;

use super::{Feature, Means, Rhythm};
use crate::config::{self, Config, Names};
use crate::supervisor::Report;
use crate::supervisor::run::ACKNOWLEDGEMENT_LIMIT;
use crate::telemetry::Sample;

/// Publishes samples.
pub(super) struct Telemetry {
    topic: String,
    text: Option<String>,
    rhythm: Rhythm,
    next_sequence: u64,
}

impl Telemetry {
    pub(super) fn new(config: &config::Telemetry, names: &Names) -> Self {
        let (topic, text) = (names.telemetry.clone(), names.telemetry_text.clone());
        Self { topic, text, rhythm: Rhythm::new(config.interval), next_sequence: 0 }
    }
}

impl Feature for Telemetry {
    fn tuned(&mut self, config: &Config, names: &Names) {
        let next_sequence = self.next_sequence;
        *self = Self { next_sequence, ..Self::new(&config.telemetry, names) };
    }

    fn tick(&mut self, means: &mut Means) {
        if !self.rhythm.is_due(Instant::now()) {
            return;
        }
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        let payload = match &self.text {
            Some(text) => text.replace("{sequence}", &sequence.to_string()),
            None => Sample::take(sequence).to_json(),
        };
        let (outbox, topic, reports) = (means.outbox.clone(), self.topic.clone(), means.reports());
        tokio::spawn(async move {
            let report = match outbox.publish(&topic, payload).await {
                Err(reason) => Report::NotTaken { reason },
                Ok(receipt) => match receipt.acknowledged(ACKNOWLEDGEMENT_LIMIT).await {
                    Ok(acknowledgement) => Report::TelemetryAcknowledged { sequence, acknowledgement },
                    Err(reason) => Report::NotDelivered { reason },
                },
            };
            // When the agent has ended meanwhile, nobody wants to know.
            let _ = reports.send(report);
        });
    }
}
