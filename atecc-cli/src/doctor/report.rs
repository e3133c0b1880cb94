//! What was found.

use serde::Serialize;

use crate::{error::Error, output};

/// Findings, printed as they come or, as JSON, at the end.
#[derive(Debug)]
pub(super) struct Report {
    json: bool,
    findings: Vec<Finding>,
}

#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    state: State,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    /// It works, and might not for long.
    Warning,
    Wrong,
}

/// The JSON document.
#[derive(Serialize)]
struct Document<'a> {
    healthy: bool,
    findings: &'a [Finding],
}

impl Report {
    pub(super) const fn new(json: bool) -> Self {
        Self { json, findings: Vec::new() }
    }

    pub(super) fn ok(&mut self, check: &'static str, found: impl Into<String>) -> Result<(), Error> {
        self.add(Finding { check, state: State::Ok, found: found.into(), fix: None })
    }

    pub(super) fn warning(
        &mut self,
        check: &'static str,
        found: impl Into<String>,
        fix: impl Into<String>,
    ) -> Result<(), Error> {
        self.add(Finding { check, state: State::Warning, found: found.into(), fix: Some(fix.into()) })
    }

    pub(super) fn wrong(
        &mut self,
        check: &'static str,
        found: impl Into<String>,
        fix: impl Into<String>,
    ) -> Result<(), Error> {
        self.add(Finding { check, state: State::Wrong, found: found.into(), fix: Some(fix.into()) })
    }

    /// The last word.
    pub(super) fn finish(self) -> Result<(), Error> {
        let healthy = self.findings.iter().all(|finding| finding.state != State::Wrong);
        if self.json {
            output::json(&Document { healthy, findings: &self.findings })?;
        }
        if healthy { Ok(()) } else { Err(Error::Unhealthy) }
    }

    fn add(&mut self, finding: Finding) -> Result<(), Error> {
        if !self.json {
            output::text(&finding.lines(), None)?;
        }
        self.findings.push(finding);
        Ok(())
    }
}

impl Finding {
    fn lines(&self) -> String {
        let state = match self.state {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Wrong => "WRONG",
        };
        let mut lines = format!("{state:<9}{:<14}{}\n", self.check, self.found);
        if let Some(fix) = &self.fix {
            lines += &format!("{:<9}{:<14}{fix}\n", "", "to mend it:");
        }
        lines
    }
}
