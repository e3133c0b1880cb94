//! X.509 certificates from the compressed form in which the chip stores them (section 4.5.3; DS20006367A).
//!
//! A chip keeps only what differs from certificate to certificate: the signature, the dates, the number of the
//! signer. The rest is the same for all parts of a product, a [`Template`] filled with the names of an
//! [`Authority`]. The certificate that comes out is, byte for byte, the one that was signed in the factory;
//! [`rebuild`] hands it out only if its signatures verify up to the authority's root.

mod authority;
mod compress;
mod compressed;
mod date;
pub(crate) mod der;
mod lora;
mod template;
pub(crate) mod x509;

use core::fmt;

pub use authority::{Authority, MICROCHIP, key_identifier};
pub use compress::{compress, compress_lora};
pub use compressed::{COMPRESSED_CERTIFICATE, Compressed};
pub use date::{Format, IssueDate};
pub use lora::{LoraDevice, StoredLora, TngLora, rebuild_lora};
pub(crate) use template::sha256;
pub use template::{Device, Family, Signer, Template, to_be_signed};

use crate::{PublicKey, SerialNumber};
use template::Subject;

/// Longest certificate that a template gives, with room to spare; real ones have 500 to 548 bytes.
pub const MAX_CERTIFICATE: usize = 640;

/// A certificate in DER.
pub type Der = heapless::Vec<u8, MAX_CERTIFICATE>;

/// What a TLS part holds of its identity.
#[derive(Clone, Debug)]
pub struct StoredIdentity {
    /// From the configuration zone.
    pub serial_number: SerialNumber,
    /// The public key of slot 0, from GenKey.
    pub public_key: PublicKey,
    /// Slot 10.
    pub device: [u8; COMPRESSED_CERTIFICATE],
    /// Slot 11: X and Y of the signer's key, each behind four zero bytes.
    pub signer_public_key: [u8; COMPRESSED_CERTIFICATE],
    /// Slot 12.
    pub signer: [u8; COMPRESSED_CERTIFICATE],
    /// The first twelve bytes of slot 5, where the part has them: the digits of an EUI-48.
    pub eui48: Option<[u8; 12]>,
}

/// A device certificate and the certificate of its signer, verified.
#[derive(Clone, Debug)]
pub struct Chain {
    /// The certificate of the chip's key.
    pub device: Der,
    /// The certificate of the signer, issued by the root.
    pub signer: Der,
    /// The key in the signer's certificate.
    pub signer_public_key: PublicKey,
    /// Whose root verifies the chain.
    pub authority: &'static Authority,
    /// The template that fits.
    pub template: Template,
}

/// Rebuilds the certificates of a Trust&GO or TrustFLEX TLS part; [`rebuild_lora`] is for LoRaWAN.
///
/// `hint` is the first eight bytes of the OTP zone. It only says which template is tried first: the one whose
/// signature verifies is right, whatever the OTP zone says.
///
/// # Errors
/// When a slot does not hold what a Trust&GO part holds, or nothing verifies.
pub fn rebuild(
    stored: &StoredIdentity,
    hint: &[u8; 8],
    authorities: &[&'static Authority],
) -> Result<Chain, CertificateError> {
    let StoredIdentity { serial_number, public_key, eui48, device, signer_public_key, signer } = stored;
    let device_subject = Device { serial_number: *serial_number, public_key: *public_key, eui48: *eui48 };
    let subject = Subject::from(&device_subject);
    Stored { subject, device, signer_public_key, signer }.rebuild(Family::Tls, hint, authorities)
}

/// Why no certificate came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateError {
    /// The slot holds no certificate: the serial-number source or the dates are not those of a stored one.
    NotCompressed,
    /// The compressed format has a version that this driver does not know.
    Format {
        /// The format version in the slot.
        version: u8,
    },
    /// No template gives a certificate whose signature verifies with the signer's key.
    NoTemplate,
    /// The device certificate verifies, but its signer was not issued by a root that is trusted here.
    UnknownRoot,
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotCompressed => f.write_str(
                "the chip stores no compressed certificate where Trust&GO and TrustFLEX parts have one",
            ),
            Self::Format { version: 2 } => f.write_str(
                "the chip's certificate has compressed format 2, for curves longer than P-256, which are not \
                 supported",
            ),
            Self::Format { version } => {
                write!(f, "the chip's certificate has compressed format {version}, which is not supported")
            }
            Self::NoTemplate => f.write_str(
                "the certificate fits no known template; is it that of a Trust&GO or TrustFLEX part?",
            ),
            Self::UnknownRoot => {
                f.write_str("the chip's signer certificate was not issued by a root that this program trusts")
            }
        }
    }
}

impl core::error::Error for CertificateError {}

/// What a part of any family holds of its identity.
struct Stored<'a> {
    subject: Subject,
    device: &'a [u8; COMPRESSED_CERTIFICATE],
    signer_public_key: &'a [u8; COMPRESSED_CERTIFICATE],
    signer: &'a [u8; COMPRESSED_CERTIFICATE],
}

impl Stored<'_> {
    fn rebuild(
        &self,
        family: Family,
        hint: &[u8; 8],
        authorities: &[&'static Authority],
    ) -> Result<Chain, CertificateError> {
        let device = Compressed::parse(self.device)?;
        let signer = Compressed::parse(self.signer)?;
        let signer_public_key = padded_key(self.signer_public_key);
        let signer_subject = Signer { public_key: signer_public_key, id: signer.signer_id };

        let mut error = CertificateError::NoTemplate;
        'authorities: for &authority in authorities {
            let Some(signer_der) = signer_subject.certificate(authority, &signer) else {
                continue;
            };
            for template in Template::candidates(family, hint) {
                let Some(device_der) =
                    template.certificate(authority, &signer_public_key, &self.subject, &device)
                else {
                    continue;
                };
                if !verifies(&device_der, &signer_public_key, &device) {
                    continue;
                }
                if !verifies(&signer_der, &authority.root_public_key, &signer) {
                    // Another authority may have the same names and another key.
                    error = CertificateError::UnknownRoot;
                    continue 'authorities;
                }
                return Ok(Chain {
                    device: device_der,
                    signer: signer_der,
                    signer_public_key,
                    authority,
                    template,
                });
            }
        }
        Err(error)
    }
}

/// A signer's key as slots hold it: X and Y stand right-aligned in 36 bytes each (section 4.5.1.1).
fn padded_key(slot: &[u8; COMPRESSED_CERTIFICATE]) -> PublicKey {
    let mut key = [0; 64];
    key[..32].copy_from_slice(&slot[4..36]);
    key[32..].copy_from_slice(&slot[40..72]);
    PublicKey::from_bytes(key)
}

fn verifies(certificate: &Der, key: &PublicKey, stored: &Compressed) -> bool {
    to_be_signed(certificate).is_some_and(|signed| key.verify(&sha256(&[signed]), &stored.signature))
}

#[cfg(test)]
mod tests;
