//! A program that stands in for AWS, while it runs.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

use super::network::Network;
use crate::support::{Finished, Running, repository, run, target_directory};

/// So long it may take until it listens; under a second on a quiet machine.
const LONGEST_START: Duration = Duration::from_secs(60);
/// So long an answer may take. microburst reads the models of all of AWS's services when the first request comes.
const LONGEST_ANSWER: &str = "55";
/// The region that tests use unless they need a second one.
pub(crate) const REGION: &str = "us-east-1";

/// ministack, moto, or microburst in front of one of them. It is killed when this value is dropped.
#[derive(Debug)]
pub(crate) struct Double {
    running: Running,
    network: Network,
    port: u16,
    /// Where it keeps what it writes.
    folder: TempDir,
}

impl Double {
    /// Starts `program`, which listens on `port` of the loopback interface; `prepare` adds arguments and environment.
    #[track_caller]
    pub(super) fn start(
        network: Network,
        program: &str,
        port: u16,
        prepare: impl FnOnce(&mut Command),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = network.start(&installed(program));
        command.current_dir(folder.path()).env("TMPDIR", folder.path());
        prepare(&mut command);
        let running = Running::start(&mut command);
        let network = network.founded_by(running.id());
        Self { running, network, port, folder }
    }

    /// Waits until it answers on `path`.
    #[track_caller]
    pub(super) fn wait_until_it_answers(mut self, path: &str) -> Self {
        let start = Instant::now();
        loop {
            let mut request = Command::new("curl");
            request.args(["--silent", "--fail", "--output", "/dev/null", "--max-time", "5"]);
            request.arg(format!("{}{path}", self.url()));
            if run(&mut self.inside(&request)).status.success() {
                return self;
            }
            if start.elapsed() > LONGEST_START {
                panic!("it does not answer within {LONGEST_START:?}:\n{}", self.running.kill());
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// The address of its control API: what `--endpoint-url` takes.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A folder that lives as long as it does.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The network in which it is.
    pub(super) const fn network(&self) -> Network {
        self.network
    }

    /// `command` in the network of this double, where alone it can be reached, with credentials that it takes.
    pub(crate) fn inside(&self, command: &Command) -> Command {
        let mut command = self.network.inside(command);
        // Nothing of the machine's user counts, and nobody asks a machine of Amazon's who it is.
        command
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_REGION", REGION);
        command.env("AWS_EC2_METADATA_DISABLED", "true").env("HOME", self.folder());
        command.env_remove("AWS_PROFILE").env_remove("AWS_SESSION_TOKEN");
        command
    }

    /// The answer to a call of the control API, by curl: `method`, `path` with its query, and a JSON body.
    #[track_caller]
    pub(crate) fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let finished = self.request("iot", method, path, body).succeeded();
        serde_json::from_slice(&finished.stdout).unwrap_or(Value::Null)
    }

    /// curl with a signed request for `service`; it fails where the answer is an error.
    #[track_caller]
    pub(crate) fn request(&self, service: &str, method: &str, path: &str, body: Option<&Value>) -> Finished {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--fail-with-body", "--max-time", LONGEST_ANSWER]);
        curl.args(["--user", "test:test"]);
        curl.args(["--aws-sigv4", &format!("aws:amz:{REGION}:{service}"), "--request", method]);
        if let Some(body) = body {
            curl.args(["--header", "Content-Type: application/json", "--data", &body.to_string()]);
        }
        run(&mut self.inside(curl.arg(format!("{}{path}", self.url()))))
    }
}

/// A program of the environment that `tests/run` makes.
#[track_caller]
fn installed(program: &str) -> PathBuf {
    let environment = target_directory().join("cloud");
    let pinned = fs::read(repository().join("tests/cloud/requirements.txt")).unwrap();
    assert!(
        fs::read(environment.join("requirements.txt")).is_ok_and(|installed| installed == pinned),
        "{program} is not installed in {}, or not in the pinned version; `tests/run` installs it",
        environment.display()
    );
    environment.join("bin").join(program)
}
