//! Why a call of AWS did not succeed.

use std::{io, sync::Arc};

use super::{Place, problem::Problem};

/// An error whose text says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum AwsError {
    #[error(
        "no region is named{}; add --region, such as --region eu-central-1, set AWS_REGION, or write it into the \
         profile with `aws configure`",
        profile.as_ref().map(|name| format!(" for profile {name}")).unwrap_or_default()
    )]
    NoRegion { profile: Option<String> },
    #[error("{region:?} is no region; correct --region, AWS_REGION or the profile, such as eu-central-1")]
    NotARegion { region: String },
    #[error("{operation} in {place}: {problem}")]
    Call { operation: &'static str, place: Arc<Place>, problem: Box<Problem> },
    #[error("cannot wait for the network: {0}; is the number of open files limited (`ulimit -n`)?")]
    Runtime(#[source] io::Error),
}
