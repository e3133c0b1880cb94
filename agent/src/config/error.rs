//! What can be wrong with the configuration.

use std::path::PathBuf;

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read the configuration {file}: {source}; agent.example.toml is a good start")]
    Unreadable {
        /// Its path.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file was read, but not understood.
    #[error("{file}, line {line}: {problem}")]
    Invalid {
        /// Its path.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        problem: String,
    },
    /// A name is not valid after its placeholders were replaced.
    #[error("{key} is {value:?}, which cannot be used: {problem}")]
    Name {
        /// The setting.
        key: &'static str,
        /// Its value with placeholders replaced.
        value: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}
