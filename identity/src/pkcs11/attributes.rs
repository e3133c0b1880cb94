//! Public keys and certificates out of the objects of a token.

use cryptoki::object::{Attribute, AttributeType, CertificateType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use x509_cert::der::asn1::{Any, BitString, OctetStringRef, Uint};
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::{Decode, Encode, Tag};
use x509_cert::spki::{AlgorithmIdentifier, SubjectPublicKeyInfo};

use crate::scheme::PublicKey;

/// id-ecPublicKey (RFC 5480, section 2.1.1).
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// rsaEncryption (RFC 8017, appendix A.1).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// The attributes of an object that it has.
pub(super) fn read(session: &Session, object: ObjectHandle, types: &[AttributeType]) -> Vec<Attribute> {
    // One by one where the token refuses them together.
    session.get_attributes(object, types).unwrap_or_else(|_| {
        types.iter().flat_map(|one| session.get_attributes(object, &[*one]).unwrap_or_default()).collect()
    })
}

/// CKA_ID, if it has one.
pub(super) fn id(session: &Session, object: ObjectHandle) -> Option<Vec<u8>> {
    read(session, object, &[AttributeType::Id]).into_iter().find_map(|attribute| match attribute {
        Attribute::Id(id) if !id.is_empty() => Some(id),
        _ => None,
    })
}

/// The public key of the private key `key`: from the private key's own attributes, or from the public key beside it.
pub(super) fn public_key(session: &Session, key: ObjectHandle, id: Option<&[u8]>) -> Option<PublicKey> {
    of_object(session, key).or_else(|| {
        let template = [Attribute::Class(ObjectClass::PUBLIC_KEY), Attribute::Id(id?.to_vec())];
        let found = session.find_objects(&template).ok()?;
        found.into_iter().find_map(|public| of_object(session, public))
    })
}

fn of_object(session: &Session, object: ObjectHandle) -> Option<PublicKey> {
    let info = read(session, object, &[AttributeType::PublicKeyInfo]).into_iter().find_map(|attribute| {
        let Attribute::PublicKeyInfo(info) = attribute else { return None };
        PublicKey::from_info(&info)
    });
    info.or_else(|| elliptic(session, object)).or_else(|| rsa(session, object))
}

fn elliptic(session: &Session, object: ObjectHandle) -> Option<PublicKey> {
    let (mut curve, mut point) = (None, None);
    for attribute in read(session, object, &[AttributeType::EcParams, AttributeType::EcPoint]) {
        match attribute {
            Attribute::EcParams(der) => curve = Any::from_der(&der).ok(),
            Attribute::EcPoint(der) => point = Some(der),
            _ => {}
        }
    }
    let point = point?;
    // A DER OCTET STRING (PKCS#11 3.0, section 2.3.3); older modules give the bare point.
    let point = <&OctetStringRef>::from_der(&point).map_or(point.as_slice(), OctetStringRef::as_bytes);
    info(EC, curve?, point)
}

fn rsa(session: &Session, object: ObjectHandle) -> Option<PublicKey> {
    let (mut modulus, mut exponent) = (None, None);
    for attribute in read(session, object, &[AttributeType::Modulus, AttributeType::PublicExponent]) {
        match attribute {
            Attribute::Modulus(number) => modulus = Some(number),
            Attribute::PublicExponent(number) => exponent = Some(number),
            _ => {}
        }
    }
    info(RSA, Any::null(), &sequence(&[&modulus?, &exponent?])?)
}

fn info(oid: ObjectIdentifier, parameters: Any, key: &[u8]) -> Option<PublicKey> {
    let algorithm = AlgorithmIdentifier { oid, parameters: Some(parameters) };
    let subject_public_key = BitString::from_bytes(key).ok()?;
    PublicKey::from_info(&SubjectPublicKeyInfo { algorithm, subject_public_key }.to_der().ok()?)
}

/// SEQUENCE of positive INTEGERs, each big-endian: an RSA public key, and an ECDSA signature.
pub(super) fn sequence(numbers: &[&[u8]]) -> Option<Vec<u8>> {
    let encoded: Option<Vec<_>> =
        numbers.iter().map(|number| Uint::new(number).ok().and_then(|number| number.to_der().ok())).collect();
    Any::new(Tag::Sequence, encoded?.concat()).ok()?.to_der().ok()
}

/// A certificate as a token keeps it.
pub(super) struct Stored {
    pub(super) id: Option<Vec<u8>>,
    pub(super) der: Vec<u8>,
}

/// All X.509 certificates of the token.
pub(super) fn certificates(session: &Session) -> cryptoki::error::Result<Vec<Stored>> {
    let template =
        [Attribute::Class(ObjectClass::CERTIFICATE), Attribute::CertificateType(CertificateType::X_509)];
    let mut all = Vec::new();
    for object in session.find_objects(&template)? {
        let value = read(session, object, &[AttributeType::Value]);
        let value = value.into_iter().find_map(|attribute| match attribute {
            Attribute::Value(der) if !der.is_empty() => Some(der),
            _ => None,
        });
        all.extend(value.map(|der| Stored { id: id(session, object), der }));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_positive_and_as_short_as_can_be() {
        assert_eq!(sequence(&[&[0, 0, 1], &[0x80]]).unwrap(), [0x30, 7, 2, 1, 1, 2, 2, 0, 0x80]);
        assert_eq!(sequence(&[&[0, 0]]).unwrap(), [0x30, 3, 2, 1, 0]);
    }
}
