//! Groups of things, which a policy can be attached to once for all.

use super::{AwsError, Client, call};

impl Client {
    /// The ARN of the group; `None`: there is none of this name (`DescribeThingGroup`).
    ///
    /// # Errors
    /// See [`AwsError`].
    pub(crate) async fn thing_group(&self, name: &str) -> Result<Option<String>, AwsError> {
        const OPERATION: &str = "DescribeThingGroup";
        match self.iot.describe_thing_group().thing_group_name(name).send().await {
            Ok(answer) => match answer.thing_group_arn {
                Some(arn) => Ok(Some(arn)),
                None => Err(self.incomplete(OPERATION, "thingGroupArn")),
            },
            Err(error) if call::is_not_found(&error) => Ok(None),
            Err(error) => Err(self.failed(OPERATION, &error)),
        }
    }

    /// Makes a group, unless it is there, and gives its ARN (`CreateThingGroup`).
    ///
    /// # Errors
    /// See [`AwsError`].
    pub(crate) async fn create_thing_group(&self, name: &str) -> Result<String, AwsError> {
        const OPERATION: &str = "CreateThingGroup";
        let answer = self.iot.create_thing_group().thing_group_name(name).send().await;
        let answer = answer.map_err(|error| self.failed(OPERATION, &error))?;
        answer.thing_group_arn.ok_or_else(|| self.incomplete(OPERATION, "thingGroupArn"))
    }

    /// Adds a thing to a group (`AddThingToThingGroup`). Twice is as once.
    ///
    /// # Errors
    /// See [`AwsError`].
    pub(crate) async fn add_thing_to_thing_group(&self, thing: &str, group: &str) -> Result<(), AwsError> {
        let request = self.iot.add_thing_to_thing_group().thing_name(thing).thing_group_name(group);
        let answer = request.send().await;
        answer.map(drop).map_err(|error| self.failed("AddThingToThingGroup", &error))
    }
}
