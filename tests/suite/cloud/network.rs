//! A network with nothing in it but the loopback interface.
//!
//! ministack's MQTT listener binds 0.0.0.0, and the network of the machine that runs the tests is not to see it.

use std::{path::Path, process::Command, sync::OnceLock};

use crate::support::run;

/// How a process gets into a network of its own.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// With the rights of root.
    Root,
    /// In a user namespace, as an ordinary user.
    User,
    /// Neither is allowed here.
    None,
}

/// The network in which a process and those that talk to it run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Network {
    way: Way,
    /// Of the first process in it, once that runs.
    process: Option<u32>,
}

impl Network {
    /// That of the machine.
    pub(crate) const fn of_machine() -> Self {
        Self { way: Way::None, process: None }
    }

    /// One of its own, which [`start`](Self::start) makes with the first process in it. Where this user may make none, it is the
    /// machine's, and a line says so.
    pub(crate) fn apart() -> Self {
        static WAY: OnceLock<Way> = OnceLock::new();
        let way = WAY.get_or_init(|| {
            let works =
                |way: &Way| way.unshare().is_some_and(|mut command| run(&mut command).status.success());
            let way = [Way::Root, Way::User].into_iter().find(works).unwrap_or(Way::None);
            if matches!(way, Way::None) {
                eprintln!(
                    "no network namespace may be made here: ministack listens on all interfaces for a while"
                );
            }
            way
        });
        Self { way: *way, process: None }
    }

    /// The command that starts `program` in it. Its process id will be that of `program`.
    pub(crate) fn start(self, program: &Path) -> Command {
        match (self.process, self.way.unshare()) {
            (None, Some(mut command)) => {
                command.arg(program);
                command
            }
            _ => self.inside(&Command::new(program)),
        }
    }

    /// The same network, now that a process runs in it, if that is its first.
    pub(crate) const fn founded_by(self, process: u32) -> Self {
        Self { process: if self.process.is_some() { self.process } else { Some(process) }, ..self }
    }

    /// Whether it is not that of the machine.
    pub(crate) const fn is_apart(self) -> bool {
        !matches!(self.way, Way::None)
    }

    /// `command`, to be run in it.
    pub(crate) fn inside(self, command: &Command) -> Command {
        let Some(process) = self.process else { return again(Command::new(command.get_program()), command) };
        let mut entered = match self.way {
            Way::None => return again(Command::new(command.get_program()), command),
            Way::Root => Command::new("nsenter"),
            Way::User => {
                let mut nsenter = Command::new("nsenter");
                nsenter.args(["--preserve-credentials", &format!("--user=/proc/{process}/ns/user")]);
                nsenter
            }
        };
        entered.args([&format!("--net=/proc/{process}/ns/net"), "--"]).arg(command.get_program());
        again(entered, command)
    }
}

impl Way {
    /// What goes before a program and its arguments, and switches the loopback interface on.
    fn unshare(self) -> Option<Command> {
        let mut command = Command::new("unshare");
        match self {
            Self::None => return None,
            Self::Root => {}
            Self::User => {
                command.args(["--user", "--map-root-user"]);
            }
        }
        command.args(["--net", "sh", "-c", "ip link set lo up && exec \"$@\"", "sh"]);
        Some(command)
    }
}

/// `start` with the arguments, the folder, and the changes of the environment of `command`.
fn again(mut start: Command, command: &Command) -> Command {
    start.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => start.env(name, value),
            None => start.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        start.current_dir(folder);
    }
    start
}
