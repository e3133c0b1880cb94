//! One button, for boards without a touch screen: short for yes, longer for no, very long to unlock.

use core::time::Duration;

use crate::touch::{Meaning, Press};

/// A contact bounces this long.
const DEBOUNCE: Duration = Duration::from_millis(30);
/// From here on a press is a no.
pub const LONG: Duration = Duration::from_secs(1);
/// From here on it unlocks.
pub const VERY_LONG: Duration = Duration::from_secs(5);

/// Makes presses out of a level that is looked at now and then.
#[derive(Clone, Copy, Debug, Default)]
pub struct Button {
    /// The level that was seen last, and since when.
    seen: (bool, Duration),
    /// When the button went down for good.
    down: Option<Duration>,
    /// A very long press was told while the button is still down.
    is_told: bool,
}

impl Button {
    /// Takes the level at `now`. A press is told when the button is let go, a very long one as soon as it is one.
    pub fn poll(&mut self, is_down: bool, now: Duration) -> Option<Press> {
        if is_down != self.seen.0 {
            self.seen = (is_down, now);
        }
        if now.saturating_sub(self.seen.1) < DEBOUNCE {
            return None;
        }
        match (self.down, is_down) {
            (None, true) => {
                self.down = Some(self.seen.1);
                self.is_told = false;
                None
            }
            (Some(since), true) if !self.is_told && now.saturating_sub(since) >= VERY_LONG => {
                self.is_told = true;
                Some(Press { meaning: Meaning::Unlock, since })
            }
            (Some(since), false) => {
                self.down = None;
                let meaning =
                    if self.seen.1.saturating_sub(since) < LONG { Meaning::Allow } else { Meaning::Refuse };
                (!self.is_told).then_some(Press { meaning, since })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::*;

    /// The presses of a level that changes at these milliseconds, looked at each 10 ms.
    fn presses(changes: &[u64]) -> Vec<Press> {
        let mut button = Button::default();
        (0..1_000)
            .map(|step| step * 10)
            .filter_map(|now| {
                let is_down = changes.iter().filter(|change| **change <= now).count() % 2 == 1;
                button.poll(is_down, Duration::from_millis(now))
            })
            .collect()
    }

    fn one(meaning: Meaning, since: u64) -> [Press; 1] {
        [Press { meaning, since: Duration::from_millis(since) }]
    }

    #[test]
    fn the_length_of_a_press_is_its_meaning() {
        assert_eq!(presses(&[1_000, 1_200]), one(Meaning::Allow, 1_000));
        assert_eq!(presses(&[1_000, 1_990]), one(Meaning::Allow, 1_000));
        assert_eq!(presses(&[1_000, 2_000]), one(Meaning::Refuse, 1_000));
        assert_eq!(presses(&[1_000, 6_000]), one(Meaning::Refuse, 1_000));
        assert_eq!(presses(&[1_000, 6_010]), one(Meaning::Unlock, 1_000));
        // Told once, and letting go is nothing more.
        assert_eq!(presses(&[1_000, 9_000]), one(Meaning::Unlock, 1_000));
    }

    #[test]
    fn a_bounce_is_no_press() {
        assert_eq!(presses(&[1_000, 1_020]), []);
        assert_eq!(presses(&[1_000, 1_010, 1_020, 1_500, 1_510, 1_520]), one(Meaning::Allow, 1_020));
    }

    #[test]
    fn two_presses_are_two() {
        assert_eq!(presses(&[1_000, 1_200, 1_400, 1_600]).len(), 2);
    }
}
