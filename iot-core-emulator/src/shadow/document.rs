//! The state of one shadow: merging, and the difference between what is desired and what is reported.

use serde_json::{Map, Value, json};

/// A JSON object.
pub(crate) type Object = Map<String, Value>;

/// One shadow. Times are seconds since 1970, as in AWS's metadata.
#[derive(Clone, Debug, Default)]
pub(crate) struct Document {
    desired: Section,
    reported: Section,
    pub(crate) version: u64,
    pub(crate) timestamp: u64,
}

/// `desired` or `reported`, with a tree of the same shape that holds the time of each value.
#[derive(Clone, Debug, Default)]
struct Section {
    state: Object,
    metadata: Object,
}

/// What an update asks of one section.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Change {
    /// The section is not mentioned.
    #[default]
    None,
    /// `null`: the section is removed.
    Clear,
    /// The values to merge; a `null` in it removes a value.
    Merge(Object),
}

impl Document {
    /// Applies an update and counts the version.
    pub(crate) fn update(&mut self, desired: &Change, reported: &Change, version: u64, now: u64) {
        self.desired.apply(desired, now);
        self.reported.apply(reported, now);
        self.version = version;
        self.timestamp = now;
    }

    /// `desired` and `reported`, each only if it has anything.
    pub(crate) fn state(&self) -> Value {
        self.both(|section| &section.state)
    }

    /// The times of the values, in the shape of [`Document::state`].
    pub(crate) fn metadata(&self) -> Value {
        self.both(|section| &section.metadata)
    }

    /// What is desired but not reported so, with its metadata; `None` if nothing.
    pub(crate) fn delta(&self) -> Option<(Object, Object)> {
        let state = difference(&self.desired.state, &self.reported.state);
        let metadata = pick(&self.desired.metadata, &state);
        (!state.is_empty()).then_some((state, metadata))
    }

    /// The document as `get` answers it.
    pub(crate) fn complete(&self) -> Object {
        let mut state = self.state();
        if let Some((delta, _)) = self.delta() {
            state["delta"] = Value::Object(delta);
        }
        let mut document = Object::new();
        document.insert("state".to_owned(), state);
        document.insert("metadata".to_owned(), self.metadata());
        document.insert("version".to_owned(), self.version.into());
        document.insert("timestamp".to_owned(), self.timestamp.into());
        document
    }

    fn both(&self, part: impl Fn(&Section) -> &Object) -> Value {
        let mut both = Object::new();
        for (name, section) in [("desired", &self.desired), ("reported", &self.reported)] {
            if !section.state.is_empty() {
                both.insert(name.to_owned(), Value::Object(part(section).clone()));
            }
        }
        Value::Object(both)
    }
}

impl Section {
    fn apply(&mut self, change: &Change, now: u64) {
        match change {
            Change::None => {}
            Change::Clear => *self = Self::default(),
            Change::Merge(patch) => merge(&mut self.state, &mut self.metadata, patch, now),
        }
    }
}

/// The times of everything that a patch sets.
pub(crate) fn stamps(patch: &Object, now: u64) -> Object {
    let (mut state, mut metadata) = (Object::new(), Object::new());
    merge(&mut state, &mut metadata, patch, now);
    metadata
}

