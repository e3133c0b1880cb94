//! Why an entry is not believed.

/// The reason, as the end of a sentence that begins with the number of the entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(super) enum Refusal {
    #[error("it is no signed entry: {0}")]
    NotSigned(String),
    #[error("its {member} is not base64 without padding (RFC 7515)")]
    Base64 { member: &'static str },
    #[error("its protected header is not readable: {0}")]
    Protected(String),
    #[error("it is signed with {0}, and a manifest with ES256")]
    Algorithm(String),
    #[error("its protected header has members that must be understood (crit), and this program knows none")]
    Critical,
    #[error(
        "it is signed by a log signer that is not pinned, with the SHA-256 fingerprint {0}; if you trust it, \
         give its certificate with --log-signer"
    )]
    UnknownLogSigner(String),
    #[error("its kid is not the key identifier of {0}, whose fingerprint it names")]
    KeyIdentifier(String),
    #[error(
        "its signature is not that of {0} over this protected header and payload: the entry was changed, or is \
         a forgery"
    )]
    Signature(String),
    #[error("its payload is not that of a manifest: {0}")]
    Payload(String),
    #[error("its format has version {0}, which this program does not know; look for a newer one")]
    Version(u64),
    #[error("its serial number {0:?} is not 18 hexadecimal digits")]
    SerialNumber(String),
    #[error("its header says serial number {header:?}, and what is signed says {payload:?}")]
    OtherSerialNumber { header: String, payload: String },
    #[error("its key {0:?} is not a public key on the curve P-256")]
    Key(String),
    #[error("it has two keys {0:?}")]
    TwoKeys(String),
    #[error("it has certificates for more than one key")]
    TwoChains,
    #[error("it has {0} certificates, and not the device's and its signer's")]
    ChainLength(usize),
    #[error("its {which} certificate {problem}")]
    Certificate { which: &'static str, problem: CertificateProblem },
}

/// What is wrong with a certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum CertificateProblem {
    #[error("is not base64 with padding (RFC 7517, section 4.7)")]
    Base64,
    #[error("is not readable: {0}")]
    Der(String),
    #[error("is not signed with ECDSA and SHA-256")]
    Algorithm,
    #[error("has no public key on the curve P-256")]
    Key,
    #[error("is for another key than the entry's")]
    OtherKey,
    #[error("is for {subject:?}, and the entry for chip {serial_number}")]
    OtherChip { subject: String, serial_number: String },
    #[error("is not allowed to be that: {0}")]
    Role(&'static str),
    #[error("names {issuer:?} as its issuer, and that is not the subject of the one above it")]
    Issuer { issuer: String },
    #[error("names another key as its issuer's than the one above it has")]
    AuthorityKey,
    #[error("was not signed with the key of the one above it: it was changed, or is a forgery")]
    Signature,
    #[error("was issued by {issuer:?}, a root that is not pinned; if you trust it, give it with --root")]
    UnknownRoot { issuer: String },
}
