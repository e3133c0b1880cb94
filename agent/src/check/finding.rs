//! What was found.

use serde::Serialize;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// How it is.
    pub state: State,
    /// What was found.
    pub found: String,
    /// How to mend it, unless all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum State {
    /// As it should be.
    Ok,
    /// It works, and might not for long.
    Warning,
    /// It keeps the agent from its work.
    Wrong,
    /// It was not looked at.
    Skipped,
}

/// Findings, told as they are made.
pub(super) struct Findings<T> {
    tell: T,
    pub(super) list: Vec<Finding>,
}

impl<T: FnMut(&Finding)> Findings<T> {
    pub(super) fn new(tell: T) -> Self {
        Self { tell, list: Vec::new() }
    }

    pub(super) fn ok(&mut self, check: &'static str, found: impl Into<String>) {
        self.add(Finding { check, state: State::Ok, found: found.into(), fix: None });
    }

    pub(super) fn warning(&mut self, check: &'static str, found: impl Into<String>, fix: impl Into<String>) {
        self.add(Finding { check, state: State::Warning, found: found.into(), fix: Some(fix.into()) });
    }

    pub(super) fn wrong(&mut self, check: &'static str, found: impl Into<String>, fix: impl Into<String>) {
        self.add(Finding { check, state: State::Wrong, found: found.into(), fix: Some(fix.into()) });
    }

    pub(super) fn skipped(&mut self, check: &'static str, found: impl Into<String>, fix: impl Into<String>) {
        self.add(Finding { check, state: State::Skipped, found: found.into(), fix: Some(fix.into()) });
    }

    /// An error says itself what to do, behind a semicolon; one that does not has `fix`.
    pub(super) fn refused(&mut self, check: &'static str, error: &impl ToString, fix: &str) {
        let text = error.to_string();
        let (found, advice) = text.split_once("; ").unwrap_or((&text, fix));
        self.wrong(check, found, advice);
    }

    fn add(&mut self, finding: Finding) {
        (self.tell)(&finding);
        self.list.push(finding);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_advice_of_an_error_goes_before_that_of_the_check() {
        let mut told = 0;
        let mut findings = Findings::new(|_: &Finding| told += 1);
        findings.refused("a", &"no route; check the cable", "check something");
        findings.refused("b", &"no route", "check something");
        let fixes: Vec<_> = findings.list.iter().map(|finding| finding.fix.as_deref()).collect();
        assert_eq!(fixes, [Some("check the cable"), Some("check something")]);
        assert_eq!(told, 2);
    }
}
