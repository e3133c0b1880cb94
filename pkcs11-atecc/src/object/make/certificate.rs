//! X.509 certificates (section 4.6).

use atecc::PublicKey;
use cryptoki_sys::*;
use sha1::{Digest as _, Sha1};

use super::{Made, number};
use crate::{
    error::Error,
    object::{Attributes, x509::Fields},
    template::Template,
};

/// The certificate is in CKA_VALUE, and what it says itself need not be said again. What the application says
/// differently is kept as it comes, but for the key and the digest.
///
/// CKA_ID becomes the identifier of the key in the certificate if the application gives none: it is the CKA_ID of
/// the chip's keys as well, so that the certificate of such a key is found with it.
pub(super) fn make(template: &Template<'_>) -> Result<Made, Error> {
    if number(template, CKA_CERTIFICATE_TYPE)? != CKC_X_509 {
        return Err(Error::AttributeValueInvalid);
    }
    let der = template.get(CKA_VALUE).ok_or(Error::TemplateIncomplete)?;
    let fields = Fields::parse(der).map_err(|_| Error::AttributeValueInvalid)?;
    let fingerprint = Sha1::digest(der);
    let given = |attribute| template.get(attribute).filter(|value| !value.is_empty());
    if given(CKA_PUBLIC_KEY_INFO).is_some_and(|info| info != fields.public_key_info) {
        return Err(Error::TemplateInconsistent);
    }
    if given(CKA_CHECK_VALUE).is_some_and(|value| value != &fingerprint[..3]) {
        return Err(Error::AttributeValueInvalid);
    }
    let or = |attribute, value| given(attribute).unwrap_or(value);
    let id = key_identifier(fields.public_key_info);
    let attributes = Attributes::default()
        .bytes(CKA_CHECK_VALUE, &fingerprint[..3])
        .bytes(CKA_START_DATE, or(CKA_START_DATE, &fields.not_before))
        .bytes(CKA_END_DATE, or(CKA_END_DATE, &fields.not_after))
        .bytes(CKA_PUBLIC_KEY_INFO, fields.public_key_info)
        .bytes(CKA_SUBJECT, or(CKA_SUBJECT, fields.subject))
        .bytes(CKA_ISSUER, or(CKA_ISSUER, fields.issuer))
        .bytes(CKA_SERIAL_NUMBER, or(CKA_SERIAL_NUMBER, fields.serial_number))
        .bytes(CKA_ID, or(CKA_ID, &id));
    Ok(Made { attributes, key: None })
}

/// The identifier of a P-256 key, and none of others.
fn key_identifier(public_key_info: &[u8]) -> Vec<u8> {
    let coordinates = public_key_info.last_chunk::<64>().filter(|_| public_key_info.len() == 91);
    coordinates.map_or_else(Vec::new, |key| {
        atecc::certificate::key_identifier(&PublicKey::from_bytes(*key)).to_vec()
    })
}

#[cfg(test)]
mod tests {
    use atecc::certificate::{MICROCHIP, key_identifier};

    use super::*;
    use crate::object::{
        Value,
        make::tests::{made, refused},
    };

    const CLASS: [u8; 8] = CKO_CERTIFICATE.to_ne_bytes();
    const X_509: [u8; 8] = CKC_X_509.to_ne_bytes();

    fn with(attribute: CK_ATTRIBUTE_TYPE, value: &[u8]) -> Vec<(CK_ATTRIBUTE_TYPE, &[u8])> {
        let mut template: Vec<(_, &[u8])> = vec![
            (CKA_CLASS, &CLASS),
            (CKA_CERTIFICATE_TYPE, &X_509),
            (CKA_VALUE, MICROCHIP.root_certificate),
        ];
        template.retain(|(given, _)| *given != attribute);
        template.push((attribute, value));
        template
    }

    #[test]
    fn a_certificate_says_itself_what_it_is() {
        let object = made(&with(CKA_LABEL, b"root")).unwrap();
        let fields = Fields::parse(MICROCHIP.root_certificate).unwrap();
        let id = key_identifier(&MICROCHIP.root_public_key);
        for (attribute, value) in [
            (CKA_SUBJECT, fields.subject),
            (CKA_ISSUER, fields.issuer),
            (CKA_SERIAL_NUMBER, fields.serial_number),
            (CKA_ID, &id[..]),
            (CKA_TRUSTED, &[CK_FALSE]),
        ] {
            assert_eq!(object.attribute(attribute), Some(Value::Plain(value)), "{attribute:#x}");
        }
    }

    #[test]
    fn an_identifier_is_the_applications_choice() {
        let object = made(&with(CKA_ID, b"\x01")).unwrap();
        assert_eq!(object.attribute(CKA_ID), Some(Value::Plain(b"\x01")));
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        assert_eq!(refused(&with(CKA_VALUE, b"")), Some(Error::AttributeValueInvalid));
        assert_eq!(
            refused(&with(CKA_VALUE, &MICROCHIP.root_certificate[1..])),
            Some(Error::AttributeValueInvalid)
        );
        let other = CKC_X_509_ATTR_CERT.to_ne_bytes();
        assert_eq!(refused(&with(CKA_CERTIFICATE_TYPE, &other)), Some(Error::AttributeValueInvalid));
        assert_eq!(refused(&with(CKA_PUBLIC_KEY_INFO, b"\x30")), Some(Error::TemplateInconsistent));
        assert_eq!(refused(&with(CKA_CHECK_VALUE, b"\x30")), Some(Error::AttributeValueInvalid));
        assert_eq!(refused(&with(CKA_TRUSTED, &[CK_TRUE])), Some(Error::AttributeValueInvalid));
        assert_eq!(refused(&with(CKA_PRIVATE, &[CK_TRUE])), Some(Error::AttributeValueInvalid));
    }
}
