//! Policy documents.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::pattern::Pattern;
use super::{Action, Principal};
use crate::Error;

/// The only policy language version that AWS IoT Core takes.
const VERSION: &str = "2012-10-17";
/// The only condition key that is understood.
const IS_ATTACHED: &str = "iot:Connection.Thing.IsAttached";

/// What a statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum Effect {
    Allow,
    Deny,
}

/// A parsed policy document.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    statements: Vec<Statement>,
}

#[derive(Clone, Debug)]
struct Statement {
    effect: Effect,
    actions: Vec<Pattern>,
    resources: Vec<Pattern>,
    /// What `iot:Connection.Thing.IsAttached` must be, if the statement has that condition.
    attached: Option<bool>,
}

impl Policy {
    /// Parses a document; refuses what this emulator would not enforce.
    pub(crate) fn parse(json: &str) -> Result<Self, Error> {
        let raw: RawDocument =
            serde_json::from_str(json).map_err(|error| Error::Policy(error.to_string()))?;
        if raw.version != VERSION {
            return Err(Error::Policy(format!("Version must be {VERSION:?}, not {:?}", raw.version)));
        }
        let statements = raw.statement.into_vec().into_iter().map(RawStatement::check);
        Ok(Self { statements: statements.collect::<Result<_, _>>()? })
    }

    /// The effects of all statements that speak about this request.
    pub(super) fn effects<'a>(
        &'a self,
        action: Action,
        arn: &'a str,
        principal: Principal<'a>,
    ) -> impl Iterator<Item = Effect> + 'a {
        self.statements
            .iter()
            .filter(move |statement| {
                statement.attached.is_none_or(|wanted| wanted == principal.thing.is_some())
                    && statement.actions.iter().any(|pattern| pattern.matches(action.name(), principal))
                    && statement.resources.iter().any(|pattern| pattern.matches(arn, principal))
            })
            .map(|statement| statement.effect)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RawDocument {
    version: String,
    #[serde(rename = "Id")]
    _id: Option<String>,
    statement: OneOrMany<RawStatement>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RawStatement {
    #[serde(rename = "Sid")]
    _sid: Option<String>,
    effect: Effect,
    action: OneOrMany<String>,
    resource: OneOrMany<String>,
    #[serde(default)]
    condition: BTreeMap<String, BTreeMap<String, OneOrMany<Flag>>>,
}

impl RawStatement {
    fn check(self) -> Result<Statement, Error> {
        let patterns = |texts: OneOrMany<String>| -> Result<Vec<Pattern>, Error> {
            texts.into_vec().iter().map(|text| Pattern::parse(text)).collect()
        };
        let mut attached = None;
        for (operator, keys) in self.condition {
            for (key, flags) in keys {
                match (operator.as_str(), key.as_str(), flags.into_vec().as_slice()) {
                    ("Bool", IS_ATTACHED, [flag]) => attached = Some(flag.value()),
                    _ => {
                        return Err(Error::Policy(format!(
                            "condition {operator} on {key} is not understood"
                        )));
                    }
                }
            }
        }
        Ok(Statement {
            effect: self.effect,
            actions: patterns(self.action)?,
            resources: patterns(self.resource)?,
            attached,
        })
    }
}

/// Policy documents write a list of one as the element itself.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

/// A truth value, which the console writes as text.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Flag {
    Plain(bool),
    Text(TextFlag),
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum TextFlag {
    True,
    False,
}

impl Flag {
    fn value(self) -> bool {
        matches!(self, Self::Plain(true) | Self::Text(TextFlag::True))
    }
}
