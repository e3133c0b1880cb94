//! What a job may ask for. The document of a job names one of these, and nothing in it is ever run.

use serde::Deserialize;
use serde_json::Value;

use crate::config;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// The machine starts again.
    Reboot,
    /// The agent starts again.
    RestartAgent,
    /// The agent logs more or less.
    LogLevel(String),
    /// A command of the configuration runs.
    Run(config::Command),
}

/// Why a job is not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// Its document is not one that this agent knows.
    #[error("the job document is not understood: {0}")]
    Document(serde_json::Error),
    /// The configuration does not allow it.
    #[error("{operation} is not allowed by [jobs] in the configuration of the agent")]
    NotAllowed {
        /// What was asked for.
        operation: &'static str,
    },
    /// The configuration has no such command.
    #[error("there is no command {0:?} in [jobs] of the configuration of the agent")]
    NoCommand(String),
}

#[derive(Debug, Deserialize)]
#[serde(tag = "operation", rename_all = "kebab-case", deny_unknown_fields)]
enum Document {
    Reboot {},
    RestartAgent {},
    LogLevel { level: String },
    Run { command: String },
}

impl Operation {
    /// What it is called in the document of a job.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Reboot => "reboot",
            Self::RestartAgent => "restart-agent",
            Self::LogLevel(_) => "log-level",
            Self::Run(_) => "run",
        }
    }

    /// What `document` asks for, if the configuration allows it.
    ///
    /// # Errors
    /// Why it is not done.
    pub fn of(document: &Value, config: &config::Jobs) -> Result<Self, Unfit> {
        let allowed = |allowed: bool, operation: &'static str, is: Self| {
            if allowed { Ok(is) } else { Err(Unfit::NotAllowed { operation }) }
        };
        match Document::deserialize(document).map_err(Unfit::Document)? {
            Document::Reboot {} => allowed(config.reboot, "reboot", Self::Reboot),
            Document::RestartAgent {} => allowed(config.restart_agent, "restart-agent", Self::RestartAgent),
            Document::LogLevel { level } => allowed(config.log_level, "log-level", Self::LogLevel(level)),
            Document::Run { command } => {
                let found = config.commands.iter().find(|known| known.name == command);
                found.cloned().map(Self::Run).ok_or(Unfit::NoCommand(command))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn config(text: &str) -> config::Jobs {
        let text = format!("endpoint = 'a.test'\nca_file = 'ca.pem'\n[jobs]\n{text}");
        config::Config::parse(&text, std::path::Path::new("agent.toml")).unwrap().jobs
    }

    #[test]
    fn only_what_is_allowed_is_an_operation() {
        let all = config(
            "allow = ['reboot', 'restart-agent', 'log-level']\ncommands = [{ name = 'backup', argv = ['/bin/true'] }]",
        );
        let none = config("");
        assert_eq!(Operation::of(&json!({"operation": "reboot"}), &all).unwrap(), Operation::Reboot);
        let run = json!({"operation": "run", "command": "backup"});
        assert!(
            matches!(Operation::of(&run, &all), Ok(Operation::Run(command)) if command.argv == ["/bin/true"])
        );
        for document in [
            json!({"operation": "reboot"}),
            json!({"operation": "restart-agent"}),
            json!({"operation": "log-level", "level": "debug"}),
            run,
        ] {
            let error = Operation::of(&document, &none).unwrap_err().to_string();
            assert!(error.contains("[jobs]"), "{error}");
        }
    }

    #[test]
    fn a_document_that_brings_its_own_command_is_refused() {
        let all = config("commands = [{ name = 'backup', argv = ['/bin/true'] }]");
        for document in [
            json!({"operation": "run", "command": "backup", "argv": ["rm", "-rf", "/"]}),
            json!({"operation": "run", "command": ["sh", "-c", "x"]}),
            json!({"operation": "sh"}),
            json!({"version": "1.0", "steps": []}),
            json!("reboot"),
            json!(null),
        ] {
            assert!(matches!(Operation::of(&document, &all), Err(Unfit::Document(_))), "{document}");
        }
        let missing = json!({"operation": "run", "command": "/bin/true"});
        assert!(matches!(Operation::of(&missing, &all), Err(Unfit::NoCommand(_))));
    }
}
