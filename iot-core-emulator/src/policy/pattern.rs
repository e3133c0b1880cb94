//! Patterns of actions and resources: text, `*`, `?` and policy variables.

use super::Principal;
use crate::Error;

/// A parsed pattern. Variables are kept as such, so that a `*` in a client id stays plain text.
#[derive(Clone, Debug)]
pub(super) struct Pattern(Vec<Part>);

#[derive(Clone, Copy, Debug)]
enum Part {
    Char(char),
    AnyChar,
    AnyText,
    ClientId,
    ThingName,
}

impl Pattern {
    /// Parses a pattern; refuses variables that would never be filled.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if let Some(variable) = rest.strip_prefix("${") {
                let (name, behind) = variable
                    .split_once('}')
                    .ok_or_else(|| Error::Policy(format!("a variable is not closed in {text:?}")))?;
                parts.push(match name {
                    "iot:ClientId" => Part::ClientId,
                    "iot:Connection.Thing.ThingName" => Part::ThingName,
                    _ => return Err(Error::Policy(format!("variable ${{{name}}} is not understood"))),
                });
                rest = behind;
            } else {
                parts.push(match first {
                    '*' => Part::AnyText,
                    '?' => Part::AnyChar,
                    other => Part::Char(other),
                });
                rest = &rest[first.len_utf8()..];
            }
        }
        Ok(Self(parts))
    }

    /// Whether the text fits; never if a variable has no value.
    pub(super) fn matches(&self, text: &str, principal: Principal<'_>) -> bool {
        let Some(parts) = self.filled(principal) else { return false };
        let text: Vec<char> = text.chars().collect();
        let (mut part, mut place) = (0, 0);
        // Where to go on when the newest `*` has to take one character more.
        let mut retry: Option<(usize, usize)> = None;
        while place < text.len() {
            match parts.get(part) {
                Some(Part::AnyText) => {
                    part += 1;
                    retry = Some((part, place));
                }
                Some(Part::AnyChar) => (part, place) = (part + 1, place + 1),
                Some(Part::Char(wanted)) if *wanted == text[place] => (part, place) = (part + 1, place + 1),
                _ => {
                    let Some((behind_star, taken)) = retry else { return false };
                    retry = Some((behind_star, taken + 1));
                    (part, place) = (behind_star, taken + 1);
                }
            }
        }
        parts[part..].iter().all(|part| matches!(part, Part::AnyText))
    }

    /// With variables replaced by their text.
    fn filled(&self, principal: Principal<'_>) -> Option<Vec<Part>> {
        let mut filled = Vec::with_capacity(self.0.len());
        for part in &self.0 {
            match part {
                Part::ClientId => filled.extend(principal.client_id.chars().map(Part::Char)),
                Part::ThingName => filled.extend(principal.thing?.chars().map(Part::Char)),
                other => filled.push(*other),
            }
        }
        Some(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        let nobody = Principal { client_id: "c", thing: None };
        Pattern::parse(pattern).unwrap().matches(text, nobody)
    }

    #[test]
    fn stars_and_question_marks() {
        assert!(matches("*", ""));
        assert!(matches("a*c", "abbc"));
        assert!(matches("a*c*", "acc/x"));
        assert!(matches("a?c", "abc"));
        assert!(matches("*/b", "a/b/b"));
        assert!(!matches("a?c", "ac"));
        assert!(!matches("a*c", "abcd"));
        assert!(!matches("", "a"));
        // MQTT's own wildcards are plain text in a policy.
        assert!(!matches("a/+/c", "a/b/c"));
        assert!(matches("a/+/#", "a/+/#"));
    }
}
