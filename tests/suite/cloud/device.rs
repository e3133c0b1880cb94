//! The agent as a device of ministack, under the policy that `atecc register` makes: shadows, jobs and sessions.

mod jobs;
mod policy;
mod session;
mod shadow;

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::ministack::{Ministack, Policies};
use super::register::{reachable, register};
use crate::support::{Chip, Running, program, run};

/// How long one thing may take to happen.
const LIMIT: Duration = Duration::from_secs(40);

/// An account that enforces policies, and a registered chip.
struct Device {
    ministack: Ministack,
    chip: Chip,
}

impl Device {
    fn new() -> Self {
        let (chip, ministack) = (Chip::new(), Ministack::start(Policies::Enforced));
        run(register(&chip, &ministack).arg("--server-ca").arg(ministack.authority())).succeeded();
        Self { ministack, chip }
    }

    fn thing(&self) -> String {
        self.chip.common_name()
    }

    /// The running agent, with `lines` added to the configuration that registration wrote.
    fn agent(&self, lines: &str) -> Running {
        self.agent_with("", lines)
    }

    /// The same, with `first` before all tables.
    fn agent_with(&self, first: &str, lines: &str) -> Running {
        let folder = self.chip.path("agent");
        let file = reachable(&self.ministack, &folder);
        let written = fs::read_to_string(&file).unwrap();
        fs::write(&file, format!("{first}{written}[reconnect]\nlongest_seconds = 1\n{lines}")).unwrap();
        let mut command = Command::new(program("atecc-agent"));
        command.args(["run", "--config"]).arg(file);
        Running::start(&mut self.ministack.inside(&command))
    }

    /// An answer of one of the data services.
    #[track_caller]
    fn data(&self, service: &str, method: &str, path: &str, body: Option<&Value>) -> Value {
        let answer = self.ministack.request(service, method, path, body);
        serde_json::from_slice(&answer.stdout).unwrap_or_default()
    }
}

/// Waits until `found` finds something.
#[track_caller]
fn wait<T>(what: &str, found: impl Fn() -> Result<T, String>) -> T {
    let end = Instant::now() + LIMIT;
    loop {
        match found() {
            Ok(found) => return found,
            Err(instead) => assert!(Instant::now() < end, "{what}: {instead}"),
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
