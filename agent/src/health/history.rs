//! The last minutes, as a chart wants them.

use std::collections::VecDeque;
use std::time::Instant;

use serde::Serialize;

/// Samples that are kept: ten minutes.
const SAMPLES: usize = 600;

/// A sample a second, the oldest first.
#[derive(Clone, Debug, Serialize)]
pub struct History {
    /// Seconds from one sample to the next.
    every_seconds: u32,
    /// Messages a second that the server acknowledged.
    rate: VecDeque<f32>,
    /// Messages that waited for the server.
    backlog: VecDeque<u64>,
    #[serde(skip)]
    last: Option<(Instant, u64)>,
}

impl Default for History {
    fn default() -> Self {
        Self { every_seconds: 1, rate: VecDeque::new(), backlog: VecDeque::new(), last: None }
    }
}

impl History {
    /// Takes a sample: how many messages were delivered up to now, and how many wait.
    pub(super) fn add(&mut self, now: Instant, delivered: u64, waiting: u64) {
        if let Some((then, before)) = self.last.replace((now, delivered)) {
            let seconds = now.saturating_duration_since(then).as_secs_f32().max(0.001);
            // Counts of one second are exact in an f32.
            let rate = delivered.saturating_sub(before) as f32 / seconds;
            push(&mut self.rate, (rate * 10.0).round() / 10.0);
            push(&mut self.backlog, waiting);
        }
    }
}

fn push<T>(samples: &mut VecDeque<T>, sample: T) {
    if samples.len() == SAMPLES {
        samples.pop_front();
    }
    samples.push_back(sample);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_sample_is_what_came_since_the_one_before() {
        let (mut history, start) = (History::default(), Instant::now());
        history.add(start, 5, 100);
        history.add(start + Duration::from_secs(1), 15, 90);
        // The next one was late.
        history.add(start + Duration::from_secs(3), 18, 87);
        assert_eq!(history.rate, [10.0, 1.5]);
        assert_eq!(history.backlog, [90, 87]);
    }

    #[test]
    fn it_does_not_grow_for_ever() {
        let (mut history, start) = (History::default(), Instant::now());
        for second in 0..2_000 {
            history.add(start + Duration::from_secs(second), second, second);
        }
        assert_eq!((history.rate.len(), history.backlog.len()), (SAMPLES, SAMPLES));
        assert_eq!(history.backlog.back(), Some(&1_999));
    }
}
