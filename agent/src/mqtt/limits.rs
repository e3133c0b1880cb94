//! What AWS IoT Core takes (page "AWS IoT Core endpoints and quotas").
//!
//! It cuts the connection for a message beyond these, and at QoS 1 the message would be sent again on the
//! next one: a single bad message would keep a gateway off line for ever. So it is refused before it is taken.

use super::Error;

/// Bytes of a payload.
pub const MAX_PAYLOAD: usize = 128 * 1024;
/// Bytes of a topic.
pub(super) const MAX_TOPIC: usize = 256;
/// Slashes in a topic, beyond those of a reserved prefix.
const MAX_SLASHES: usize = 7;
/// Filters in one SUBSCRIBE.
pub(super) const MAX_FILTERS: usize = 8;

/// Whether a message may be sent at all.
pub(crate) fn check_message(topic: &str, payload: &[u8]) -> Result<(), Error> {
    check_topic(topic, false).map_err(|problem| Error::Topic { topic: topic.to_owned(), problem })?;
    if payload.len() > MAX_PAYLOAD {
        return Err(Error::PayloadTooLarge { topic: topic.to_owned(), bytes: payload.len() });
    }
    Ok(())
}

/// Whether `topic` is one that may be published to, or with `wildcards` a filter that may be subscribed to.
///
/// # Errors
/// What is wrong with it.
pub fn check_topic(topic: &str, wildcards: bool) -> Result<(), &'static str> {
    // Reserved topics carry their own prefix of up to three levels ("$aws/things/name/"). That of Basic Ingest
    // ("$aws/rules/name/") counts for nothing at all.
    let free = if topic.starts_with("$aws/") { 3 } else { 0 };
    let counted = match topic.strip_prefix("$aws/rules/").and_then(|rest| rest.split_once('/')) {
        Some((_, rest)) if !wildcards => rest.len(),
        _ => topic.len(),
    };
    if topic.is_empty() {
        return Err("it is empty");
    }
    if topic.contains('\0') {
        return Err("it contains a zero byte");
    }
    if counted > MAX_TOPIC || topic.len() > usize::from(u16::MAX) {
        return Err("it is longer than the 256 bytes that AWS allows");
    }
    if topic.matches('/').count() > MAX_SLASHES + free {
        return Err("it has more than the 7 slashes that AWS allows");
    }
    let mut levels = topic.split('/').peekable();
    while let Some(level) = levels.next() {
        let wildcard = level == "+" || (level == "#" && levels.peek().is_none());
        if level.contains(['+', '#']) && !(wildcards && wildcard) {
            return Err(if wildcards {
                "`+` must stand alone between slashes, and `#` alone at the end"
            } else {
                "wildcards (`+`, `#`) belong in subscriptions only"
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_to_publish_to() {
        for good in ["a", "a/b/c/d/e/f/g/h", "$aws/things/x/shadow/name/y/update/accepted", "/", "a b"] {
            assert!(check_topic(good, false).is_ok(), "{good}");
        }
        let long = "x".repeat(257);
        let basic_ingest = format!("$aws/rules/{}/a/b/c/d/e/f/g/h", "r".repeat(250));
        assert!(check_topic(&basic_ingest, false).is_ok());
        assert!(check_topic(&format!("$aws/rules/r/{long}"), false).is_err());
        for bad in ["", "a/+/b", "#", "a/b/c/d/e/f/g/h/i", "a\0b", &long] {
            assert!(check_topic(bad, false).is_err(), "{bad}");
        }
    }

    #[test]
    fn filters_to_subscribe_to() {
        for good in ["#", "+", "a/+/b", "a/#", "+/+"] {
            assert!(check_topic(good, true).is_ok(), "{good}");
        }
        for bad in ["a/#/b", "a+", "a/b#", "##"] {
            assert!(check_topic(bad, true).is_err(), "{bad}");
        }
    }

    #[test]
    fn payloads() {
        assert!(check_message("t", &[0; MAX_PAYLOAD]).is_ok());
        assert!(matches!(check_message("t", &[0; MAX_PAYLOAD + 1]), Err(Error::PayloadTooLarge { .. })));
    }
}
