//! The emulator from outside, with a real MQTT client and with bare TLS.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail by panicking, like tests"
)]

mod accounts;
mod connect;
mod garbage;
mod just_in_time;
mod messages;
mod outage;
mod provisioning;
mod shadow;
mod support;
mod throttles;
