//! Signatures as they are written and read.

use atecc::Signature;
use base64ct::{Base64, Encoding};
use clap::ValueEnum;
use x509_cert::der::{self, Decode, Reader, SliceReader, asn1::UintRef};

use crate::{output, values};

/// How a signature is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    /// As OpenSSL and X.509 have it: ECDSA-Sig-Value in DER, binary.
    Der,
    /// R, then S: 64 bytes, binary, as in PKCS#11 and JOSE.
    Raw,
    /// R, then S, in 128 hexadecimal digits.
    Hex,
    /// The DER form, in base64.
    Base64,
}

impl Format {
    /// Whether it is a line of text.
    pub(crate) const fn is_text(self) -> bool {
        matches!(self, Self::Hex | Self::Base64)
    }

    /// `signature` in this format; a line of text ends with a line feed.
    pub(crate) fn write(self, signature: &Signature) -> Vec<u8> {
        match self {
            Self::Der => signature.to_der().to_vec(),
            Self::Raw => signature.as_bytes().to_vec(),
            Self::Hex => (output::hex(signature.as_bytes()) + "\n").into_bytes(),
            Self::Base64 => (Base64::encode_string(&signature.to_der()) + "\n").into_bytes(),
        }
    }

    /// The signature in `bytes`, if they are one in this format.
    pub(crate) fn read(self, bytes: &[u8]) -> Option<Signature> {
        let text = || std::str::from_utf8(bytes).ok().map(str::trim);
        match self {
            Self::Der => from_der(bytes).ok(),
            Self::Raw => bytes.try_into().ok().map(Signature::from_bytes),
            Self::Hex => values::hex(text()?)?.try_into().ok().map(Signature::from_bytes),
            Self::Base64 => from_der(&Base64::decode_vec(text()?).ok()?).ok(),
        }
    }
}

fn from_der(bytes: &[u8]) -> Result<Signature, der::Error> {
    let mut reader = SliceReader::new(bytes)?;
    let integers: Vec<UintRef<'_>> = Vec::decode(&mut reader)?;
    reader.finish()?;
    let mut r_s = [0; 64];
    let [r, s] = integers[..] else { return Err(der::Tag::Sequence.length_error().into()) };
    for (number, half) in [r, s].iter().zip(r_s.chunks_exact_mut(32)) {
        let digits = number.as_bytes();
        let start = half.len().checked_sub(digits.len()).ok_or_else(|| der::Tag::Integer.length_error())?;
        half[start..].copy_from_slice(digits);
    }
    Ok(Signature::from_bytes(r_s))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R has its highest bit set, S begins with zeros.
    fn signature() -> Signature {
        let mut bytes = [0x80; 64];
        bytes[32..40].fill(0);
        Signature::from_bytes(bytes)
    }

    #[test]
    fn every_format_survives_the_round_trip() {
        for format in Format::value_variants() {
            assert_eq!(format.read(&format.write(&signature())), Some(signature()), "{format:?}");
        }
    }

    #[test]
    fn what_is_no_signature_is_refused() {
        let der = signature().to_der();
        let longer = [&der[..], &[0]].concat();
        for bytes in [&b""[..], b"\x30\x00", &der[..der.len() - 1], &longer, &[0x30; 63]] {
            assert_eq!(Format::Der.read(bytes), None);
            assert_eq!(Format::Raw.read(bytes), None);
            assert_eq!(Format::Hex.read(bytes), None);
            assert_eq!(Format::Base64.read(bytes), None);
        }
    }
}
