//! Why a gateway did not get a certificate, in the words of somebody who has to repair it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::krypton;
use crate::mqtt::Disconnect;
use crate::{config, key, mqtt, tls};

/// Why a gateway did not get a certificate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// agent.toml has no `[provision]`.
    #[error(
        "agent.toml has no [provision], which says how this gateway gets a certificate; agent.example.toml shows it"
    )]
    NotConfigured,
    /// A parameter, or the name in the request, stands for something that this gateway does not have.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The gateway's own key cannot be used.
    #[error(transparent)]
    Key(#[from] key::Error),
    /// The claim cannot be used.
    #[error("the claim for provisioning: {0}")]
    Claim(#[source] identity::Error),
    /// The claim of a trusted user is not there.
    #[error(
        "cannot read the claim {file}: {source}; a trusted user makes it with `aws iot create-provisioning-claim --template-name {template} > {file}`, and it lives for five minutes"
    )]
    NoClaim {
        /// `claim_file`.
        file: PathBuf,
        /// The template.
        template: String,
        /// Why.
        source: io::Error,
    },
    /// The claim of a trusted user is something else.
    #[error("{file} is no answer of `aws iot create-provisioning-claim`: {problem}")]
    ClaimFile {
        /// `claim_file`.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] tls::Error),
    /// The link cannot be started, or did not take a message.
    #[error(transparent)]
    Link(#[from] mqtt::Error),
    /// No connection with the claim.
    #[error(
        "cannot connect with the claim: {0}. Is the claim's certificate active, and does its policy allow iot:Connect? One that a trusted user made lives for five minutes"
    )]
    NotConnected(#[source] Disconnect),
    /// The connection ended while an answer was awaited.
    #[error(
        "the connection ended before the answer to {call}: {reason}; does the claim's policy allow its topics?"
    )]
    Disconnected {
        /// The call.
        call: &'static str,
        /// Why.
        reason: Disconnect,
    },
    /// Answers could not be subscribed to.
    #[error(
        "the server refuses the subscription to {filter}; the claim's policy must allow iot:Subscribe and iot:Receive for it"
    )]
    FilterRefused {
        /// The topic of the answers.
        filter: String,
    },
    /// No answer.
    #[error(
        "no answer to {call} within {limit:?}; does the claim's policy allow iot:Publish to {topic} and iot:Receive below it, and does this server know that call?"
    )]
    NoAnswer {
        /// The call.
        call: &'static str,
        /// The topic of the request.
        topic: String,
        /// How long was waited.
        limit: Duration,
    },
    /// An answer that is none.
    #[error("the answer to {call} cannot be used: {problem}")]
    Answer {
        /// The call.
        call: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// A no.
    #[error("{call} was rejected ({status} {code}: {message}); {advice}")]
    Rejected {
        /// The call.
        call: &'static str,
        /// `statusCode`.
        status: u16,
        /// `errorCode`.
        code: String,
        /// `errorMessage`.
        message: String,
        /// What to do.
        advice: &'static str,
    },
    /// SORACOM Krypton did not help.
    #[error(transparent)]
    Krypton(#[from] krypton::Error),
    /// Krypton leads to another endpoint than agent.toml.
    #[error(
        "Krypton leads to {told}, and agent.toml to {endpoint}; write endpoint = \"{told}\", if that is your account"
    )]
    OtherEndpoint {
        /// `host` of the answer.
        told: String,
        /// `endpoint`.
        endpoint: String,
    },
    /// The key file is taken.
    #[error(
        "{file} is there already, and holds no certificate: the key that is issued would take its place; move it away, or name another file with `key`"
    )]
    Taken {
        /// The file.
        file: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("{file}: {source}; the agent needs it to keep its certificate")]
    File {
        /// Its path.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process is at it.
    #[error("another process provisions this gateway; it keeps {folder} locked")]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
}

impl Error {
    /// Whether somebody must change files or settings of this machine first; otherwise it may help to try again.
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::NotConfigured
            | Self::Config(_)
            | Self::ClaimFile { .. }
            | Self::OtherEndpoint { .. }
            | Self::Taken { .. } => true,
            Self::Key(error) => error.is_configuration(),
            Self::Claim(error) => error.is_configuration(),
            Self::Tls(error) => error.is_configuration(),
            Self::Krypton(error) => error.is_configuration(),
            _ => false,
        }
    }
}
