//! What is measured.

use atecc::{Digest, PublicKey, Signature};

/// The digest that is signed.
pub(crate) const DIGEST: Digest = [0x5a; 32];

/// One thing that a program wants from a chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// Open the chip and read its configuration zone.
    Open,
    /// The public key of slot 0.
    PublicKey,
    /// The same once more.
    PublicKeyAgain,
    /// The first signature after that.
    FirstSignature,
    /// Each further one.
    Signature,
    /// One without the Random that renews the seed.
    SignatureWithoutRandom,
    /// Device and signer certificate.
    Certificates,
    /// The same once more.
    CertificatesAgain,
    /// 32 random bytes.
    Random,
    /// The chip verifies a signature.
    Verify,
    /// A process that opens the chip, finds the key and signs once, and is the first on this machine to do so.
    FirstProcess,
    /// The same when the disk has what can be kept of the chip.
    NextProcess,
}

impl Scenario {
    /// All, in the order in which a program would.
    pub(crate) const ALL: [Self; 12] = [
        Self::Open,
        Self::PublicKey,
        Self::PublicKeyAgain,
        Self::FirstSignature,
        Self::Signature,
        Self::SignatureWithoutRandom,
        Self::Certificates,
        Self::CertificatesAgain,
        Self::Random,
        Self::Verify,
        Self::FirstProcess,
        Self::NextProcess,
    ];

    /// The name in the table.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Open => "open, read the configuration",
            Self::PublicKey => "public key",
            Self::PublicKeyAgain => "public key again",
            Self::FirstSignature => "first signature",
            Self::Signature => "each further signature",
            Self::SignatureWithoutRandom => "signature without Random",
            Self::Certificates => "certificates",
            Self::CertificatesAgain => "certificates again",
            Self::Random => "32 random bytes",
            Self::Verify => "verify on the chip",
            Self::FirstProcess => "process that signs, the first",
            Self::NextProcess => "process that signs, a later one",
        }
    }

    /// Whether it is done many times in one opening.
    pub(crate) const fn is_repeated(self) -> bool {
        matches!(self, Self::Signature | Self::SignatureWithoutRandom | Self::Random | Self::Verify)
    }
}

/// What [`Scenario::Verify`] verifies, over [`DIGEST`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inputs {
    /// Of slot 0.
    pub(crate) public_key: PublicKey,
    /// By slot 0.
    pub(crate) signature: Signature,
}
