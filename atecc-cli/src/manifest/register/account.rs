//! The registry of a real account, through the AWS SDK.

use super::registry::{CallError, Description, Registration, Registry};
use crate::aws::{AwsError, Client, Problem};

/// An account in a region; each call is made once.
#[derive(Debug)]
pub(super) struct Account(Client);

impl Account {
    /// `client` repeats no calls of its own.
    pub(super) const fn new(client: Client) -> Self {
        Self(client)
    }
}

impl Registry for Account {
    async fn register_certificate(&self, pem: &str) -> Result<Registration, CallError> {
        let (registered, is_there) = self.0.register_certificate_without_ca(pem).await?;
        Ok(match is_there {
            false => Registration::New { arn: registered.arn },
            true => Registration::AlreadyThere { id: registered.id, arn: registered.arn },
        })
    }

    async fn describe_certificate(&self, id: &str) -> Result<Description, CallError> {
        match self.0.certificate_description(id).await? {
            Some((pem, status)) => Ok(Description { pem, status }),
            None => Err(CallError::Refused(format!(
                "certificate {id} was there a moment ago and is gone; run this again"
            ))),
        }
    }

    async fn create_thing(&self, name: &str) -> Result<(), CallError> {
        Ok(self.0.create_thing(name).await?)
    }

    async fn attach_thing_principal(&self, thing: &str, certificate: &str) -> Result<(), CallError> {
        Ok(self.0.attach_principal(thing, certificate).await?)
    }

    async fn add_thing_to_thing_group(&self, thing: &str, group: &str) -> Result<(), CallError> {
        Ok(self.0.add_thing_to_thing_group(thing, group).await?)
    }

    async fn attach_policy(&self, policy: &str, target: &str) -> Result<(), CallError> {
        Ok(self.0.attach_policy(policy, target).await?)
    }
}

impl From<AwsError> for CallError {
    fn from(error: AwsError) -> Self {
        let AwsError::Call { problem, .. } = error else { return Self::Denied(error.to_string()) };
        let text = problem.to_string();
        match *problem {
            Problem::Throttled => Self::Throttled(text),
            Problem::Unavailable(_) => Self::Passing(text),
            Problem::NotAws { status, .. } if status >= 500 => Self::Passing(text),
            Problem::NoSuchHost { .. }
            | Problem::NoNetwork { .. }
            | Problem::Unreachable { .. }
            | Problem::Timeout { .. }
            | Problem::Other(_) => Self::Unreachable(text),
            Problem::Conflict(_) | Problem::NotFound(_) | Problem::Rejected { .. } | Problem::Limit(_) => {
                Self::Refused(text)
            }
            _ => Self::Denied(text),
        }
    }
}
