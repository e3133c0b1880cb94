//! What an entry says of its chip, and what it is wrapped in.
//!
//! Microchip's format: "Trust Platform Manifest File Format" (2019-09-26): a JSON Web Signature in the flattened
//! JSON serialisation (RFC 7515, section 7.2.2) around a payload with the public keys of one chip.

use std::borrow::Cow;

use base64_simd::{AsOut, URL_SAFE_NO_PAD};
use serde::{Deserialize, de::IgnoredAny};

use super::{entries::without_position, refusal::Refusal};

/// An entry as it stands in the file. Members that RFC 7515 does not name are ignored, as it says.
#[derive(Debug, Deserialize)]
pub(super) struct Entry<'a> {
    #[serde(borrow)]
    pub(super) protected: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) payload: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) signature: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) header: Header<'a>,
}

/// What is not signed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Header<'a> {
    #[serde(borrow)]
    pub(super) unique_id: Cow<'a, str>,
}

/// The protected header.
#[derive(Debug, Deserialize)]
pub(super) struct Protected<'a> {
    #[serde(borrow)]
    pub(super) alg: Cow<'a, str>,
    /// The key identifier of the log signer.
    #[serde(borrow)]
    pub(super) kid: Cow<'a, str>,
    /// The SHA-256 of the log signer's certificate.
    #[serde(borrow, rename = "x5t#S256")]
    pub(super) fingerprint: Cow<'a, str>,
    #[serde(default)]
    pub(super) crit: Option<IgnoredAny>,
}

/// The payload: one chip.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Element<'a> {
    /// 1; TrustMANAGER parts have 2.
    pub(super) version: u64,
    #[serde(borrow)]
    pub(super) model: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) part_number: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) manufacturer: Option<Organization<'a>>,
    #[serde(borrow, default)]
    pub(super) provisioner: Option<Organization<'a>>,
    /// The document spells it "distributer", files do not.
    #[serde(borrow, default, alias = "distributer")]
    pub(super) distributor: Option<Organization<'a>>,
    #[serde(borrow, default)]
    pub(super) group_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) provisioning_timestamp: Cow<'a, str>,
    /// The serial number, 18 hexadecimal digits.
    #[serde(borrow)]
    pub(super) unique_id: Cow<'a, str>,
    /// Absent for TrustMANAGER parts.
    #[serde(borrow, default)]
    pub(super) public_key_set: Option<KeySet<'a>>,
}

/// Who made, provisioned or sold the chip.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Organization<'a> {
    #[serde(borrow)]
    pub(super) organization_name: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) organizational_unit_name: Option<Cow<'a, str>>,
}

/// A JSON Web Key Set (RFC 7517, section 5).
#[derive(Debug, Deserialize)]
pub(super) struct KeySet<'a> {
    #[serde(borrow)]
    pub(super) keys: Vec<Jwk<'a>>,
}

/// A public key.
#[derive(Debug, Deserialize)]
pub(super) struct Jwk<'a> {
    /// The number of its slot.
    #[serde(borrow)]
    pub(super) kid: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) kty: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) crv: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) x: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) y: Cow<'a, str>,
    /// The device's certificate and its signer's, each in base64 with padding.
    #[serde(borrow, default)]
    pub(super) x5c: Option<Vec<Cow<'a, str>>>,
}

impl Jwk<'_> {
    /// X, then Y, if they are 32 bytes each.
    pub(super) fn coordinates(&self) -> Option<[u8; 64]> {
        let mut coordinates = [0; 64];
        if self.kty != "EC" || self.crv != "P-256" {
            return None;
        }
        for (text, half) in [&self.x, &self.y].into_iter().zip(coordinates.chunks_exact_mut(32)) {
            if URL_SAFE_NO_PAD.decoded_length(text.as_bytes()).ok()? != half.len() {
                return None;
            }
            URL_SAFE_NO_PAD.decode(text.as_bytes(), half.as_out()).ok()?;
        }
        Some(coordinates)
    }
}

impl<'a> Entry<'a> {
    pub(super) fn parse(json: &'a [u8]) -> Result<Self, Refusal> {
        serde_json::from_slice(json).map_err(|error| Refusal::NotSigned(without_position(&error)))
    }

    /// The text of the payload. Nothing has been verified yet.
    pub(super) fn payload_json(&self) -> Result<Vec<u8>, Refusal> {
        decode(&self.payload, "payload")
    }
}

impl<'a> Element<'a> {
    pub(super) fn parse(json: &'a [u8]) -> Result<Self, Refusal> {
        let element: Self =
            serde_json::from_slice(json).map_err(|error| Refusal::Payload(without_position(&error)))?;
        let is_serial_number =
            element.unique_id.len() == 18 && element.unique_id.bytes().all(|digit| digit.is_ascii_hexdigit());
        if !is_serial_number {
            return Err(Refusal::SerialNumber(element.unique_id.into()));
        }
        Ok(element)
    }

    /// The keys, or none.
    pub(super) fn keys(&self) -> &[Jwk<'a>] {
        self.public_key_set.as_ref().map_or(&[], |set| &set.keys)
    }
}

/// The bytes of a member in base64url.
pub(super) fn decode(text: &str, member: &'static str) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD.decode_to_vec(text).map_err(|_| Refusal::Base64 { member })
}
