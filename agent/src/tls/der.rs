//! ECDSA signatures in the form of TLS: `SEQUENCE { INTEGER r, INTEGER s }` (RFC 3279, section 2.2.3).

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;

/// Encodes R, S as the chip gives them, 32 bytes each. At most 72 bytes, so every length fits in one byte.
pub(super) fn signature(r_s: &[u8; 64]) -> Vec<u8> {
    let mut body = Vec::with_capacity(70);
    for number in r_s.chunks_exact(32) {
        integer(number, &mut body);
    }
    let mut encoded = Vec::with_capacity(body.len() + 2);
    encoded.extend([SEQUENCE, body.len() as u8]);
    encoded.extend(body);
    encoded
}

/// The shortest two's complement form: no leading zeros, but one before a high bit, which would mean "negative".
fn integer(number: &[u8], out: &mut Vec<u8>) {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let digits = &number[zeros..];
    let padded = digits.first().is_none_or(|byte| byte & 0x80 != 0);
    out.extend([INTEGER, digits.len() as u8 + u8::from(padded)]);
    out.extend(padded.then_some(0));
    out.extend_from_slice(digits);
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::ecdsa::Signature;

    fn encode(r: &[u8], s: &[u8]) -> Vec<u8> {
        let mut r_s = [0; 64];
        r_s[32 - r.len()..32].copy_from_slice(r);
        r_s[64 - s.len()..].copy_from_slice(s);
        signature(&r_s)
    }

    #[test]
    fn leading_zeros_are_left_out() {
        assert_eq!(encode(&[1], &[2, 3]), [0x30, 7, 2, 1, 1, 2, 2, 2, 3]);
    }

    #[test]
    fn a_high_bit_gets_a_zero_before_it() {
        assert_eq!(encode(&[0x80], &[0x7f]), [0x30, 7, 2, 2, 0, 0x80, 2, 1, 0x7f]);
        assert_eq!(encode(&[0xff; 32], &[0xff; 32]).len(), 72);
    }

    #[test]
    fn zero_is_one_byte() {
        assert_eq!(encode(&[], &[]), [0x30, 6, 2, 1, 0, 2, 1, 0]);
    }

    #[test]
    fn agrees_with_the_reference_encoder() {
        for (r, s) in [(1, 0x7f), (0x80, 0x01), (0x12, 0xfe)] {
            for leading in [0, 1, 2, 15, 31] {
                let mut r_s = [0x5a; 64];
                r_s[..leading].fill(0);
                r_s[leading] = r;
                r_s[32..32 + leading].fill(0);
                r_s[32 + leading] = s;
                let reference = Signature::from_slice(&r_s).unwrap().to_der();
                assert_eq!(signature(&r_s), reference.as_bytes());
            }
        }
    }
}
