//! X.509 certificates from the compressed form in which the chip stores them (section 4.5.3; DS20006367A).
//!
//! A chip keeps only what differs from certificate to certificate: the signature, the dates, the number of the
//! signer. The rest is the same for all parts of a product, a [`Template`] filled with the names of an
//! [`Authority`]. The certificate that comes out is, byte for byte, the one that was signed in the factory;
//! [`rebuild`] hands it out only if its signatures verify up to the authority's root.

mod authority;
mod compressed;
mod der;
mod template;

use core::fmt;

pub use authority::{Authority, MICROCHIP, key_identifier};
pub use compressed::{COMPRESSED_CERTIFICATE, Compressed, IssueDate};
pub use template::{Device, Signer, Template, to_be_signed};

use crate::{PublicKey, SerialNumber};

/// Longest certificate that a template gives, with room to spare; real ones have 500 to 548 bytes.
pub const MAX_CERTIFICATE: usize = 640;

/// A certificate in DER.
pub type Der = heapless::Vec<u8, MAX_CERTIFICATE>;

/// What the chip holds of its identity.
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

/// Rebuilds the certificates of a Trust&GO TLS part.
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
    let device = Compressed::parse(&stored.device)?;
    let signer = Compressed::parse(&stored.signer)?;
    let signer_key = padded_key(&stored.signer_public_key);
    let signer_subject = Signer { public_key: signer_key, id: signer.signer_id };
    let device_subject =
        Device { serial_number: stored.serial_number, public_key: stored.public_key, eui48: stored.eui48 };

    for authority in authorities {
        let Some(signer_der) = template::signer(authority, &signer_subject, &signer) else { continue };
        for template in Template::candidates(hint) {
            let Some(device_der) = template.device(authority, &signer_subject, &device_subject, &device)
            else {
                continue;
            };
            if !verifies(&device_der, &signer_key, &device) {
                continue;
            }
            if !verifies(&signer_der, &authority.root_public_key, &signer) {
                return Err(CertificateError::UnknownRoot);
            }
            return Ok(Chain {
                device: device_der,
                signer: signer_der,
                signer_public_key: signer_key,
                authority,
                template,
            });
        }
    }
    Err(CertificateError::NoTemplate)
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
                "the chip stores no compressed certificate in slots 10 and 12; is it a Trust&GO TLS part?",
            ),
            Self::Format { version } => {
                write!(
                    f,
                    "the chip's certificate has compressed format {version}, which is not supported yet"
                )
            }
            Self::NoTemplate => {
                f.write_str("the chip's certificate fits no known template; is it a Trust&GO TLS part?")
            }
            Self::UnknownRoot => {
                f.write_str("the chip's signer certificate was not issued by a root that this program trusts")
            }
        }
    }
}

impl core::error::Error for CertificateError {}

/// The key in slot 11: X and Y stand right-aligned in 36 bytes each (section 4.5.1.1).
fn padded_key(slot: &[u8; 72]) -> PublicKey {
    let mut key = [0; 64];
    key[..32].copy_from_slice(&slot[4..36]);
    key[32..].copy_from_slice(&slot[40..72]);
    PublicKey::from_bytes(key)
}

fn verifies(certificate: &Der, key: &PublicKey, stored: &Compressed) -> bool {
    to_be_signed(certificate)
        .is_some_and(|signed| key.verify(&template::sha256(&[signed]), &stored.signature))
}
