//! From a certificate to the name of a thing in AWS IoT Core.

use x509_cert::{Certificate, der::Decode, der::asn1::AnyRef, der::oid::ObjectIdentifier};

/// id-at-commonName (RFC 5280, appendix A.1).
pub(crate) const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
/// The most that AWS takes (API reference of AWS IoT, `CreateThing`).
const LONGEST: usize = 128;

/// The name of the thing whose certificate is `leaf`, as registration, the template for just-in-time provisioning and
/// the agent use it. `None`: its subject has no common name that could be one.
///
/// | common name | thing |
/// |---|---|
/// | `sn0123456789ABCDEF01` (Trust&GO, template 3) | the same |
/// | `0123456789ABCDEF01 ATECC` (Trust&GO, template 2) | `sn0123456789ABCDEF01` |
/// | any other of 1 to 128 letters, digits, `:`, `_` and `-` | the same |
///
/// It is the common name wherever that can be, because a template for just-in-time provisioning can refer to the
/// common name and not to a part of it. The space of template 2 is in no thing name, so such a chip cannot be
/// provisioned just in time under its name; all other ways give it the name that its successors have.
pub fn thing_name(leaf: &Certificate) -> Option<String> {
    let name = common_name(leaf)?;
    let name = match name.strip_suffix(" ATECC").filter(|serial| is_serial(serial)) {
        Some(serial) => format!("sn{serial}"),
        None => name,
    };
    is_thing_name(&name).then_some(name)
}

/// Whether AWS takes `name` for a thing: 1 to 128 letters, digits, `:`, `_` and `-`.
pub fn is_thing_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b":_-".contains(&byte);
    (1..=LONGEST).contains(&name.len()) && name.bytes().all(allowed)
}

/// The last common name of the subject, which is the most specific one.
fn common_name(leaf: &Certificate) -> Option<String> {
    let subject = leaf.tbs_certificate().subject();
    let value = subject.iter().filter(|attribute| attribute.oid == COMMON_NAME).last()?;
    let text = AnyRef::from(&value.value);
    // PrintableString, UTF8String and the rest of DirectoryString that is one byte a character.
    std::str::from_utf8(text.value()).ok().map(str::to_owned)
}

/// Nine bytes as a chip's certificate writes them.
fn is_serial(text: &str) -> bool {
    text.len() == 18 && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'A'..=b'F'))
}

/// A certificate out of DER.
pub(crate) fn certificate(der: &[u8]) -> Result<Certificate, x509_cert::der::Error> {
    Certificate::from_der(der)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_of(common_name: &str) -> Option<String> {
        let mut parameters = rcgen::CertificateParams::default();
        parameters.distinguished_name.push(rcgen::DnType::OrganizationName, "sn0123456789ABCDEF01");
        parameters.distinguished_name.push(rcgen::DnType::CommonName, common_name);
        let key = rcgen::KeyPair::generate().unwrap();
        thing_name(&certificate(parameters.self_signed(&key).unwrap().der()).unwrap())
    }

    #[test]
    fn a_chip_has_the_same_name_whatever_its_template() {
        for common_name in ["sn0123456789ABCDEF01", "0123456789ABCDEF01 ATECC"] {
            assert_eq!(name_of(common_name).as_deref(), Some("sn0123456789ABCDEF01"));
        }
    }

    #[test]
    fn other_names_are_taken_as_they_are_or_not_at_all() {
        assert_eq!(name_of("gateway-7:a_b").as_deref(), Some("gateway-7:a_b"));
        assert_eq!(name_of("gateway 7"), None);
        assert_eq!(name_of("Gerät"), None);
        assert_eq!(name_of("0123456789abcdef01 ATECC"), None);
        assert_eq!(name_of(&"a".repeat(128)), Some("a".repeat(128)));
        assert_eq!(name_of(&"a".repeat(129)), None);
    }

    #[test]
    fn a_subject_without_common_name_gives_none() {
        let mut parameters = rcgen::CertificateParams::default();
        parameters.distinguished_name = rcgen::DistinguishedName::new();
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = certificate(parameters.self_signed(&key).unwrap().der()).unwrap();
        assert_eq!(thing_name(&certificate), None);
    }
}
