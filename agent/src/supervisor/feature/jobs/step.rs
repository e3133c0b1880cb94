//! The steps of one execution, and with which of them a process begins that finds it under way.

use crate::jobs::{Details, Operation, Status};

/// How often a reboot is tried.
const REBOOTS: u8 = 2;

/// How far an execution is.
#[derive(Debug)]
pub(super) enum Step {
    /// It is to be said that it begins.
    Announce(Operation, Details),
    /// It is under way.
    Work(Operation),
    /// How it ended is to be said.
    Tell(Status, Details),
}

impl Step {
    /// The first step of `operation`, of which the service was told `before`; this process is called `process`.
    pub(super) fn first(operation: Operation, before: &Details, process: &str) -> Self {
        let boot = boot();
        let mut attempt = 1;
        if let Some(told_by) = before.get("process") {
            let succeeded = || Self::Tell(Status::Succeeded, Details::new());
            attempt = before
                .get("attempt")
                .and_then(|attempt| attempt.parse().ok())
                .unwrap_or(1_u8)
                .saturating_add(1);
            match &operation {
                Operation::Reboot if before.get("boot") != Some(&boot) => return succeeded(),
                Operation::Reboot if attempt > REBOOTS => {
                    let why = "the machine was told to start again, and did not: its boot id is the same";
                    return Self::Tell(Status::Failed, reason(why));
                }
                Operation::RestartAgent if told_by != process => return succeeded(),
                Operation::Run(command) if !command.repeatable => {
                    let why = "the agent ended while the command ran; whether it was done is not known";
                    return Self::Tell(Status::Failed, reason(why));
                }
                _ => {}
            }
        }
        let details = [
            ("operation", operation.name().to_owned()),
            ("process", process.to_owned()),
            ("boot", boot),
            ("attempt", attempt.to_string()),
        ];
        Self::Announce(operation, details.map(|(name, value)| (name.to_owned(), value)).into())
    }
}

/// Says why, within what AWS takes.
pub(super) fn reason(why: &str) -> Details {
    let why = why.chars().filter(|character| !character.is_control()).take(1000).collect();
    Details::from([("reason".to_owned(), why)])
}

/// Tells one run of the machine from the next (random(4)); "unknown" where the kernel does not say.
fn boot() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    Some(id.trim().to_owned()).filter(|id| !id.is_empty()).unwrap_or_else(|| "unknown".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// This process, and the one after it.
    const NOW: &str = "now";
    const LATER: &str = "later";

    /// What the service was told of it now.
    fn details(operation: Operation, boot: Option<&str>, attempt: &str) -> Details {
        let Step::Announce(_, mut details) = Step::first(operation, &Details::new(), NOW) else {
            unreachable!()
        };
        details.insert("attempt".to_owned(), attempt.to_owned());
        if let Some(boot) = boot {
            details.insert("boot".to_owned(), boot.to_owned());
        }
        details
    }

    #[test]
    fn a_reboot_is_done_when_the_machine_has_another_boot_id() {
        let other = details(Operation::Reboot, Some("another"), "1");
        assert!(matches!(Step::first(Operation::Reboot, &other, LATER), Step::Tell(Status::Succeeded, _)));
        let same = details(Operation::Reboot, None, "1");
        assert!(matches!(Step::first(Operation::Reboot, &same, LATER), Step::Announce(..)));
        let again = details(Operation::Reboot, None, "2");
        assert!(
            matches!(Step::first(Operation::Reboot, &again, LATER), Step::Tell(Status::Failed, _)),
            "no endless reboots"
        );
    }

    #[test]
    fn a_restart_of_the_agent_is_done_when_another_process_asks() {
        let told = details(Operation::RestartAgent, None, "1");
        assert!(matches!(
            Step::first(Operation::RestartAgent, &told, LATER),
            Step::Tell(Status::Succeeded, _)
        ));
        assert!(matches!(Step::first(Operation::RestartAgent, &told, NOW), Step::Announce(..)));
    }
}
