//! `[jobs]`: what jobs of the cloud may do here.

use std::time::Duration;

use serde::Deserialize;

/// How long a command may take, if nothing else is said.
const LIMIT_SECONDS: u32 = 600;

/// What jobs may do. With nothing allowed the agent asks for none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Jobs {
    /// Start the machine again.
    pub reboot: bool,
    /// Start the agent again.
    pub restart_agent: bool,
    /// Let the agent log more or less.
    pub log_level: bool,
    /// Commands that may be run.
    pub commands: Vec<Command>,
    /// What starts the machine again.
    pub reboot_argv: Vec<String>,
}

/// A command that a job may name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Command {
    /// What a job calls it.
    pub name: String,
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// How long it may take.
    pub limit: Duration,
    /// Whether it may run again when nobody knows whether it did already.
    pub repeatable: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Typed {
    #[serde(default)]
    allow: Vec<Allowed>,
    #[serde(default)]
    commands: Vec<TypedCommand>,
    reboot_argv: Option<Argv>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum Allowed {
    Reboot,
    RestartAgent,
    LogLevel,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TypedCommand {
    name: String,
    argv: Argv,
    limit_seconds: Option<std::num::NonZeroU32>,
    #[serde(default)]
    repeatable: bool,
}

/// A program by its full path, and its arguments.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Vec<String>")]
struct Argv(Vec<String>);

impl TryFrom<Vec<String>> for Argv {
    type Error = String;

    fn try_from(argv: Vec<String>) -> Result<Self, String> {
        match argv.first() {
            Some(program) if program.starts_with('/') => Ok(Self(argv)),
            _ => Err("argv begins with the full path of a program, for example [\"/usr/bin/systemctl\", \"status\"]"
                .to_owned()),
        }
    }
}

impl Typed {
    pub(super) fn meant(self) -> Result<Jobs, String> {
        let allows = |allowed| self.allow.contains(&allowed);
        let mut jobs = Jobs {
            reboot: allows(Allowed::Reboot),
            restart_agent: allows(Allowed::RestartAgent),
            log_level: allows(Allowed::LogLevel),
            commands: Vec::new(),
            reboot_argv: self
                .reboot_argv
                .map_or_else(|| ["/usr/bin/systemctl", "reboot"].map(str::to_owned).to_vec(), |argv| argv.0),
        };
        for command in self.commands {
            if command.name.is_empty() || jobs.commands.iter().any(|other| other.name == command.name) {
                return Err(format!(
                    "[jobs] needs a name of its own for each command, and not {:?}",
                    command.name
                ));
            }
            jobs.commands.push(Command {
                name: command.name,
                argv: command.argv.0,
                limit: Duration::from_secs(command.limit_seconds.map_or(LIMIT_SECONDS, u32::from).into()),
                repeatable: command.repeatable,
            });
        }
        Ok(jobs)
    }
}

impl Jobs {
    /// Whether there is anything that a job may do.
    pub fn is_wanted(&self) -> bool {
        self.reboot || self.restart_agent || self.log_level || !self.commands.is_empty()
    }
}
