//! Quotas that every connection meets (page "AWS IoT Core endpoints and quotas", message broker).

use rumqttc::{valid_filter, valid_topic};

use crate::Reason;

/// Bytes in a payload.
const LARGEST_PAYLOAD: usize = 128 * 1024;
/// Bytes in a topic or filter.
const LONGEST_TOPIC: usize = 256;
/// Slashes in a topic or filter.
const MOST_SLASHES: usize = 7;
/// Filters in a SUBSCRIBE or UNSUBSCRIBE.
const MOST_FILTERS: usize = 8;
/// Bytes in a client id.
const LONGEST_CLIENT_ID: usize = 128;

/// Bytes that a packet may have beside its fixed header; beyond this nothing is read. Leaves room
/// for the longest string of MQTT, so that a topic that is too long is named as the reason.
pub(crate) const LARGEST_PACKET: usize = LARGEST_PAYLOAD + 65_535 + 4;

/// Checks a PUBLISH.
pub(crate) fn publish(topic: &str, payload_len: usize) -> Result<(), Reason> {
    if payload_len > LARGEST_PAYLOAD {
        return Err(Reason::PayloadTooLarge);
    }
    if !valid_topic(topic) {
        return Err(Reason::Protocol(format!("{topic:?} is no topic")));
    }
    length_and_depth(topic)
}

/// Checks the filters of a SUBSCRIBE or UNSUBSCRIBE.
pub(crate) fn filters<'f>(filters: impl ExactSizeIterator<Item = &'f str>) -> Result<(), Reason> {
    if filters.len() > MOST_FILTERS {
        return Err(Reason::TooManyFilters(filters.len()));
    }
    for filter in filters {
        if !valid_filter(filter) {
            return Err(Reason::Protocol(format!("{filter:?} is no topic filter")));
        }
        length_and_depth(filter)?;
    }
    Ok(())
}

/// Checks a client id.
pub(crate) fn client_id(id: &str) -> Result<(), Reason> {
    if (1..=LONGEST_CLIENT_ID).contains(&id.len()) { Ok(()) } else { Err(Reason::BadClientId(id.to_owned())) }
}

fn length_and_depth(topic: &str) -> Result<(), Reason> {
    // The prefix of Basic Ingest, `$aws/rules/<rule>/`, does not count.
    let counted = topic
        .strip_prefix("$aws/rules/")
        .and_then(|behind| behind.split_once('/'))
        .map_or(topic, |(_rule, behind)| behind);
    if counted.len() > LONGEST_TOPIC {
        return Err(Reason::TopicTooLong(counted.len()));
    }
    let slashes = counted.bytes().filter(|byte| *byte == b'/').count();
    if slashes > MOST_SLASHES {
        return Err(Reason::TopicTooDeep(slashes));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_have_a_length_and_a_depth() {
        assert_eq!(publish(&"t".repeat(256), 128 * 1024), Ok(()));
        assert_eq!(publish(&"t".repeat(257), 0), Err(Reason::TopicTooLong(257)));
        assert_eq!(publish("t", 128 * 1024 + 1), Err(Reason::PayloadTooLarge));
        assert_eq!(publish("1/2/3/4/5/6/7/8", 0), Ok(()));
        assert_eq!(publish("1/2/3/4/5/6/7/8/9", 0), Err(Reason::TopicTooDeep(8)));
        assert_eq!(publish("$aws/rules/store/1/2/3/4/5/6/7/8", 0), Ok(()));
        assert_eq!(publish("$aws/things/t/shadow/name/n/update/documents", 0), Ok(()));
        assert!(matches!(publish("a/#", 0), Err(Reason::Protocol(_))));
    }

    #[test]
    fn a_subscribe_has_eight_filters() {
        let many = |count| filters(vec!["a/+/#"; count].into_iter());
        assert_eq!(many(8), Ok(()));
        assert_eq!(many(9), Err(Reason::TooManyFilters(9)));
        assert!(matches!(filters(["a/#/b"].into_iter()), Err(Reason::Protocol(_))));
    }
}
