//! A process that signs: the program `module-sign`.

use std::{
    io::{BufRead, BufReader, Read, Write},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use crate::Result;

/// Debian's user and group nobody and nogroup.
const NOBODY: u32 = 65_534;

/// What a process is to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    pub(crate) threads: u32,
    /// Signatures of each thread.
    pub(crate) count: u32,
    /// Another one gives other digests.
    pub(crate) seed: u32,
}

/// What it did.
pub(crate) struct Signed {
    pub(crate) digest: [u8; 32],
    pub(crate) signature: [u8; 64],
}

/// A process that has opened the token and is ready to sign.
pub(crate) struct Signer {
    process: Child,
    output: BufReader<ChildStdout>,
}

impl Signer {
    /// Starts module-sign of `folder` on `device`, and waits until it is ready.
    pub(crate) fn start(folder: &Path, device: &str, as_nobody: bool, work: Work) -> Result<Self> {
        let mut command = Command::new(folder.join("module-sign"));
        command.arg(folder.join("module.so"));
        command.args([work.threads, work.count, work.seed].map(|number| number.to_string()));
        // What the module keeps between processes belongs to this run.
        command
            .env("ATECC_DEVICE", device)
            .env("ATECC_LOG", "1")
            .env("HOME", folder)
            .env_remove("XDG_CACHE_HOME");
        if as_nobody {
            command.uid(NOBODY).gid(NOBODY).env("HOME", "/nonexistent");
        }
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut output = BufReader::new(process.stdout.take().ok_or("no output")?);
        let mut line = String::new();
        output.read_line(&mut line)?;
        if line != "ready\n" {
            return Err(format!("{work:?} is not ready but {}", process.wait()?).into());
        }
        Ok(Self { process, output })
    }

    /// Lets it sign.
    pub(crate) fn go(&mut self) -> Result<()> {
        let input = self.process.stdin.as_mut().ok_or("no input")?;
        Ok(input.write_all(b"\n")?)
    }

    /// What it signed, and how long it took from [`go`](Self::go) on.
    pub(crate) fn finish(mut self) -> Result<(Vec<Signed>, Duration)> {
        let mut text = String::new();
        self.output.read_to_string(&mut text)?;
        let status = self.process.wait()?;
        if !status.success() {
            return Err(format!("module-sign ended with {status}").into());
        }
        let mut signed = Vec::new();
        let mut wall = None;
        for line in text.lines() {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["took", _, microseconds] => wall = Some(Duration::from_micros(microseconds.parse()?)),
                [digest, signature] => {
                    signed.push(Signed { digest: unhex(digest)?, signature: unhex(signature)? })
                }
                _ => return Err(format!("module-sign printed {line:?}").into()),
            }
        }
        Ok((signed, wall.ok_or("module-sign did not say how long it took")?))
    }

    /// kill -9.
    pub(crate) fn kill(mut self) -> Result<()> {
        self.process.kill()?;
        let status = self.process.wait()?;
        if status.code().is_some() {
            return Err(format!("a victim ended by itself with {status}").into());
        }
        Ok(())
    }
}

fn unhex<const N: usize>(digits: &str) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    if digits.len() != 2 * N {
        return Err(format!("{digits:?} are not {N} bytes").into());
    }
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(digits.get(at..at + 2).unwrap_or_default(), 16)?;
    }
    Ok(bytes)
}
