//! The two formats of requests and answers.

use serde_json::{Map, Value};

use super::rejection::Rejection;

/// How a payload is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// JavaScript Object Notation.
    Json,
    /// Concise Binary Object Representation (RFC 8949).
    Cbor,
}

impl Format {
    /// The last level of a request's topic.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Cbor => "cbor",
        }
    }

    /// Reads a request.
    pub(super) fn decode(self, payload: &[u8]) -> Result<Map<String, Value>, Rejection> {
        let value = match self {
            Self::Json => serde_json::from_slice(payload).ok(),
            Self::Cbor => ciborium::from_reader(payload).ok(),
        };
        match value {
            Some(Value::Object(body)) => Ok(body),
            _ => Err(Rejection::UNREADABLE),
        }
    }

    /// Writes an answer.
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cbor_is_that_of_the_standard() {
        let document = serde_json::json!({"a": "b"});
        // RFC 8949, appendix A: {"a": "b"} would be a1 61 61 61 62.
        assert_eq!(Format::Cbor.encode(&document), [0xa1, 0x61, 0x61, 0x61, 0x62]);
        let read = Format::Cbor.decode(&[0xa1, 0x61, 0x61, 0x61, 0x62]).unwrap();
        assert_eq!(Value::Object(read), document);
        assert!(Format::Cbor.decode(b"{\"a\":\"b\"}").is_err());
        assert!(Format::Json.decode(&[0xa1, 0x61, 0x61, 0x61, 0x62]).is_err());
        assert!(Format::Cbor.decode(&[0x9f; 4096]).is_err());
    }
}
