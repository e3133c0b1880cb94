//! Who signs the signers, by name and key.

use sha1::{Digest as _, Sha1};

use crate::PublicKey;

/// The names and the root of a certificate authority that uses Trust&GO templates.
#[derive(Debug)]
pub struct Authority {
    /// The organization in every subject and issuer.
    pub organization: &'static str,
    /// The common name of the root.
    pub root_common_name: &'static str,
    /// What stands before the four hexadecimal digits in the common name of a signer.
    pub signer_common_name: &'static str,
    /// The root certificate, DER.
    pub root_certificate: &'static [u8],
    /// The key in the root certificate.
    pub root_public_key: PublicKey,
}

/// Microchip's Crypto Authentication Root CA 002, pinned: the root of every Trust&GO part.
pub static MICROCHIP: Authority = Authority {
    organization: "Microchip Technology Inc",
    root_common_name: "Crypto Authentication Root CA 002",
    signer_common_name: "Crypto Authentication Signer ",
    root_certificate: include_bytes!("microchip_root_ca_002.der"),
    root_public_key: PublicKey::from_bytes(ROOT_CA_002_PUBLIC_KEY),
};

/// X and Y of the key in Root CA 002.
const ROOT_CA_002_PUBLIC_KEY: [u8; 64] = [
    0xbd, 0x54, 0xe6, 0x6d, 0xe3, 0x87, 0x54, 0x84, 0x00, 0x6b, 0x53, 0xae, 0x15, 0x80, 0xd5, 0x0a, 0xa0,
    0x69, 0xe7, 0x8a, 0xdf, 0x55, 0x78, 0xd8, 0x5c, 0xe2, 0xd5, 0x4d, 0xd5, 0xb8, 0x30, 0x29, 0x6b, 0xff,
    0xdd, 0x6e, 0x6f, 0x72, 0x56, 0xfb, 0xd9, 0x9e, 0xf1, 0xa1, 0x16, 0xb1, 0x1d, 0x33, 0xad, 0x49, 0x10,
    0x3a, 0xa1, 0x85, 0x87, 0x39, 0xdc, 0xfa, 0xe4, 0x37, 0xe1, 0x9d, 0x63, 0x4e,
];

/// The key identifier of the templates: SHA-1 over the uncompressed point (RFC 5280, section 4.2.1.2, method 1).
pub fn key_identifier(key: &PublicKey) -> [u8; 20] {
    Sha1::digest(key.to_sec1()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fingerprint that Microchip publishes for Root CA 002.
    const ROOT_CA_002_SHA256: &str = "a5b883bf22933f43a9414fedcd4da87dd468e7301d875b86c5b783f22a0116bd";

    #[test]
    fn the_pinned_root_is_microchips() {
        let digest = crate::certificate::template::sha256(&[MICROCHIP.root_certificate]);
        let hex = digest.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
        assert!(hex.eq(ROOT_CA_002_SHA256.chars().map(|digit| digit.to_digit(16).unwrap() as u8)));
    }

    #[test]
    fn the_pinned_key_is_the_one_in_the_root_certificate() {
        let point = MICROCHIP.root_public_key.to_sec1();
        assert!(MICROCHIP.root_certificate.windows(point.len()).any(|window| window == point));
    }

    #[test]
    fn the_roots_key_identifier_is_the_one_in_every_signer_certificate() {
        assert_eq!(
            key_identifier(&MICROCHIP.root_public_key),
            [
                0x7a, 0xed, 0x7d, 0x6d, 0xc6, 0xb7, 0x78, 0x9d, 0xb2, 0x38, 0x01, 0xa5, 0xe8, 0x4a, 0x8c,
                0xb0, 0xa4, 0x0e, 0x2a, 0x8c
            ]
        );
    }
}
