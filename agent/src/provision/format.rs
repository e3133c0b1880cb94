//! The two formats of requests and answers.

use serde_json::Value;

use crate::config::Format;

impl Format {
    /// The last level of a request's topic.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Cbor => "cbor",
        }
    }

    pub(super) fn encode(self, document: &Value) -> Vec<u8> {
        match self {
            Self::Json => document.to_string().into_bytes(),
            Self::Cbor => {
                let mut bytes = Vec::new();
                // Writing to memory does not fail, and JSON has nothing that CBOR has not.
                let _ = ciborium::into_writer(document, &mut bytes);
                bytes
            }
        }
    }

    /// The error says why it is no document, and nothing of what is in it.
    pub(super) fn decode(self, payload: &[u8]) -> Result<Value, String> {
        let (value, kind) = match self {
            Self::Json => (serde_json::from_slice(payload).ok(), "JSON"),
            Self::Cbor => (ciborium::from_reader(payload).ok(), "CBOR"),
        };
        match value {
            Some(value @ Value::Object(_)) => Ok(value),
            _ => Err(format!("its {} bytes are no {kind} object", payload.len())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cbor_is_that_of_the_standard() {
        let document = serde_json::json!({"a": "b"});
        // RFC 8949, appendix A.
        let bytes = [0xa1, 0x61, 0x61, 0x61, 0x62];
        assert_eq!(Format::Cbor.encode(&document), bytes);
        assert_eq!(Format::Cbor.decode(&bytes), Ok(document));
    }

    #[test]
    fn a_damaged_document_is_another_one_or_none_and_never_the_end() {
        let document = serde_json::json!({
            "certificateId": "a", "certificatePem": "b".repeat(40), "list": [1, -2, 3.5, null, {"deep": [[["x"]]]}],
        });
        for format in [Format::Json, Format::Cbor] {
            let whole = format.encode(&document);
            for place in 0..whole.len() {
                let _ = format.decode(&whole[..place]);
                for value in 0..=u8::MAX {
                    let mut damaged = whole.clone();
                    damaged[place] = value;
                    let _ = format.decode(&damaged);
                }
            }
            // Deep enough to exhaust the stack of somebody who does not count.
            let deep = match format {
                Format::Json => [b"{\"a\":".repeat(100_000), b"1".to_vec()].concat(),
                Format::Cbor => [0xa1, 0x61, 0x61].repeat(100_000),
            };
            assert!(format.decode(&deep).is_err());
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for (format, payload) in [
            (Format::Json, &b""[..]),
            (Format::Json, b"[1]"),
            (Format::Json, b"{\"a\":"),
            (Format::Json, &[0xa1, 0x61, 0x61, 0x61, 0x62]),
            (Format::Cbor, b""),
            (Format::Cbor, b"{\"a\":1}"),
            (Format::Cbor, &[0x9f; 4096]),
            (Format::Cbor, &[0xbf, 0x61, 0x61]),
        ] {
            let problem = format.decode(payload).unwrap_err();
            assert!(problem.contains("no "), "{problem}");
        }
    }
}
