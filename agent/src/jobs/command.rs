//! Commands of the configuration: a fixed argument vector, a bounded time, and the end of what they print.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::{Instant, timeout, timeout_at};

/// Characters of the output that are told, its last ones. AWS takes 1024 in a value.
const OUTPUT: usize = 1000;
/// How long the output may stay open after the command has ended: something that it started may have it still.
const LINGER: Duration = Duration::from_secs(1);

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Why it did not succeed; `None`: it did.
    pub(crate) problem: Option<String>,
    /// The end of what it printed, on one line.
    pub(crate) output: String,
}

/// Runs `argv` for at most `limit`. No shell is between; the environment has PATH, LANG and the id of the job, and nothing of the
/// agent's. When it is too slow, it and what it started are killed. Dropping the future does the same.
pub(crate) async fn run(argv: &[String], limit: Duration, job: &str) -> Outcome {
    let none = |problem: String| Outcome { problem: Some(problem), output: String::new() };
    let Some((program, arguments)) = argv.split_first() else {
        return none("the command is empty".to_owned());
    };
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("ATECC_JOB_ID", job).env("LANG", "C.UTF-8");
    command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.process_group(0);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return none(format!("{program} cannot be started: {error}")),
    };
    let mut group = Group(child.id());
    let deadline = Instant::now() + limit;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let output = tokio::spawn(tail(stdout, stderr));
    let status = timeout_at(deadline, child.wait()).await;
    if let Ok(Ok(_)) = status {
        // It has ended, and its number may belong to others now. What it left running may go on.
        group.0 = None;
    }
    let problem = match status {
        Ok(Ok(status)) if status.success() => None,
        Ok(Ok(status)) => Some(status.to_string()),
        Ok(Err(error)) => Some(format!("it cannot be waited for: {error}")),
        Err(_) => {
            drop(group);
            // Killed, so it ends; not waiting for it would leave a zombie.
            let _ = timeout(LINGER, child.wait()).await;
            Some(format!("killed after {} s, the limit for it", limit.as_secs()))
        }
    };
    let output = timeout(LINGER, output).await.ok().and_then(Result::ok).unwrap_or_default();
    Outcome { problem, output }
}

/// A process group that does not outlive its value.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        let id = self.0.and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
        if let Some(id) = id {
            // It may have ended already.
            let _ = rustix::process::kill_process_group(id, rustix::process::Signal::KILL);
        }
    }
}

/// The end of what both streams bring, in the order in which it comes.
async fn tail(stdout: Option<impl AsyncRead + Unpin>, stderr: Option<impl AsyncRead + Unpin>) -> String {
    let (Some(mut stdout), Some(mut stderr)) = (stdout, stderr) else { return String::new() };
    let (mut out, mut err) = ([0; 1024], [0; 1024]);
    let (mut out_open, mut err_open) = (true, true);
    let mut kept = Vec::new();
    while out_open || err_open {
        tokio::select! {
            read = stdout.read(&mut out), if out_open => out_open = keep(&mut kept, &out, read),
            read = stderr.read(&mut err), if err_open => err_open = keep(&mut kept, &err, read),
        }
    }
    readable(&kept)
}

/// Keeps the last bytes; false at the end of the stream.
fn keep(kept: &mut Vec<u8>, buffer: &[u8], read: std::io::Result<usize>) -> bool {
    let bytes = read.ok().and_then(|length| buffer.get(..length)).unwrap_or_default();
    kept.extend_from_slice(bytes);
    // A character has up to four bytes.
    let too_many = kept.len().saturating_sub(4 * OUTPUT);
    kept.drain(..too_many);
    !bytes.is_empty()
}

/// The last characters as one line, without control characters.
fn readable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line: Vec<char> =
        text.trim().chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    line.iter().skip(line.len().saturating_sub(OUTPUT)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn sh(script: &str, seconds: u64) -> Outcome {
        let argv = ["/bin/sh", "-c", script].map(str::to_owned);
        run(&argv, Duration::from_secs(seconds), "job-1").await
    }

    #[tokio::test]
    async fn what_it_prints_is_told_on_one_line() {
        let outcome = sh("echo one; echo two >&2; echo $ATECC_JOB_ID $HOME", 20).await;
        assert_eq!(outcome.problem, None);
        for part in ["one", "two", "job-1"] {
            assert!(outcome.output.contains(part), "{outcome:?}");
        }
        assert!(!outcome.output.contains(['\n', '/']), "{outcome:?}");
    }

    #[tokio::test]
    async fn a_failure_is_told_with_its_code() {
        let outcome = sh("echo why; exit 3", 20).await;
        assert_eq!(outcome, Outcome { problem: Some("exit status: 3".to_owned()), output: "why".to_owned() });
        let missing = run(&["/does/not/exist".to_owned()], Duration::from_secs(1), "j").await;
        assert!(missing.problem.unwrap().starts_with("/does/not/exist cannot be started: "));
    }

    #[tokio::test]
    async fn it_is_killed_after_its_time_with_what_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("mark");
        let start = Instant::now();
        let outcome = sh(&format!("(sleep 4; touch {}) & sleep 60", mark.display()), 1).await;
        assert_eq!(outcome.problem.as_deref(), Some("killed after 1 s, the limit for it"));
        assert!(start.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert!(!mark.exists());
    }

    #[tokio::test]
    async fn endless_output_is_bounded() {
        let outcome = sh("yes äöü | head -c 1000000; echo last", 20).await;
        assert_eq!(outcome.output.chars().count(), OUTPUT);
        assert!(outcome.output.ends_with("last"), "{outcome:?}");
    }
}
