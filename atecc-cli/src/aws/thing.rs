//! Things, and which certificates act as them.

use super::{AwsError, Client, call};

impl Client {
    /// Whether there is a thing of this name (`DescribeThing`).
    ///
    /// # Errors
    /// See [`AwsError`].
    pub(crate) async fn has_thing(&self, name: &str) -> Result<bool, AwsError> {
        match self.iot.describe_thing().thing_name(name).send().await {
            Ok(_) => Ok(true),
            Err(error) if call::is_not_found(&error) => Ok(false),
            Err(error) => Err(self.failed("DescribeThing", &error)),
        }
    }

    /// Makes a thing, unless it is there (`CreateThing`).
    ///
    /// # Errors
    /// See [`AwsError`].
    pub(crate) async fn create_thing(&self, name: &str) -> Result<(), AwsError> {
        match self.iot.create_thing().thing_name(name).send().await {
            Ok(_) => Ok(()),
            // With other attributes than none.
            Err(error) if call::exists(&error) => Ok(()),
            Err(error) => Err(self.failed("CreateThing", &error)),
        }
    }

    /// The ARNs of the certificates that act as this thing (`ListThingPrincipals`).
    ///
    /// # Errors
    /// See [`AwsError`].
    pub(crate) async fn principals(&self, thing: &str) -> Result<Vec<String>, AwsError> {
        let pages = self.iot.list_thing_principals().thing_name(thing).into_paginator().items().send();
        match pages.collect::<Result<Vec<String>, _>>().await {
            Ok(principals) => Ok(principals),
            Err(error) if call::is_not_found(&error) => Ok(Vec::new()),
            Err(error) => Err(self.failed("ListThingPrincipals", &error)),
        }
    }

    /// Lets the certificate `arn` act as this thing (`AttachThingPrincipal`). Twice is as once.
    ///
    /// # Errors
    /// See [`AwsError`].
    pub(crate) async fn attach_principal(&self, thing: &str, arn: &str) -> Result<(), AwsError> {
        let answer = self.iot.attach_thing_principal().thing_name(thing).principal(arn).send().await;
        answer.map(drop).map_err(|error| self.failed("AttachThingPrincipal", &error))
    }
}
