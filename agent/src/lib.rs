//! The gateway daemon: telemetry, commands and the device shadow over MQTT, with a key that stays in the chip.
//!
//! [`supervisor`] wires the rest: a token opens the chip, [`tls`] turns it into a client identity, [`mqtt`]
//! keeps one connection to the server alive, [`outbox`] keeps what the server does not have yet, [`local`] takes
//! messages from programs on this machine, [`shadow`] speaks AWS's device shadow over it, [`gpio`] is what a
//! shadow switches, [`provision`] gets a certificate for a gateway that has none, [`health`] tells those who look after it
//! how it is, [`check`] what keeps it from its cloud, and [`config`] says how. [`tunnel`] stands beside
//! them: mutual TLS for programs that have no way to the key. The program `atecc-agent` adds a command line and nothing
//! else.
#![forbid(unsafe_code)]

pub mod check;
pub mod config;
pub mod defender;
pub mod dial;
pub mod gpio;
pub mod health;
pub mod jobs;
pub mod key;
pub mod local;
pub mod mqtt;
pub mod outbox;
pub mod provision;
pub mod shadow;
mod socket;
pub mod supervisor;
pub mod telemetry;
pub mod tls;
pub mod tunnel;
