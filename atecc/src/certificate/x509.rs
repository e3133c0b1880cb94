//! The parts that certificates (RFC 5280) and requests (RFC 2986) have in common.

use super::der::{BIT_STRING, BOOLEAN, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, SET, Writer};
use crate::{PublicKey, Signature};

pub(crate) const ECDSA_WITH_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
pub(crate) const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
pub(crate) const SERIAL_NUMBER: &[u8] = &[0x55, 0x04, 0x05];
pub(crate) const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];
pub(crate) const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
pub(crate) const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const PRIME256V1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// An attribute of a name, alone in its set; the value is the concatenation of `value`.
pub(crate) fn attribute<const N: usize>(name: &mut Writer<N>, kind: &[u8], string_type: u8, value: &[&[u8]]) {
    name.nest(SET, |set| {
        set.nest(SEQUENCE, |pair| {
            pair.value(OBJECT_IDENTIFIER, kind);
            pair.nest(string_type, |string| value.iter().for_each(|part| string.raw(part)));
        });
    });
}

/// SubjectPublicKeyInfo of a P-256 key (RFC 5480, section 2).
pub(crate) fn subject_public_key<const N: usize>(writer: &mut Writer<N>, key: &PublicKey) {
    writer.nest(SEQUENCE, |info| {
        info.nest(SEQUENCE, |algorithm| {
            algorithm.value(OBJECT_IDENTIFIER, EC_PUBLIC_KEY);
            algorithm.value(OBJECT_IDENTIFIER, PRIME256V1);
        });
        info.nest(BIT_STRING, |bits| {
            bits.raw(&[0x00]);
            bits.raw(&key.to_sec1());
        });
    });
}

/// An extension (RFC 5280, section 4.2).
pub(crate) fn extension<const N: usize>(
    list: &mut Writer<N>,
    kind: &[u8],
    is_critical: bool,
    value: impl FnOnce(&mut Writer<N>),
) {
    list.nest(SEQUENCE, |extension| {
        extension.value(OBJECT_IDENTIFIER, kind);
        if is_critical {
            extension.value(BOOLEAN, &[0xff]);
        }
        extension.nest(OCTET_STRING, value);
    });
}

/// The algorithm of every signature here, ECDSA with SHA-256 (RFC 5758, section 3.2).
pub(crate) fn algorithm<const N: usize>(writer: &mut Writer<N>) {
    writer.nest(SEQUENCE, |algorithm| algorithm.value(OBJECT_IDENTIFIER, ECDSA_WITH_SHA256));
}

/// A signature as a BIT STRING around ECDSA-Sig-Value (RFC 5480, appendix A; DS20006367A, section 3.2).
pub(crate) fn signature<const N: usize>(writer: &mut Writer<N>, signature: &Signature) {
    writer.nest(BIT_STRING, |bits| {
        bits.raw(&[0x00]);
        bits.raw(&signature.to_der());
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The signature of example 1 in section 3.2 of DS20006367A: S has its highest bit set.
    const PADDED: [u8; 64] = [
        0x37, 0x4a, 0xdd, 0x5a, 0xb5, 0x7e, 0x48, 0xf8, 0xea, 0x59, 0xab, 0xc6, 0xe6, 0x09, 0x54, 0xe8, 0x46,
        0x25, 0x8c, 0xca, 0x1e, 0x63, 0x25, 0xf4, 0xa4, 0x86, 0x55, 0x20, 0xb0, 0xfa, 0x48, 0xae, 0x9c, 0x92,
        0x55, 0x1e, 0x8b, 0x85, 0x5e, 0x30, 0xea, 0xa0, 0x9b, 0xc8, 0x47, 0x3c, 0x79, 0x27, 0xa4, 0x60, 0xe8,
        0x16, 0x11, 0x93, 0x5d, 0x60, 0xc2, 0xd6, 0xd8, 0x34, 0xbf, 0x99, 0xb5, 0xcf,
    ];

    fn encoded(r_s: [u8; 64]) -> heapless::Vec<u8, 80> {
        let mut writer = Writer::default();
        signature(&mut writer, &Signature::from_bytes(r_s));
        writer.finish().unwrap()
    }

    #[test]
    fn an_integer_with_its_highest_bit_set_is_padded() {
        let der = encoded(PADDED);
        assert_eq!(der[..7], [0x03, 0x48, 0x00, 0x30, 0x45, 0x02, 0x20]);
        assert_eq!(der[7..39], PADDED[..32]);
        assert_eq!(der[39..42], [0x02, 0x21, 0x00]);
        assert_eq!(der[42..], PADDED[32..]);
    }

    /// Example 2 of the same section: one zero byte before R, two before S.
    #[test]
    fn zero_bytes_in_front_are_cut() {
        let mut trimmed = PADDED;
        trimmed[..2].copy_from_slice(&[0x00, 0x55]);
        trimmed[32..35].copy_from_slice(&[0x00, 0x00, 0x7f]);
        let der = encoded(trimmed);
        assert_eq!(der[..7], [0x03, 0x44, 0x00, 0x30, 0x41, 0x02, 0x1f]);
        assert_eq!(der[7..38], trimmed[1..32]);
        assert_eq!(der[38..40], [0x02, 0x1e]);
        assert_eq!(der[40..], trimmed[34..]);
    }
}
