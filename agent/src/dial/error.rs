//! Why there is no TCP connection.

use std::io;
use std::path::PathBuf;

/// Why there is no TCP connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The name has no address.
    #[error("cannot find the address of {host}: {source}; is the name right, and a name server reachable?")]
    Lookup {
        /// The name.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// Nobody answers there.
    #[error("cannot connect to {address}: {source}; check `endpoint`, `port` and the network")]
    Connect {
        /// What was dialled.
        address: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The proxy cannot be reached.
    #[error("the proxy {proxy} cannot be reached: {source}; check `proxy`")]
    ProxyUnreachable {
        /// The proxy, without its password.
        proxy: String,
        /// Why.
        source: Box<Error>,
    },
    /// The proxy wants to know who is there, or does not believe it.
    #[error(
        "the proxy {proxy} does not let us in: {problem}; check the user in `proxy` and `proxy_password_file`"
    )]
    ProxyLogin {
        /// The proxy, without its password.
        proxy: String,
        /// What it said.
        problem: String,
    },
    /// The proxy does not connect us.
    #[error(
        "the proxy {proxy} does not connect to {destination}: {answer}; does it allow this host and port?"
    )]
    ProxyRefused {
        /// The proxy, without its password.
        proxy: String,
        /// To what it was to connect.
        destination: String,
        /// What it answered.
        answer: String,
    },
    /// What is there does not speak the protocol of such a proxy, or the connection to it broke.
    #[error(
        "the proxy {proxy} gave no answer that can be understood: {problem}; is it a proxy of this kind?"
    )]
    ProxyAnswer {
        /// The proxy, without its password.
        proxy: String,
        /// What is wrong with the answer.
        problem: String,
    },
    /// The password of the proxy cannot be read.
    #[error("cannot read the password of the proxy in {file}: {source}; check `proxy_password_file`")]
    Password {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
}
