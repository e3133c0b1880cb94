//! Certificate requests, PKCS#10 (RFC 2986), for a key in the chip.
//!
//! Two steps, with the chip between them and no key in sight:
//!
//! ```
//! # fn request<T: atecc::Transport>(chip: &mut atecc::Device<T>) -> Option<()> {
//! use atecc::{Slot, request::{AlternativeName, Attribute, KeyUsage, Request}};
//!
//! let request = Request {
//!     subject: &[Attribute::CommonName("pump-7"), Attribute::Organization("Example"), Attribute::Country("DE")],
//!     alternative_names: &[AlternativeName::Dns("pump-7.example.com")],
//!     key_usage: Some(KeyUsage::DIGITAL_SIGNATURE),
//! };
//! let slot = Slot::new(2)?;
//! let to_be_signed = request.to_be_signed(&chip.public_key(slot).ok()?).ok()?;
//! let signature = chip.sign(slot, &to_be_signed.digest()).ok()?;
//! let der = to_be_signed.assemble(&signature).ok()?;
//! # Some(()) }
//! ```

mod extension;
mod name;

use core::fmt;

use heapless::Vec;

pub use extension::{AlternativeName, KeyUsage};
pub use name::Attribute;

use crate::{
    Digest, PublicKey, Signature,
    certificate::{
        der::{OBJECT_IDENTIFIER, SEQUENCE, SET, Writer, explicit},
        sha256,
        x509::{algorithm, signature, subject_public_key},
    },
};

/// Longest request. That of a name with all attributes at their usual lengths and a few alternative names has
/// half of it.
pub const MAX_REQUEST: usize = 1024;

/// A certificate request in DER.
pub type RequestDer = Vec<u8, MAX_REQUEST>;

/// What the certificate shall say, beside the key.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    /// The subject's name, from the general to the particular or the other way: the order is kept.
    pub subject: &'a [Attribute<'a>],
    /// Other names of the subject.
    pub alternative_names: &'a [AlternativeName<'a>],
    /// What the key is for, if the request shall say so. Most authorities decide that themselves.
    pub key_usage: Option<KeyUsage>,
}

impl Request<'_> {
    /// The part that the key in the chip signs.
    ///
    /// # Errors
    /// When there is no name at all, one of them may not stand in a certificate, or all are too long together.
    pub fn to_be_signed(&self, key: &PublicKey) -> Result<ToBeSigned, RequestError> {
        if self.subject.is_empty() && self.alternative_names.is_empty() {
            return Err(RequestError::NoName);
        }
        self.subject.iter().try_for_each(Attribute::check)?;
        self.alternative_names.iter().try_for_each(AlternativeName::check)?;
        let mut writer = Writer::default();
        writer.nest(SEQUENCE, |info| {
            info.unsigned(&[0]);
            info.nest(SEQUENCE, |name| self.subject.iter().for_each(|attribute| attribute.write(name)));
            subject_public_key(info, key);
            // Present even when it is empty (RFC 2986, section 4.1).
            info.nest(explicit(0), |attributes| self.extension_request(attributes));
        });
        let der: RequestDer = writer.finish().ok_or(RequestError::TooLong)?;
        if der.len() + FRAME > MAX_REQUEST {
            return Err(RequestError::TooLong);
        }
        Ok(ToBeSigned { der, public_key: *key })
    }

    /// The extensions that are asked for (RFC 2985, section 5.4.2), as an attribute of the request.
    fn extension_request(&self, attributes: &mut Writer<MAX_REQUEST>) {
        if self.alternative_names.is_empty() && self.key_usage.is_none() {
            return;
        }
        attributes.nest(SEQUENCE, |attribute| {
            attribute.value(OBJECT_IDENTIFIER, EXTENSION_REQUEST);
            attribute.nest(SET, |values| {
                values.nest(SEQUENCE, |extensions| {
                    if let Some(usage) = self.key_usage {
                        usage.write(extensions);
                    }
                    // The only name that there is must not be passed over (RFC 5280, section 4.2.1.6).
                    AlternativeName::write(self.alternative_names, self.subject.is_empty(), extensions);
                });
            });
        });
    }
}

/// A request that lacks its signature.
#[derive(Clone, Debug)]
pub struct ToBeSigned {
    der: RequestDer,
    public_key: PublicKey,
}

impl ToBeSigned {
    /// CertificationRequestInfo in DER.
    pub fn as_bytes(&self) -> &[u8] {
        &self.der
    }

    /// Its SHA-256 hash, for [`Device::sign`](crate::Device::sign).
    pub fn digest(&self) -> Digest {
        sha256(&[&self.der])
    }

    /// The request with its signature.
    ///
    /// # Errors
    /// When the signature is not that of the key in the request: another slot signed, or a fault happened. Such
    /// a signature may give the key away, so it goes no further.
    pub fn assemble(&self, signed: &Signature) -> Result<RequestDer, RequestError> {
        if !self.public_key.verify(&self.digest(), signed) {
            return Err(RequestError::Signature);
        }
        let mut writer = Writer::default();
        writer.nest(SEQUENCE, |request| {
            request.raw(&self.der);
            algorithm(request);
            signature(request, signed);
        });
        writer.finish().ok_or(RequestError::TooLong)
    }
}

/// Why there is no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestError {
    /// Neither subject nor alternative name.
    NoName,
    /// A value is empty or too long.
    Length {
        /// The field, as RFC 5280 calls it.
        field: &'static str,
        /// The most characters that it may have.
        longest: usize,
    },
    /// A value has characters that may not stand there.
    Characters {
        /// The field, as RFC 5280 calls it.
        field: &'static str,
        /// What may stand there.
        allowed: &'static str,
    },
    /// All values together do not fit.
    TooLong,
    /// The signature does not verify with the key of the request.
    Signature,
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoName => f.write_str("a certificate request needs a subject or an alternative name"),
            Self::Length { field, longest } => {
                write!(f, "{field} is empty or too long; it takes 1 to {longest} characters")
            }
            Self::Characters { field, allowed } => write!(f, "{field} takes {allowed} only"),
            Self::TooLong => write!(
                f,
                "the certificate request gets longer than {MAX_REQUEST} bytes; shorten the names or leave some out"
            ),
            Self::Signature => f.write_str(
                "the signature does not match the key in the certificate request; the slot must be the one whose \
                 public key the request has. If it is, the chip or the bus is faulty",
            ),
        }
    }
}

impl core::error::Error for RequestError {}

/// Longest that [`ToBeSigned::assemble`] adds: header, algorithm, signature of two 33-byte integers.
const FRAME: usize = 4 + 12 + 75;

/// extensionRequest of PKCS#9, 1.2.840.113549.1.9.14.
const EXTENSION_REQUEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e];

#[cfg(test)]
mod tests;
