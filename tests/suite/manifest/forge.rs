//! An entry with one byte changed, for each of its bytes.

use std::path::Path;

use base64ct::{Base64, Encoding};
use serde_json::Value;

use super::made::{LogSigner, decode, verify};

/// Changes each character of what is signed, of the signature and of the unsigned serial number in turn, once
/// out of the alphabet of base64 and once within it. Nothing of that may be believed.
#[track_caller]
pub(super) fn no_changed_byte_is_believed(entry: &Value, trusted: &[(&str, &Path)]) {
    let (report, code) = verify(std::slice::from_ref(entry), trusted);
    assert_eq!((&report["verified"], code), (&Value::from(1), Some(0)), "{report}");
    for member in ["/protected", "/payload", "/signature", "/header/uniqueId"] {
        let text = entry.pointer(member).unwrap().as_str().unwrap();
        let mut changed = Vec::new();
        for (position, byte) in text.bytes().enumerate() {
            let within = if byte == b'a' { b'b' } else { b'a' };
            for other in [byte ^ 0x01, byte ^ 0x20, within] {
                let mut bytes = text.as_bytes().to_vec();
                bytes[position] = other;
                let mut entry = entry.clone();
                *entry.pointer_mut(member).unwrap() = String::from_utf8(bytes).unwrap().into();
                changed.push(entry);
            }
        }
        let (report, code) = verify(&changed, trusted);
        assert_eq!(code, Some(1));
        assert_eq!(report["refused"], changed.len(), "{member}: {:?}", report["error"]);
        for problem in report["problems"].as_array().unwrap() {
            let reason = problem["reason"].as_str().unwrap();
            let expected: &[&str] = match member {
                "/protected" => {
                    &["header", "base64", "ES256", "log signer", "kid", "signature is not", "x5t"]
                }
                "/payload" | "/signature" => &["signature is not that of", "base64"],
                _ => &["its header says serial number"],
            };
            assert!(expected.iter().any(|words| reason.contains(words)), "{member}: {reason}");
        }
    }
}

/// Changes each byte of both certificates in turn, and signs the entry again: only the certificates can tell.
#[track_caller]
pub(super) fn no_changed_certificate_is_believed(
    entry: &Value,
    log_signer: &LogSigner,
    trusted: &[(&str, &Path)],
) {
    let payload = decode(entry, "payload");
    let own = log_signer.protected_header(entry);
    let (report, code) = verify(&[log_signer.sign(&own, &payload)], trusted);
    assert_eq!((&report["verified"], code), (&Value::from(1), Some(0)), "{report}");
    for (index, which) in ["device's", "signer's"].into_iter().enumerate() {
        let pointer = format!("/publicKeySet/keys/0/x5c/{index}");
        let der = Base64::decode_vec(payload.pointer(&pointer).unwrap().as_str().unwrap()).unwrap();
        let texts: Vec<Value> = (0..der.len())
            .map(|position| {
                let mut der = der.clone();
                // Each bit has its turn.
                der[position] ^= 1 << (position % 8);
                let mut payload = payload.clone();
                *payload.pointer_mut(&pointer).unwrap() = Base64::encode_string(&der).into();
                payload
            })
            .collect();
        let changed = log_signer.sign_all(&own, &texts);
        let (report, code) = verify(&changed, trusted);
        assert_eq!(code, Some(1));
        assert_eq!(report["refused"], der.len(), "{:?}", report["error"]);
        let expected = format!("its {which} certificate");
        for problem in report["problems"].as_array().unwrap() {
            let reason = problem["reason"].as_str().unwrap();
            // A signer with another key or name is a stranger to the device's certificate.
            assert!(reason.starts_with(&expected), "{reason}");
        }
    }
}
