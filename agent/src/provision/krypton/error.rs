//! What can go wrong between the agent, the SIM and SORACOM.

use std::path::PathBuf;

/// SORACOM Krypton did not help.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No answer.
    #[error(
        "cannot reach {url}: {source}; for access = \"cellular\" this machine must be on line through its SIM"
    )]
    Unreachable {
        /// What was asked.
        url: String,
        /// Why.
        source: Box<ureq::Error>,
    },
    /// A no.
    #[error("{url} answers {status} ({code} {message}); {}", advice(*status))]
    Refused {
        /// What was asked.
        url: String,
        /// The status of HTTP.
        status: u16,
        /// SORACOM's code of the problem.
        code: String,
        /// SORACOM's words for it.
        message: String,
    },
    /// An answer that is none.
    #[error("the answer of {url} cannot be used: {problem}")]
    Answer {
        /// What was asked.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The CA certificates cannot be used.
    #[error("[provision.krypton] ca_file {file}: {problem}")]
    CaFile {
        /// Its path.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The program that asks the SIM did not do so.
    #[error("sim_command {command:?}: {problem}")]
    Sim {
        /// The program.
        command: String,
        /// What went wrong.
        problem: String,
    },
    /// The SIM does not believe SORACOM, again and again.
    #[error("the SIM asks for a new challenge each time; is `imsi` that of this SIM?")]
    OutOfStep,
    /// The thread that asked has ended.
    #[error("the request to Krypton has ended unexpectedly; please report this with the log")]
    Ended,
}

const fn advice(status: u16) -> &'static str {
    match status {
        400 => {
            "are the parameters of [provision.krypton] right, and does the SIM's group have Krypton's settings for AWS?"
        }
        401 | 403 => {
            "is Krypton (and for access = \"sim\", Endorse) switched on in the SIM's group, and is the clock of this machine right?"
        }
        404 => "is the SIM active, and in a group with Krypton's settings for AWS?",
        429 => "too much was asked; it may pass",
        500.. => "the service has a problem; it may pass",
        _ => "is `url` in [provision.krypton] right?",
    }
}

impl Error {
    /// Whether somebody must change files or settings of this machine first; otherwise it may help to try again.
    pub const fn is_configuration(&self) -> bool {
        matches!(self, Self::CaFile { .. })
    }
}
