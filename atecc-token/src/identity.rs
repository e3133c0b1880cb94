//! The certificates of a chip, rebuilt from what it stores.

mod stored;

use atecc::PublicKey;
use pem_rfc7468::LineEnding;

pub(crate) use stored::{Layout, PIECE, Stored};

/// The certificates of a token, each in DER.
#[derive(Clone, Debug)]
pub struct Certificates {
    /// The certificate of the primary key.
    pub device: Vec<u8>,
    /// The certificate of its issuer, which the chip stores too. TLS peers want it behind the device's.
    pub signer: Vec<u8>,
    /// The key in the signer's certificate.
    pub signer_public_key: PublicKey,
    /// The self-signed root above the signer, which the product carries.
    pub root: Vec<u8>,
    /// The key in the root certificate.
    pub root_public_key: PublicKey,
}

impl Certificates {
    /// Device and signer certificate in PEM, in the order that TLS sends them.
    pub fn chain_pem(&self) -> String {
        self.device_pem() + &self.signer_pem()
    }

    /// The device certificate in PEM.
    pub fn device_pem(&self) -> String {
        pem(&self.device)
    }

    /// The signer certificate in PEM.
    pub fn signer_pem(&self) -> String {
        pem(&self.signer)
    }

    /// The root certificate in PEM.
    pub fn root_pem(&self) -> String {
        pem(&self.root)
    }
}

/// One certificate in PEM (RFC 7468).
fn pem(der: &[u8]) -> String {
    // Fails for lengths beyond the address space only.
    pem_rfc7468::encode_string("CERTIFICATE", LineEnding::LF, der).unwrap_or_default()
}
