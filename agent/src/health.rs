//! How the agent is, for those who look after it: a page for people, JSON for programs, metrics for Prometheus.
//!
//! [`Monitor`] collects: what the supervisor reports, and each warning that is logged ([`Problems`]). [`Server`] answers
//! requests on a loopback port or a Unix socket, on a thread of its own, so that nobody who asks can hold up the rest.

mod answer;
mod history;
mod http;
mod metrics;
mod monitor;
mod problems;
mod server;
mod status;

pub use monitor::Monitor;
pub use problems::Problems;
pub use server::{Error, Server};
pub use status::Status;
