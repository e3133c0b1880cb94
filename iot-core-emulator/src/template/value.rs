//! Values in a template: text, references to parameters, and intrinsic functions of them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Parameters;
use crate::Error;

/// The functions that fleet provisioning templates may use (developer guide, "Intrinsic functions").
const FUNCTIONS: [&str; 5] = ["Fn::Join", "Fn::Select", "Fn::FindInMap", "Fn::Split", "Fn::Sub"];

/// What values refer to.
pub(super) struct Scope<'a> {
    pub(super) parameters: &'a Parameters,
    pub(super) mappings: &'a Value,
}

/// Whether every reference is to a declared parameter and every function is one that may stand here.
pub(super) fn check(
    value: &Value,
    declared: &BTreeMap<String, Option<String>>,
    functions: bool,
) -> Result<(), Error> {
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| check(item, declared, functions)),
        Value::Object(members) => {
            members.iter().try_for_each(|(name, member)| match (name.as_str(), member) {
                ("Ref", Value::String(parameter)) if declared.contains_key(parameter) => Ok(()),
                ("Ref", other) => {
                    Err(Error::Template(format!("Ref to {other}, which is no declared parameter")))
                }
                (name, _) if name.starts_with("Fn::") && !functions => {
                    Err(Error::Template(format!("{name}: functions belong to fleet provisioning templates")))
                }
                (name, _) if name.starts_with("Fn::") && !FUNCTIONS.contains(&name) => {
                    Err(Error::Template(format!("{name} is no function of templates")))
                }
                _ => check(member, declared, functions),
            })
        }
        _ => Ok(()),
    }
}

impl Scope<'_> {
    /// The text that a value stands for.
    pub(super) fn text(&self, value: &Value) -> Result<String, String> {
        match self.evaluate(value)? {
            Value::String(text) => Ok(text),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(flag) => Ok(flag.to_string()),
            other => Err(format!("{other} is no text")),
        }
    }

    fn list(&self, value: &Value) -> Result<Vec<Value>, String> {
        match self.evaluate(value)? {
            Value::Array(items) => Ok(items),
            other => Err(format!("{other} is no list")),
        }
    }

    fn texts(&self, value: &Value) -> Result<Vec<String>, String> {
        self.list(value)?.iter().map(|item| self.text(item)).collect()
    }

    fn evaluate(&self, value: &Value) -> Result<Value, String> {
        let Value::Object(members) = value else { return Ok(value.clone()) };
        let mut members = members.iter();
        let (Some((function, argument)), None) = (members.next(), members.next()) else {
            return Err(format!("{value} is neither text nor one function"));
        };
        let arguments = argument.as_array().map(Vec::as_slice);
        match (function.as_str(), arguments) {
            ("Ref", _) => {
                let name = argument.as_str().unwrap_or_default();
                self.parameters.get(name).cloned().map(Value::String).ok_or(format!("no parameter {name}"))
            }
            ("Fn::Join", Some([between, items])) => Ok(self.texts(items)?.join(&self.text(between)?).into()),
            ("Fn::Split", Some([at, text])) => {
                let (at, text) = (self.text(at)?, self.text(text)?);
                Ok(text.split(&at).map(Value::from).collect())
            }
            ("Fn::Select", Some([index, items])) => {
                let index: usize = self.text(index)?.parse().map_err(|_| format!("{index} is no index"))?;
                let items = self.list(items)?;
                items.get(index).cloned().ok_or(format!("Fn::Select: no item {index} in {}", items.len()))
            }
            ("Fn::FindInMap", Some([map, first, second])) => {
                let keys = [self.text(map)?, self.text(first)?, self.text(second)?];
                let found = keys.iter().try_fold(self.mappings, |map, key| map.get(key));
                found.cloned().ok_or_else(|| format!("Fn::FindInMap: nothing at {}", keys.join(", ")))
            }
            ("Fn::Sub", None) => self.substitute(&self.text(argument)?, &Parameters::new()),
            ("Fn::Sub", Some([text, Value::Object(own)])) => {
                let own: Result<Parameters, String> =
                    own.iter().map(|(name, value)| Ok((name.clone(), self.text(value)?))).collect();
                self.substitute(&self.text(text)?, &own?)
            }
            (function, _) => Err(format!("{function} with {argument}: that is not how it is used")),
        }
    }

    /// Replaces each `${name}`.
    fn substitute(&self, text: &str, own: &Parameters) -> Result<Value, String> {
        let mut done = String::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("${") {
            let (name, after) = behind.split_once('}').ok_or("Fn::Sub: a `${` without `}`")?;
            let value = own.get(name).or_else(|| self.parameters.get(name));
            done.push_str(before);
            done.push_str(value.ok_or_else(|| format!("Fn::Sub: no variable {name}"))?);
            rest = after;
        }
        Ok((done + rest).into())
    }
}
