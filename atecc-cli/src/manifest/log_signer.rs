//! Who signs manifests.

use std::sync::Arc;

use atecc::{PublicKey, certificate::key_identifier};
use sha2::{Digest, Sha256};

use super::{key::Key, refusal::CertificateProblem, x509::Parsed};
use crate::values;

/// A log signer that is trusted.
///
/// Its certificate's dates do not count: Microchip's log signers lived for half a year to three years, and what
/// they signed is on reels for decades. The fingerprint and the key say who it is.
#[derive(Debug)]
pub(super) struct LogSigner {
    pub(super) name: String,
    /// SHA-256 of its certificate.
    pub(super) fingerprint: [u8; 32],
    pub(super) key_identifier: Vec<u8>,
    pub(super) key: Arc<Key>,
}

impl LogSigner {
    /// All log signers of Microchip.
    pub(super) fn pinned() -> impl Iterator<Item = Self> {
        PINNED.iter().filter_map(|Pinned { name, fingerprint, x, y }| {
            let coordinates: [u8; 64] = values::hex(&format!("{x}{y}"))?.try_into().ok()?;
            Some(Self {
                name: (*name).into(),
                fingerprint: values::hex(fingerprint)?.try_into().ok()?,
                // Of all five it is that of RFC 5280, section 4.2.1.2, method 1.
                key_identifier: key_identifier(&PublicKey::from_bytes(coordinates)).to_vec(),
                key: Key::new(&coordinates)?,
            })
        })
    }

    /// One whose certificate the user brought.
    pub(super) fn from_certificate(der: &[u8]) -> Result<Self, CertificateProblem> {
        let certificate = Parsed::new(der)?;
        Ok(Self {
            name: certificate.subject().to_string(),
            fingerprint: Sha256::digest(der).into(),
            key_identifier: certificate.key_identifier(),
            key: Key::new(&certificate.coordinates).ok_or(CertificateProblem::Key)?,
        })
    }
}

/// Figures of a certificate.
struct Pinned {
    name: &'static str,
    fingerprint: &'static str,
    x: &'static str,
    y: &'static str,
}

/// From the certificates that Microchip publishes with pytrustplatform 1.1.4 (001 to 004) and on its site (005).
const PINNED: [Pinned; 5] = [
    Pinned {
        name: "Log Signer 001",
        fingerprint: "4c4738e924f644317f00ebc1b680986bcdfc55620f7cd57fda34ea35ae23e51e",
        x: "4bbcfd9c91753bb837492ebbbe82475251e6fcf4e04b91a8be134313229d1894",
        y: "7371edab2dfc3ba1eb5e8daa98da32aced31776236a5f4215d662e2d3df93065",
    },
    Pinned {
        name: "Log Signer 002",
        fingerprint: "53d4ca9b0e1fde21b9e8e191f1857f35cc659340e51b41722fd6839707dbbf50",
        x: "b08bae03e54f739ece7b43f650b64a1c14865c74edf8aafd511327e213500c1b",
        y: "82b3e307f5e2f467212c833b170652506384a9103a2ad1f7d973294c61ca9820",
    },
    Pinned {
        name: "Log Signer 003",
        fingerprint: "30c7ca720e3ab2d1a0a3bace2d5ad5dafa3f54a09b7d2117addac35aa60a3188",
        x: "e7906d0c37451f84b8ca48d650439ab9ad651e695f7ce39f3e7bc7da3a996b9d",
        y: "21180cb57b8eecf4b930e1a7ab3b7182b50aec44faf6e0234230b94f8ffbab65",
    },
    Pinned {
        name: "Log Signer 004",
        fingerprint: "d5f961e44082fdd2d198dd407aa1ccf5eb5f38cf5138ebc43845806984173a8f",
        x: "04f188e7251a2a1398cff9443ea8e6ea33248dbea1820d9df7f6955c3733c4a7",
        y: "a47743a57eccb434b3ea5703ad91914ee8e5fc2928f5f2da6001ebaf91374d14",
    },
    Pinned {
        name: "Manifest Signer 005",
        fingerprint: "571d99841117e3afb34f28886045903fa785cc283dd2e8068e1e5ea4604ce0e3",
        x: "4caf1dd97d79a84655507aa81935d21249a342d06156e9f96885edb20d887c18",
        y: "8e06836dac627136149a1c5e81fab5ea730cdd66fc0b98dfb33046dc9223e498",
    },
];

#[cfg(test)]
mod tests {
    use base64ct::{Base64UrlUnpadded, Encoding};

    use super::*;

    /// The kid of real entries: of the example in Microchip's document (001), and of ECC608C-TNGTLSU-B (005).
    #[test]
    fn the_pinned_figures_are_five_keys_with_the_identifiers_of_real_entries() {
        let pinned: Vec<LogSigner> = LogSigner::pinned().collect();
        assert_eq!(pinned.len(), 5);
        let kid = |index: usize| Base64UrlUnpadded::encode_string(&pinned[index].key_identifier);
        assert_eq!(kid(0), "7cCILlAOwYo1-PChGuoyUISMK3g");
        assert_eq!(kid(4), "TCnpnzYB8M3CO776ByPJ2yX3KYo");
    }
}
