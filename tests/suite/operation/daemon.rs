//! The agent as a process whose log is read while it runs.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::run;

/// How long one thing may take to happen.
pub(super) const LIMIT: Duration = Duration::from_secs(60);

/// A running agent; killed when dropped.
pub(super) struct Daemon {
    child: Child,
    lines: Receiver<String>,
    /// What was read of its log.
    pub(super) log: String,
}

impl Daemon {
    #[track_caller]
    pub(super) fn start(command: &mut Command) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let said = BufReader::new(child.stderr.take().unwrap());
        thread::spawn(move || said.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, lines, log: String::new() }
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line of its log in which `text` stands.
    #[track_caller]
    pub(super) fn says(&mut self, text: &str) -> String {
        let end = Instant::now() + LIMIT;
        while let Ok(line) = self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            self.log += &format!("{line}\n");
            if line.contains(text) {
                return line;
            }
        }
        panic!("it did not say {text:?}:\n{}", self.log);
    }

    /// Where it says that its status is: `127.0.0.1:PORT`.
    #[track_caller]
    pub(super) fn status_address(&mut self) -> String {
        let line = self.says("the status is at http://");
        line.split("http://").nth(1).unwrap().trim_end_matches('/').to_owned()
    }

    #[track_caller]
    pub(super) fn signal(&self, name: &str) {
        // A builtin of sh: minimal Debian has no program of that name.
        run(Command::new("sh").args(["-c", &format!("kill -s {name} {}", self.child.id())])).succeeded();
    }

    /// Waits for its end.
    #[track_caller]
    pub(super) fn ended(&mut self) -> ExitStatus {
        let end = Instant::now() + LIMIT;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                while let Ok(line) = self.lines.recv_timeout(Duration::from_secs(1)) {
                    self.log += &format!("{line}\n");
                }
                return status;
            }
            assert!(Instant::now() < end, "it does not end:\n{}", self.log);
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Head and body of the answer to `GET path`.
#[track_caller]
pub(super) fn get(address: &str, path: &str) -> (String, String) {
    ask(address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n"))
}

/// Head and body of the answer to a request.
#[track_caller]
pub(super) fn ask(address: &str, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    (head.to_owned(), body.to_owned())
}

#[track_caller]
pub(super) fn status(address: &str) -> Value {
    let (head, body) = get(address, "/status");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    serde_json::from_str(&body).unwrap()
}

/// Asks for the status until it fits.
#[track_caller]
pub(super) fn wait_for(address: &str, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
    let end = Instant::now() + LIMIT;
    loop {
        let status = status(address);
        if fits(&status) {
            return status;
        }
        assert!(Instant::now() < end, "no {what}: {status:#}");
        thread::sleep(Duration::from_millis(100));
    }
}
