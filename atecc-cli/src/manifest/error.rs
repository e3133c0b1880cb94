//! Why a verb about manifests did not do its work.

use std::path::PathBuf;

use super::{entries::ReadError, refusal::CertificateProblem, register::JournalError};
use crate::error::Error;

/// An error whose text says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ManifestError {
    #[error("{path}: {source}", path = path.display())]
    File { path: PathBuf, source: ReadError },
    #[error("{path} has no entries; ask its sender for the manifest of your chips", path = path.display())]
    Empty { path: PathBuf },
    #[error(
        "{refused} of {entries} entries are not to be believed; register none of them, and fetch the file again \
         from where the chips were bought"
    )]
    Refused { refused: usize, entries: usize },
    #[error("{path} has no entry for chip {serial_number}; without --serial, `show` lists all", path = path.display())]
    NoSuchChip { path: PathBuf, serial_number: String },
    #[error("{path} holds no certificate; it must be one in PEM or DER", path = path.display())]
    NotACertificate { path: PathBuf },
    #[error("the certificate in {path} {problem}", path = path.display())]
    Certificate { path: PathBuf, problem: CertificateProblem },
    #[error(
        "{path} holds no P-256 private key in PEM; if it is encrypted, `openssl pkey` takes the passphrase off",
        path = path.display()
    )]
    NotAKey { path: PathBuf },
    #[error(
        "the certificate in {certificate} is not for the key in {key}",
        certificate = certificate.display(),
        key = key.display()
    )]
    OtherKey { certificate: PathBuf, key: PathBuf },
    #[error("chip {serial_number} is there twice; name each chip once")]
    Twice { serial_number: String },
    #[error("the signature could not be made; try again, and report it if that does not help")]
    Signing,
    #[error(
        "the manifest is read twice, once to verify all of it and once to register; give the name of its file"
    )]
    ReadTwice,
    #[error("all chips would have the same name; put {{common_name}} or {{serial}} into that of --thing")]
    OneName,
    #[error("a manifest is registered in one account and region at a time; run this once for each")]
    OnePlace,
    #[error(
        "the policy that this program ships needs a group, from which it learns the number of the account; name a policy \
         with --policy, give one with --policy-document, or leave --no-group away"
    )]
    PolicyWithoutGroup,
    #[error("{path} has nothing to register; each entry says why above", path = path.display())]
    NothingToRegister { path: PathBuf },
    #[error(
        "{path} changed while it was registered; what was registered was verified, and the rest comes when you run this \
         again",
        path = path.display()
    )]
    Changed { path: PathBuf },
    #[error(
        "stopped; what is done is in the journal {journal}, and the same command goes on from there",
        journal = journal.display()
    )]
    Interrupted { journal: PathBuf },
    #[error(
        "{why}\natecc: not all chips are registered; what is done is in the journal {journal}, and the same command goes \
         on from there",
        journal = journal.display()
    )]
    GaveUp { why: String, journal: PathBuf },
    #[error(
        "not all of the manifest is registered: {failed} chips failed, and {refused} entries were left out as not to be \
         believed; each says why above. Run again, this asks about what failed once more"
    )]
    NotAll { failed: usize, refused: usize },
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl From<JournalError> for Error {
    fn from(error: JournalError) -> Self {
        ManifestError::Journal(error).into()
    }
}
