//! Whether this machine's clock is what AWS has against a request.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use aws_sdk_iot::{
    config::http::HttpResponse,
    primitives::{DateTime, DateTimeFormat},
};

/// AWS takes signatures that are up to five minutes old or early (Signature Version 4).
const TOLERANCE: Duration = Duration::from_secs(240);

/// How far this machine's clock is off, as far as can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Skew {
    /// Behind the clock of AWS.
    Slow(Duration),
    /// Before it.
    Fast(Duration),
    /// Nobody said how much.
    Unknown,
    /// The certificate of this host is not valid today.
    Certificate(String),
}

impl Skew {
    /// By the `Date` of an answer (RFC 9110, section 6.6.1).
    pub(super) fn of(answer: &HttpResponse) -> Self {
        let date = answer.headers().get("date");
        let date = date.and_then(|text| DateTime::from_str(text, DateTimeFormat::HttpDate).ok());
        let there = date.and_then(|date| SystemTime::try_from(date).ok());
        there.map_or(Self::Unknown, |there| Self::between(SystemTime::now(), there))
    }

    fn between(here: SystemTime, there: SystemTime) -> Self {
        match here.duration_since(there) {
            Ok(fast) => Self::Fast(fast),
            Err(error) => Self::Slow(error.duration()),
        }
    }

    /// Whether it is more than AWS tolerates.
    pub(super) fn is_large(&self) -> bool {
        matches!(self, Self::Slow(time) | Self::Fast(time) if *time > TOLERANCE)
    }
}

/// The beginning of a sentence.
impl fmt::Display for Skew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slow(time) if self.is_large() => {
                write!(f, "this machine's clock is {} behind that of AWS", Rough(*time))
            }
            Self::Fast(time) if self.is_large() => {
                write!(f, "this machine's clock is {} ahead of that of AWS", Rough(*time))
            }
            Self::Certificate(host) => write!(
                f,
                "by this machine's clock the certificate of {host} is not valid, so the clock is wrong"
            ),
            _ => f.write_str("AWS finds the time of the request wrong, so this machine's clock is"),
        }
    }
}

/// A time in its largest unit.
struct Rough(Duration);

impl fmt::Display for Rough {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.0.as_secs() / 60;
        let (number, unit) = match minutes {
            0..=119 => (minutes, "minutes"),
            120..=2_879 => (minutes / 60, "hours"),
            _ => (minutes / 1_440, "days"),
        };
        write!(f, "{number} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_is_told_in_days_and_two_minutes_are_tolerated() {
        let now = SystemTime::now();
        let year = Duration::from_secs(365 * 86_400);
        let slow = Skew::between(now - year, now);
        assert_eq!(slow.to_string(), "this machine's clock is 365 days behind that of AWS");
        assert!(slow.is_large());
        let fast = Skew::between(now, now - Duration::from_secs(3 * 3600));
        assert_eq!(fast.to_string(), "this machine's clock is 3 hours ahead of that of AWS");
        assert!(!Skew::between(now, now - Duration::from_secs(120)).is_large());
    }
}
