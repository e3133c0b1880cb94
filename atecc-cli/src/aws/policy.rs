//! What devices may do once they are connected.

use serde_json::{Value, json};

use super::{AwsError, Client, call};

/// The name of the policy that this program makes if no other is named.
pub(crate) const DEFAULT_POLICY: &str = "atecc-device";

/// The policy that ships with this program, for the account and region of the resource `arn`, such as a certificate's.
///
/// It binds a device to the thing that its certificate is attached to, and not to a client id, which a device
/// chooses: `${iot:Connection.Thing.ThingName}` is the thing whose name is the client id, and `IsAttached` demands
/// that this very certificate be attached to it (developer guide, "Thing policy variables"). Persistent sessions
/// and last wills need no more; retained messages need `iot:RetainPublish`.
pub(crate) fn device_policy(arn: &str) -> Value {
    const THING: &str = "${iot:Connection.Thing.ThingName}";
    // arn:partition:iot:region:account
    let account: Vec<&str> = arn.split(':').take(5).collect();
    let resource = |kind: &str, name: &str| format!("{}:{kind}/{name}", account.join(":"));
    // What the registry keeps for a thing: its shadows, named ones too, its jobs, and what Device Defender is told.
    let reserved = ["shadow", "jobs", "defender/metrics"].map(|part| format!("$aws/things/{THING}/{part}/*"));
    let own = format!("{THING}/*");
    let topics = |kind: &str| -> Vec<String> {
        [&own].into_iter().chain(&reserved).map(|topic| resource(kind, topic)).collect()
    };
    json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "iot:Connect",
                "Resource": resource("client", THING),
                "Condition": { "Bool": { "iot:Connection.Thing.IsAttached": ["true"] } },
            },
            { "Effect": "Allow", "Action": ["iot:Publish", "iot:Receive"], "Resource": topics("topic") },
            { "Effect": "Allow", "Action": "iot:RetainPublish", "Resource": resource("topic", &own) },
            { "Effect": "Allow", "Action": "iot:Subscribe", "Resource": topics("topicfilter") },
        ],
    })
}

impl Client {
    /// The document of the policy; `None`: there is none of this name (`GetPolicy`).
    ///
    /// # Errors
    /// See [`AwsError`].
    pub(crate) async fn policy(&self, name: &str) -> Result<Option<Value>, AwsError> {
        match self.iot.get_policy().policy_name(name).send().await {
            Ok(answer) => Ok(Some(
                answer.policy_document().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default(),
            )),
            Err(error) if call::is_not_found(&error) => Ok(None),
            Err(error) => Err(self.failed("GetPolicy", &error)),
        }
    }

    /// Makes a policy, unless one of this name is there (`CreatePolicy`).
    ///
    /// # Errors
    /// See [`AwsError`].
    pub(crate) async fn create_policy(&self, name: &str, document: &Value) -> Result<(), AwsError> {
        let request = self.iot.create_policy().policy_name(name).policy_document(document.to_string());
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if call::exists(&error) => Ok(()),
            Err(error) => Err(self.failed("CreatePolicy", &error)),
        }
    }

    /// The names of the policies of `target`, the ARN of a certificate or of a group of things
    /// (`ListAttachedPolicies`).
    ///
    /// # Errors
    /// See [`AwsError`].
    pub(crate) async fn attached_policies(&self, target: &str) -> Result<Vec<String>, AwsError> {
        let pages = self.iot.list_attached_policies().target(target).into_paginator().items().send();
        let policies = pages.collect::<Result<Vec<_>, _>>().await;
        let policies = policies.map_err(|error| self.failed("ListAttachedPolicies", &error))?;
        Ok(policies.into_iter().filter_map(|policy| policy.policy_name).collect())
    }

    /// Gives `target`, the ARN of a certificate or of a group of things, a policy (`AttachPolicy`). Twice is as once.
    ///
    /// # Errors
    /// See [`AwsError`].
    pub(crate) async fn attach_policy(&self, name: &str, target: &str) -> Result<(), AwsError> {
        let answer = self.iot.attach_policy().policy_name(name).target(target).send().await;
        answer.map(drop).map_err(|error| self.failed("AttachPolicy", &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_is_for_the_account_of_its_resource_and_for_no_client_id() {
        let text = device_policy("arn:aws-cn:iot:cn-north-1:123456789012:cert/ab").to_string();
        assert!(
            text.contains("arn:aws-cn:iot:cn-north-1:123456789012:client/${iot:Connection.Thing.ThingName}")
        );
        assert!(!text.contains("ClientId") && !text.contains("cert/"), "{text}");
        // AWS takes 2048 characters of a policy document.
        assert!(text.len() < 2048, "{}", text.len());
    }
}
