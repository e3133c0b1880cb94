//! What all calls have in common.

use std::{error::Error as StdError, sync::Arc};

use aws_sdk_iot::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};

use super::{AwsError, Client, problem::Problem};

impl Client {
    /// The error of `operation`, as AWS's API reference names it.
    pub(super) fn failed<E>(&self, operation: &'static str, error: &SdkError<E, HttpResponse>) -> AwsError
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let problem = Problem::of(error, operation, self.place());
        AwsError::Call { operation, place: Arc::clone(&self.place), problem: Box::new(problem) }
    }

    /// The error of an answer in which something is missing that AWS always has.
    pub(super) fn incomplete(&self, operation: &'static str, member: &str) -> AwsError {
        let (host, content) = (self.place.host(), format!("an answer without {member}"));
        let problem = Box::new(Problem::NotAws { host, status: 200, content });
        AwsError::Call { operation, place: Arc::clone(&self.place), problem }
    }
}

/// Whether AWS said that there is no such thing.
pub(super) fn is_not_found<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    has_code(error, "ResourceNotFoundException")
}

/// Whether AWS said that it is there already.
pub(super) fn exists<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    has_code(error, "ResourceAlreadyExistsException")
}

fn has_code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>, code: &str) -> bool {
    error.as_service_error().and_then(ProvideErrorMetadata::code) == Some(code)
}
