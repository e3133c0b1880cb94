//! The control API of AWS IoT Core: one account in one region at a time, a function per call, and one place where what
//! AWS refuses becomes a sentence.
//!
//! [`Options`] are the arguments of a verb that registers. They give a [`Client`] for each account and region, which is
//! cheap to clone and whose calls may run side by side. Calls can be repeated: what is there already is found.

mod authority;
mod call;
mod certificate;
mod client;
mod clock;
mod endpoint;
mod error;
mod group;
mod options;
mod policy;
mod problem;
mod thing;

pub(crate) use authority::{Authority, Entrance};
pub(crate) use certificate::{Registered, Status};
pub(crate) use client::{Client, Place};
pub(crate) use error::AwsError;
pub(crate) use options::Options;
pub(crate) use policy::{DEFAULT_POLICY, device_policy};
pub(crate) use problem::Problem;

use tokio::runtime::{Builder, Runtime};

use crate::error::Error;

/// Runs what waits for AWS, on this thread, to its end.
pub(crate) fn run<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    runtime()?.block_on(work)
}

/// What waits for AWS, on the thread that asks it to.
pub(crate) fn runtime() -> Result<Runtime, AwsError> {
    Builder::new_current_thread().enable_all().build().map_err(AwsError::Runtime)
}
