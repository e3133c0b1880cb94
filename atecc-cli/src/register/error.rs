//! Why a device was not registered.

use std::{io, path::PathBuf};

/// An error whose text says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum RegisterError {
    #[error("{option} says nothing with this --method; `atecc register --help` tells what each method needs")]
    Meaningless { option: &'static str },
    #[error(transparent)]
    KeySource(identity::SourceError),
    #[error(transparent)]
    Key(identity::Error),
    #[error("nothing was registered, since the key did not sign a challenge: {0}")]
    Possession(#[source] identity::Error),
    #[error("nothing was registered, since the key can make no signature that is known here")]
    NoScheme,
    #[error("the system gives no random numbers: {0}")]
    Random(String),
    #[error("{path}: {problem}", path = path.display())]
    CertificateFile { path: PathBuf, problem: String },
    #[error(
        "the certificate does not lead to {root}: {problem}; give the root above it with --root, and those between in \
         the file of --certificate",
        root = root.display()
    )]
    Chain { root: PathBuf, problem: String },
    #[error(
        "the certificate is one of X.509's first version, without extensions, which no root is checked for; have the CA \
         issue one of version 3 (`openssl x509 -req -extfile FILE`, where FILE says basicConstraints = CA:FALSE)"
    )]
    FirstVersion,
    #[error(
        "{name:?} can be no thing's name, which has 1 to 128 letters, digits, `:`, `_` and `-`; name it with --thing"
    )]
    ThingName { name: String },
    #[error("the thing shall be called {name:?}, and this device has no such name; give it one with --thing")]
    NoName { name: String },
    #[error("{path} is no policy: {problem}", path = path.display())]
    PolicyDocument { path: PathBuf, problem: String },
    #[error(
        "there is no policy {name} in {place}; create it, give its text with --policy-document FILE, or leave --policy \
         away for the one that this program ships"
    )]
    NoPolicy { name: String, place: String },
    #[error(
        "certificate {id} is registered there and inactive: somebody switched this device off; `aws iot \
         update-certificate --certificate-id {id} --new-status ACTIVE` switches it on, then run this again"
    )]
    Inactive { id: String },
    #[error(
        "certificate {id} is registered there and revoked or on its way to another account, so the device stays out; \
         the console shows what happened to it"
    )]
    Closed { id: String },
    #[error(
        "{file} says {name} = {there}, and it would have to be {wanted}; move the file away, or name another \
         folder with --out",
        file = file.display()
    )]
    OtherConfiguration { file: PathBuf, name: String, there: String, wanted: String },
    #[error("{file} is there and is something else; move it away, or name another folder with --out", file = file.display())]
    OtherFile { file: PathBuf },
    #[error("{file} is no configuration: {problem}; move it away, or name another folder with --out", file = file.display())]
    NotAConfiguration { file: PathBuf, problem: String },
    #[error(
        "{file} holds a certificate that {place} did not issue; name another folder with --out for another account, \
         region or device",
        file = file.display()
    )]
    NotIssuedHere { file: PathBuf, place: String },
    #[error("cannot write {path}: {source}", path = path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{error}\natecc: {half_made}")]
    HalfMade { error: Box<crate::error::Error>, half_made: String },
    #[error(
        "{failed} of {all} accounts and regions were not finished; each says why above. Run the same command again"
    )]
    Places { failed: usize, all: usize },
}
