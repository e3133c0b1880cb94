//! The drawing of the states says what the code does, no more and no less.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{collections::BTreeSet, fs, path::Path};

use esp_bridge::{
    policy::{Refusal, Request},
    state::{Event, State},
};

const REQUEST: Request =
    Request { opcode: 0x41, slot: Some(0), digest: None, count: 1, for_ever: false, changes: false };
/// Differs from the other, so that a question that is replaced is seen to change.
const OTHER: Request = Request { slot: Some(2), ..REQUEST };

fn name(state: &State) -> &'static str {
    match state {
        State::Boot => "boot",
        State::Ready => "ready",
        State::Asking(_) => "asking",
        State::Signing(_) => "signing",
        State::Refused(_) => "refused",
        State::ChipMissing => "chip-missing",
        State::BusFault => "bus-fault",
    }
}

type Edge = (String, String, String);

/// What the code does.
fn edges() -> BTreeSet<Edge> {
    let states = [
        State::Boot,
        State::Ready,
        State::Asking(REQUEST),
        State::Signing(REQUEST),
        State::Refused(Refusal::Denied),
        State::ChipMissing,
        State::BusFault,
    ];
    let events = [
        ("chip-found", Event::ChipFound),
        ("chip-lost", Event::ChipLost),
        ("bus-failed", Event::BusFailed),
        ("asked", Event::Asked(OTHER)),
        ("started", Event::Started(OTHER)),
        ("done", Event::Done),
        ("refused", Event::Refused(Refusal::TimedOut)),
        ("rested", Event::Rested),
    ];
    let mut edges = BTreeSet::new();
    for state in states {
        for (event_name, event) in events {
            let after = state.after(event);
            let stays_missing = event == Event::ChipLost || event == Event::BusFailed;
            if after != state || stays_missing {
                edges.insert((name(&state).into(), event_name.into(), name(&after).into()));
            }
        }
    }
    edges
}

/// What the drawing shows.
fn drawn(svg: &str) -> BTreeSet<Edge> {
    let mut edges = BTreeSet::new();
    for path in svg.split("<path").skip(1).filter(|path| path.contains("data-from=")) {
        let value = |name: &str| path.split(&format!("{name}=\"")).nth(1).unwrap().split('"').next().unwrap();
        for from in value("data-from").split(' ') {
            edges.insert((from.into(), value("data-event").into(), value("data-to").into()));
        }
    }
    edges
}

#[test]
fn the_drawing_shows_what_the_code_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/screens/states.svg");
    let svg = fs::read_to_string(path).unwrap();
    assert_eq!(drawn(&svg), edges());
    for (from, _, to) in edges() {
        for state in [from, to] {
            assert!(svg.contains(&format!("data-state=\"{state}\"")), "{state} is not drawn");
        }
    }
}
