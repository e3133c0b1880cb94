//! When a touch is asked for, and which touches count.

use core::time::Duration;

/// When the use of a key needs a touch. Changes of the chip always do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TouchPolicy {
    /// Each transaction that uses a key.
    #[default]
    Always,
    /// The first, and then again when this long has passed since the last touch.
    Every(Duration),
    /// Never: for a gateway that must reconnect with nobody near.
    Never,
}

impl TouchPolicy {
    /// "always", "never", or a number of minutes from 1 to 1440.
    pub const fn parse(text: &str) -> Option<Self> {
        let digits = match text.as_bytes() {
            b"always" => return Some(Self::Always),
            b"never" => return Some(Self::Never),
            digits => digits,
        };
        // Of more than four digits none is a number of minutes in a day.
        if digits.is_empty() || digits.len() > 4 {
            return None;
        }
        let (mut minutes, mut at) = (0, 0);
        while at < digits.len() {
            if !digits[at].is_ascii_digit() {
                return None;
            }
            minutes = 10 * minutes + (digits[at] - b'0') as u64;
            at += 1;
        }
        match minutes {
            1..=1440 => Some(Self::Every(Duration::from_secs(60 * minutes))),
            _ => None,
        }
    }

    /// The policy of a firmware that is built with `text` in `ATECC_TOUCH`, or without. For a `const`, so that what
    /// is not understood ends the build, and nobody flashes another policy than they wrote:
    ///
    /// ```
    /// # use esp_bridge::touch::TouchPolicy;
    /// const TOUCH: TouchPolicy = TouchPolicy::at_build(Some("never"));
    /// assert_eq!(TOUCH, TouchPolicy::Never);
    /// ```
    ///
    /// ```compile_fail,E0080
    /// # use esp_bridge::touch::TouchPolicy;
    /// const TOUCH: TouchPolicy = TouchPolicy::at_build(Some("newer"));
    /// # assert_eq!(TOUCH, TouchPolicy::Never);
    /// ```
    ///
    /// # Panics
    /// When `text` is not understood: while compiling.
    #[allow(clippy::panic, reason = "in a constant it is an error of the compiler, and no code")]
    pub const fn at_build(text: Option<&str>) -> Self {
        let Some(text) = text else { return Self::Always };
        match Self::parse(text) {
            Some(policy) => policy,
            None => panic!("ATECC_TOUCH is not understood; write always, never, or minutes from 1 to 1440"),
        }
    }

    /// Whether a key may be used at `now` without a touch, when the last one was at `touched`.
    pub fn is_satisfied(self, touched: Option<Duration>, now: Duration) -> bool {
        match self {
            Self::Always => false,
            Self::Every(period) => touched.is_some_and(|touched| now.saturating_sub(touched) < period),
            Self::Never => true,
        }
    }
}

/// How long a question stays open. Shorter than what the host waits for at most.
pub const QUESTION_LIMIT: Duration = Duration::from_secs(30);

/// A touch that began sooner after the question appeared was meant for something else.
pub const GUARD: Duration = Duration::from_millis(400);

/// How long changes stay unlocked.
pub const UNLOCK_LIMIT: Duration = Duration::from_secs(60);

/// What somebody did at the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Press {
    /// What it means.
    pub meaning: Meaning,
    /// When the finger came down.
    pub since: Duration,
}

/// What a press stands for, on whatever the device has for fingers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Yes.
    Allow,
    /// No.
    Refuse,
    /// Let the chip be changed for a while; a long press that nobody makes by accident.
    Unlock,
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn the_policy_is_read_from_a_word_or_minutes() {
        assert_eq!(TouchPolicy::parse("always"), Some(TouchPolicy::Always));
        assert_eq!(TouchPolicy::parse("never"), Some(TouchPolicy::Never));
        assert_eq!(TouchPolicy::parse("5"), Some(TouchPolicy::Every(5 * MINUTE)));
        assert_eq!(TouchPolicy::parse("1440"), Some(TouchPolicy::Every(1440 * MINUTE)));
        assert_eq!(TouchPolicy::at_build(None), TouchPolicy::Always);
        for wrong in ["", "0", "1441", "-1", "+5", "Always", "5m", "18446744073709551617"] {
            assert_eq!(TouchPolicy::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_touch_lasts_as_long_as_the_policy_says() {
        let touched = Some(Duration::from_secs(100));
        let every = TouchPolicy::Every(MINUTE);
        assert!(!every.is_satisfied(None, MINUTE));
        assert!(every.is_satisfied(touched, Duration::from_secs(159)));
        assert!(!every.is_satisfied(touched, Duration::from_secs(160)));
        assert!(!TouchPolicy::Always.is_satisfied(touched, Duration::from_secs(100)));
        assert!(TouchPolicy::Never.is_satisfied(None, Duration::ZERO));
    }
}
