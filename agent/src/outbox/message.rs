//! A message as it lies in the database.
//!
//! version (1), 1 byte | when it was taken, ms since 1970, 8 bytes | length of the topic, 2 bytes | topic | payload;
//! numbers are little-endian.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;

const VERSION: u8 = 1;
const HEADER: usize = 1 + 8 + 2;

/// A message out of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) taken_ms: u64,
    pub(super) topic: Box<str>,
    pub(super) payload: Bytes,
}

impl Record {
    /// Counted against `most_bytes`.
    pub(super) fn size(&self) -> u64 {
        size(&self.topic, &self.payload)
    }

    /// Appends the stored form. `None`: the topic is longer than any that MQTT knows.
    pub(super) fn encode(&self, out: &mut Vec<u8>) -> Option<()> {
        let length = u16::try_from(self.topic.len()).ok()?;
        out.push(VERSION);
        out.extend_from_slice(&self.taken_ms.to_le_bytes());
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(self.topic.as_bytes());
        out.extend_from_slice(&self.payload);
        Some(())
    }

    /// `None`: these bytes are nothing that `encode` writes.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (header, rest) = bytes.split_at_checked(HEADER)?;
        let (&version, numbers) = header.split_first()?;
        let (taken, length) = numbers.split_first_chunk::<8>()?;
        let length = u16::from_le_bytes(length.try_into().ok()?);
        let (topic, payload) = rest.split_at_checked(length.into())?;
        let topic = std::str::from_utf8(topic).ok()?.into();
        let payload = Bytes::copy_from_slice(payload);
        (version == VERSION).then_some(Self { taken_ms: u64::from_le_bytes(*taken), topic, payload })
    }
}

/// What a message counts against `most_bytes`.
pub(super) fn size(topic: &str, payload: &[u8]) -> u64 {
    u64::try_from(topic.len() + payload.len() + super::OVERHEAD).unwrap_or(u64::MAX)
}

/// 2025 in milliseconds since 1970. A clock that shows less was not set yet when the message was taken.
const CLOCK_WAS_SET: u64 = 1_735_689_600_000;

/// Whether a message that was taken then has waited longer than `longest_ms`. One that was taken by a clock that was not
/// set, as after the start of a host without a battery for its clock, has no age.
pub(super) fn is_too_old(taken_ms: u64, longest_ms: u64) -> bool {
    taken_ms >= CLOCK_WAS_SET && now_ms().saturating_sub(taken_ms) > longest_ms
}

/// Milliseconds since 1970 by the clock of this host.
pub(super) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let record =
            Record { taken_ms: 0x0102_0304, topic: "a/b".into(), payload: Bytes::from_static(b"hello") };
        let mut bytes = Vec::new();
        record.encode(&mut bytes).unwrap();
        assert_eq!(bytes, b"\x01\x04\x03\x02\x01\0\0\0\0\x03\0a/bhello");
        assert_eq!(Record::decode(&bytes), Some(record));
        for length in 0..14 {
            assert_eq!(Record::decode(&bytes[..length]), None, "{length}");
        }
        bytes[0] = 2;
        assert_eq!(Record::decode(&bytes), None);
    }

    #[test]
    fn age_counts_from_when_the_clock_was_right() {
        let now = now_ms();
        assert!(is_too_old(now - 1001, 1000));
        assert!(!is_too_old(now, 1000) && !is_too_old(now + 5000, 1000), "the clock was put back");
        assert!(!is_too_old(86_400_000, 1000), "the clock was not set");
    }
}
