//! The emulator from outside, with a real MQTT client and with bare TLS.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail by panicking, like tests"
)]

mod connect;
mod garbage;
mod messages;
mod outage;
mod shadow;
mod support;
