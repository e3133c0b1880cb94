//! Processes that never outlive their time limit, or the test.

use std::{
    io::{ErrorKind, Read, Write},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// What a process left behind.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Finished {
    /// Its standard output as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Both outputs, for assertions and messages.
    pub(crate) fn all(&self) -> String {
        self.text() + &self.stderr
    }

    /// Itself, if it exited with 0.
    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert!(self.status.success(), "{}:\n{}", self.status, self.all());
        self
    }

    /// Itself, if it exited with this code.
    #[track_caller]
    pub(crate) fn failed_with(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "{}:\n{}", self.status, self.all());
        self
    }
}

/// How long a process may say nothing before it counts as hung. One that does many things and says so, on a machine
/// with other work, is not.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);
/// How long it may take at all.
const LONGEST_RUN: Duration = Duration::from_secs(600);

/// Runs `command` to its end, unless it says nothing for a minute.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> Finished {
    run_with_input(command, b"")
}

/// The same, with `input` on its standard input.
#[track_caller]
pub(crate) fn run_with_input(command: &mut Command, input: &[u8]) -> Finished {
    let mut running = Running::start_with(command, Stdio::piped());
    let mut stdin = running.child.stdin.take().unwrap();
    let input = input.to_vec();
    // From a thread of its own: the process may print before it reads. It may also end without reading.
    thread::spawn(move || stdin.write_all(&input));
    running.finish_unless_silent()
}

/// A process that is killed when this value is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    name: String,
    /// When it said something last.
    spoke: Arc<Mutex<Instant>>,
    stdout: Option<JoinHandle<Vec<u8>>>,
    stderr: Option<JoinHandle<Vec<u8>>>,
}

impl Running {
    /// Starts `command` without standard input.
    #[track_caller]
    pub(crate) fn start(command: &mut Command) -> Self {
        Self::start_with(command, Stdio::null())
    }

    #[track_caller]
    fn start_with(command: &mut Command, stdin: Stdio) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: {error}; `tests/run` installs what the tests need"));
        let spoke = Arc::new(Mutex::new(Instant::now()));
        let stdout = child.stdout.take().map(|stream| collect(stream, Arc::clone(&spoke)));
        let stderr = child.stderr.take().map(|stream| collect(stream, Arc::clone(&spoke)));
        Self { child, name, spoke, stdout, stderr }
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end, at most `limit`.
    #[track_caller]
    pub(crate) fn finish(self, limit: Duration) -> Finished {
        self.finish_within(limit, limit)
    }

    /// Waits for its end, unless it says nothing for a minute.
    #[track_caller]
    fn finish_unless_silent(self) -> Finished {
        self.finish_within(LONGEST_RUN, LONGEST_SILENCE)
    }

    #[track_caller]
    fn finish_within(mut self, limit: Duration, longest_silence: Duration) -> Finished {
        let start = Instant::now();
        let status = loop {
            // Before this call nobody listened.
            let silence = self.spoke.lock().unwrap().elapsed().min(start.elapsed());
            match self.child.try_wait().unwrap() {
                Some(status) => break Some(status),
                None if start.elapsed() >= limit || silence >= longest_silence => break None,
                None => thread::sleep(Duration::from_millis(5)),
            }
        };
        let Some(status) = status else {
            let took = start.elapsed();
            let outputs = self.kill();
            panic!("{} did not end within {took:.0?}:\n{outputs}", self.name);
        };
        let stdout = self.stdout.take().unwrap().join().unwrap();
        let stderr = self.stderr.take().unwrap().join().unwrap();
        Finished { status, stdout, stderr: String::from_utf8_lossy(&stderr).into_owned() }
    }

    /// Asks it to end, as Ctrl-C does, and waits ten seconds for that.
    #[track_caller]
    pub(crate) fn interrupt(self) -> Finished {
        // A builtin of sh: minimal Debian has no program of that name.
        run(Command::new("sh").args(["-c", &format!("kill -s INT {}", self.child.id())])).succeeded();
        self.finish(Duration::from_secs(10))
    }

    /// Ends it and gives what it printed.
    pub(crate) fn kill(&mut self) -> String {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let outputs = [self.stdout.take(), self.stderr.take()].into_iter().flatten();
        outputs.map(|output| String::from_utf8_lossy(&output.join().unwrap()).into_owned()).collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads all of it, and notes when there was something.
fn collect(mut stream: impl Read + Send + 'static, spoke: Arc<Mutex<Instant>>) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let mut part = [0; 4_096];
        loop {
            match stream.read(&mut part) {
                Ok(0) => break,
                Ok(length) => {
                    bytes.extend_from_slice(&part[..length]);
                    *spoke.lock().unwrap() = Instant::now();
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // A killed process closes its end; what came before counts.
                Err(_) => break,
            }
        }
        bytes
    })
}
