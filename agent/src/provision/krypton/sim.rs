//! The SIM, as far as an authentication needs it.

use std::io::Read;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::Error;

/// How long the SIM may take; card readers and modems need a second or two.
const LIMIT: Duration = Duration::from_secs(30);
/// More than any answer has.
const LONGEST_ANSWER: u64 = 4096;

/// A SIM: UMTS authentication and key agreement (3GPP TS 33.102, section 6.3; TS 31.102, section 7.1.2).
pub trait Sim {
    /// Its IMSI, up to 15 digits.
    ///
    /// # Errors
    /// When it does not answer.
    fn imsi(&mut self) -> Result<String, Error>;

    /// The SIM's answer to a challenge: `random` and `token` (AUTN) have 16 bytes each.
    ///
    /// # Errors
    /// When it does not answer, or takes the challenge for a forgery.
    fn authenticate(&mut self, random: &[u8], token: &[u8]) -> Result<Outcome, Error>;
}

/// What a SIM answers to a challenge.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It knows the network.
    Known {
        /// RES, 4 to 16 bytes.
        response: Vec<u8>,
        /// CK, 16 bytes: the secret that both have now.
        cipher_key: Vec<u8>,
    },
    /// The sequence numbers are out of step; the network needs this AUTS (14 bytes) and sends a new challenge.
    OutOfStep {
        /// AUTS.
        token: Vec<u8>,
    },
}

/// A program that asks the SIM in a card reader or modem, for example a script around `mmcli` or `pcscd`.
///
/// It is run as `COMMAND imsi` and prints `imsi=DIGITS`, and as `COMMAND authenticate RAND AUTN` (32 hexadecimal digits
/// each) and prints `res=HEX` and `ck=HEX`, or `auts=HEX`, each on a line of its own.
#[derive(Clone, Debug)]
pub struct Command {
    command: Vec<String>,
    imsi: Option<String>,
}

impl Command {
    /// The program with its first arguments. With an IMSI it is not asked for one.
    pub fn new(command: Vec<String>, imsi: Option<String>) -> Self {
        Self { command, imsi }
    }

    fn failed(&self, problem: impl Into<String>) -> Error {
        let command = self.command.first().cloned().unwrap_or_default();
        Error::Sim { command, problem: problem.into() }
    }

    /// What it prints.
    fn run(&self, arguments: &[&str]) -> Result<String, Error> {
        let (program, first) =
            self.command.split_first().ok_or_else(|| self.failed("it names no program"))?;
        let mut child = std::process::Command::new(program)
            .args(first)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| self.failed(format!("cannot be started: {error}")))?;
        let stdout = child.stdout.take();
        // From a thread of its own: it may print nothing and never end.
        let reader = std::thread::spawn(move || {
            let mut text = String::new();
            let read = stdout.map(|stdout| stdout.take(LONGEST_ANSWER).read_to_string(&mut text));
            read.map_or(Ok(0), |read| read).map(|_| text)
        });
        let ended = wait(&mut child, Instant::now() + LIMIT);
        if ended.is_none() {
            // It may have ended meanwhile.
            let _ = child.kill();
            let _ = child.wait();
            return Err(self.failed(format!("it did not end within {LIMIT:?}")));
        }
        if ended != Some(true) {
            return Err(self.failed("it failed; what it printed on standard error says why"));
        }
        match reader.join() {
            Ok(Ok(text)) => Ok(text),
            _ => Err(self.failed("what it prints cannot be read")),
        }
    }
}

/// Whether it ended well; `None`: it did not end.
fn wait(child: &mut Child, end: Instant) -> Option<bool> {
    while Instant::now() < end {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status.success()),
            Ok(None) => std::thread::sleep(Duration::from_millis(20)),
            Err(_) => return Some(false),
        }
    }
    None
}

impl Sim for Command {
    fn imsi(&mut self) -> Result<String, Error> {
        let imsi = match &self.imsi {
            Some(imsi) => Some(imsi.clone()),
            None => value(&self.run(&["imsi"])?, "imsi").map(str::to_owned),
        };
        imsi.filter(|imsi| (6..=15).contains(&imsi.len()) && imsi.bytes().all(|digit| digit.is_ascii_digit()))
            .ok_or_else(|| self.failed("the IMSI, `imsi=` and up to 15 digits, is missing"))
    }

    fn authenticate(&mut self, random: &[u8], token: &[u8]) -> Result<Outcome, Error> {
        let answer = self.run(&["authenticate", &hex(random), &hex(token)])?;
        let bytes = |name: &str| value(&answer, name).and_then(unhex);
        match (bytes("res"), bytes("ck"), bytes("auts")) {
            (Some(response), Some(cipher_key), _)
                if (4..=16).contains(&response.len()) && cipher_key.len() == 16 =>
            {
                Ok(Outcome::Known { response, cipher_key })
            }
            (_, _, Some(token)) if token.len() == 14 => Ok(Outcome::OutOfStep { token }),
            _ => Err(self.failed("it prints neither `res=` (4 to 16 bytes) and `ck=` (16 bytes) nor `auts=` (14 bytes), in hexadecimal digits")),
        }
    }
}

/// The value of `name` in lines of the form `name=value`.
fn value<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let of_line = |line: &'a str| line.trim().strip_prefix(name)?.strip_prefix('=');
    answer.lines().find_map(of_line).map(str::trim)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).map(|digit| digit as u8)).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

impl std::fmt::Debug for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Known { .. } => "Known([secret])",
            Self::OutOfStep { .. } => "OutOfStep",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saying(text: &str) -> Command {
        Command::new(vec!["sh".to_owned(), "-c".to_owned(), text.to_owned(), "sim".to_owned()], None)
    }

    #[test]
    fn the_program_is_asked_and_its_words_are_understood() {
        let mut sim = saying("test \"$1\" = imsi && echo imsi=440103123456789");
        assert_eq!(sim.imsi().unwrap(), "440103123456789");
        let answer = format!("echo \"$1 $2 $3\" >&2; echo res=01020304; echo ck={}", "ab".repeat(16));
        let outcome = saying(&answer).authenticate(&[0x11; 16], &[0x22; 16]).unwrap();
        assert_eq!(outcome, Outcome::Known { response: vec![1, 2, 3, 4], cipher_key: vec![0xab; 16] });
        assert!(!format!("{outcome:?}").contains("171"));
        let outcome = saying(&format!("echo auts={}", "0f".repeat(14))).authenticate(&[0; 16], &[0; 16]);
        assert_eq!(outcome.unwrap(), Outcome::OutOfStep { token: vec![0x0f; 14] });
    }

    #[test]
    fn what_it_does_wrong_is_said() {
        for (text, says) in [
            ("exit 3", "it failed"),
            ("echo imsi=12ab", "IMSI"),
            ("echo", "IMSI"),
            ("echo imsi=1234567890123456", "IMSI"),
        ] {
            let error = saying(text).imsi().unwrap_err().to_string();
            assert!(error.contains(says) && error.starts_with("sim_command \"sh\""), "{error}");
        }
        for text in ["echo res=01020304", "echo res=0102030; echo ck=00", "echo auts=00", "echo nothing"] {
            let error = saying(text).authenticate(&[0; 16], &[0; 16]).unwrap_err().to_string();
            assert!(error.contains("`auts="), "{error}");
        }
        let error = Command::new(vec!["/does/not/exist".to_owned()], None).imsi().unwrap_err().to_string();
        assert!(error.contains("cannot be started"), "{error}");
    }
}
