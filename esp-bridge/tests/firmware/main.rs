//! The whole firmware with a host on one side and an emulated chip on the other: only pins and glass are missing.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod bench;
mod rules;
mod touch;
mod wires;