/// How deep objects and arrays are nested; a plain value has depth 0.
pub(crate) fn depth(value: &Value) -> usize {
    match value {
        Value::Object(object) => 1 + object.values().map(depth).max().unwrap_or(0),
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn merge(state: &mut Object, metadata: &mut Object, patch: &Object, now: u64) {
    for (key, value) in patch {
        match value {
            Value::Null => {
                state.remove(key);
                metadata.remove(key);
            }
            Value::Object(inner) => {
                // Taken out and put back, because whatever is no object is replaced by one.
                let mut values = take_object(state, key);
                let mut times = take_object(metadata, key);
                merge(&mut values, &mut times, inner, now);
                state.insert(key.clone(), Value::Object(values));
                metadata.insert(key.clone(), Value::Object(times));
            }
            _ => {
                state.insert(key.clone(), value.clone());
                metadata.insert(key.clone(), stamp(value, now));
            }
        }
    }
}

/// Takes the object under a key; an empty one if there is none.
fn take_object(parent: &mut Object, key: &str) -> Object {
    match parent.remove(key) {
        Some(Value::Object(object)) => object,
        _ => Object::new(),
    }
}

/// The metadata of a value: arrays carry the time on each element.
fn stamp(value: &Value, now: u64) -> Value {
    match value {
        Value::Array(list) => list.iter().map(|element| stamp(element, now)).collect(),
        Value::Object(object) => {
            Value::Object(object.iter().map(|(key, inner)| (key.clone(), stamp(inner, now))).collect())
        }
        _ => json!({ "timestamp": now }),
    }
}

fn difference(desired: &Object, reported: &Object) -> Object {
    let mut delta = Object::new();
    for (key, wanted) in desired {
        match (wanted, reported.get(key)) {
            (Value::Object(wanted), Some(Value::Object(reported))) => {
                let inner = difference(wanted, reported);
                if !inner.is_empty() {
                    delta.insert(key.clone(), Value::Object(inner));
                }
            }
            (wanted, Some(reported)) if wanted == reported => {}
            (wanted, _) => {
                delta.insert(key.clone(), wanted.clone());
            }
        }
    }
    delta
}

/// The part of the metadata that belongs to these values.
fn pick(metadata: &Object, state: &Object) -> Object {
    let mut picked = Object::new();
    for (key, value) in state {
        let part = match (metadata.get(key), value) {
            (Some(Value::Object(inner)), Value::Object(value)) => Value::Object(pick(inner, value)),
            (Some(other), _) => other.clone(),
            (None, _) => continue,
        };
        picked.insert(key.clone(), part);
    }
    picked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(value: Value) -> Change {
        match value {
            Value::Object(object) => Change::Merge(object),
            _ => Change::Clear,
        }
    }

    #[test]
    fn null_deletes_and_objects_merge() {
        let mut document = Document::default();
        let first = json!({"a": {"x": 1, "y": 2}, "b": [1, 2], "c": 1});
        document.update(&change(first), &Change::None, 1, 10);
        let second = json!({"a": {"x": null, "z": 3}, "b": [3], "c": {"d": null, "e": 1}});
        document.update(&change(second), &Change::None, 2, 20);
        let expected = json!({"desired": {"a": {"y": 2, "z": 3}, "b": [3], "c": {"e": 1}}});
        assert_eq!(document.state(), expected);
        assert_eq!(
            document.metadata()["desired"]["a"],
            json!({"y": {"timestamp": 10}, "z": {"timestamp": 20}})
        );
        assert_eq!(document.metadata()["desired"]["b"], json!([{"timestamp": 20}]));
        document.update(&Change::Clear, &Change::None, 3, 30);
        assert_eq!(document.state(), json!({}));
        assert_eq!(document.version, 3);
    }

    #[test]
    fn delta_is_what_is_desired_but_not_reported() {
        let mut document = Document::default();
        let desired = change(json!({"led": "on", "net": {"mtu": 1400, "dns": "a"}, "list": [1, 2]}));
        let reported = change(json!({"led": "on", "net": {"mtu": 1500, "dns": "a"}, "extra": 1}));
        document.update(&desired, &reported, 1, 10);
        let (delta, metadata) = document.delta().unwrap();
        assert_eq!(Value::Object(delta), json!({"net": {"mtu": 1400}, "list": [1, 2]}));
        let times =
            json!({"net": {"mtu": {"timestamp": 10}}, "list": [{"timestamp": 10}, {"timestamp": 10}]});
        assert_eq!(Value::Object(metadata), times);
        assert_eq!(document.complete()["state"]["delta"]["net"]["mtu"], 1400);
        document.update(&Change::None, &change(json!({"net": {"mtu": 1400}, "list": [1, 2]})), 2, 11);
        assert!(document.delta().is_none());
    }

    #[test]
    fn depth_counts_containers() {
        assert_eq!(depth(&json!(1)), 0);
        assert_eq!(depth(&json!({"a": {"b": [1]}})), 3);
    }
}
