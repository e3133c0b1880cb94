//! Requests as another implementation reads them, and one that a real chip signed.

extern crate std;

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::{format, string::ToString};

use p256::ecdsa::{SigningKey, VerifyingKey, signature::Verifier, signature::hazmat::PrehashSigner};
use x509_cert::{
    der::{Decode, Encode, Tag, Tagged},
    ext::pkix::{self, SubjectAltName, name::GeneralName},
    request::{CertReq, ExtensionReq},
};

use super::*;

/// Slot 0 of a TNGTLS part, and the request that it signed: output of Microchip's tools on an ATECC608A with
/// serial number 0123CFE1EF17F0B001, in public notes on a SAMA5D27 board of 2019-10-25.
mod real {
    pub(super) const PUBLIC_KEY: [u8; 64] = [
        0xc6, 0x0b, 0xdc, 0xc9, 0x4d, 0x5b, 0x10, 0x44, 0xd7, 0xf1, 0xa1, 0x5e, 0x15, 0xa9, 0x50, 0x4b, 0x88,
        0xc4, 0x66, 0xa7, 0x88, 0x41, 0xa8, 0x00, 0xde, 0x20, 0xe0, 0xb4, 0x07, 0xfc, 0x57, 0x9f, 0x1d, 0x38,
        0x6b, 0xe6, 0x39, 0x2d, 0xfc, 0x9c, 0xd6, 0x8c, 0xba, 0xe9, 0x21, 0x0f, 0xd6, 0xfb, 0xbe, 0x56, 0x8b,
        0x05, 0x35, 0x12, 0x27, 0x39, 0xd1, 0xf2, 0xe7, 0xcb, 0x39, 0x0d, 0xeb, 0x2f,
    ];
    pub(super) const SIGNATURE: [u8; 64] = [
        0x75, 0xed, 0xaf, 0xeb, 0x21, 0x35, 0xe2, 0x81, 0x35, 0x74, 0x2b, 0x6c, 0xa6, 0x99, 0x74, 0x03, 0x0d,
        0xb0, 0x61, 0x7e, 0xc7, 0x1c, 0xcf, 0x52, 0xf9, 0xd0, 0x40, 0xa3, 0x42, 0xa7, 0x7b, 0x24, 0xac, 0x99,
        0x8f, 0xbd, 0x36, 0xb3, 0x5b, 0x4a, 0xac, 0x08, 0x40, 0x56, 0xd5, 0xa8, 0xe3, 0xee, 0xd5, 0x10, 0x5d,
        0xfd, 0x90, 0x48, 0x2b, 0xa5, 0x0e, 0xbc, 0x02, 0x2d, 0x69, 0x03, 0x06, 0xaa,
    ];
    pub(super) const REQUEST: [u8; 224] = [
        0x30, 0x81, 0xdd, 0x30, 0x81, 0x84, 0x02, 0x01, 0x00, 0x30, 0x22, 0x31, 0x20, 0x30, 0x1e, 0x06, 0x03,
        0x55, 0x04, 0x03, 0x0c, 0x17, 0x48, 0x44, 0x39, 0x36, 0x20, 0x44, 0x65, 0x76, 0x69, 0x63, 0x65, 0x20,
        0x43, 0x53, 0x52, 0x20, 0x45, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x30, 0x59, 0x30, 0x13, 0x06, 0x07,
        0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
        0x03, 0x42, 0x00, 0x04, 0xc6, 0x0b, 0xdc, 0xc9, 0x4d, 0x5b, 0x10, 0x44, 0xd7, 0xf1, 0xa1, 0x5e, 0x15,
        0xa9, 0x50, 0x4b, 0x88, 0xc4, 0x66, 0xa7, 0x88, 0x41, 0xa8, 0x00, 0xde, 0x20, 0xe0, 0xb4, 0x07, 0xfc,
        0x57, 0x9f, 0x1d, 0x38, 0x6b, 0xe6, 0x39, 0x2d, 0xfc, 0x9c, 0xd6, 0x8c, 0xba, 0xe9, 0x21, 0x0f, 0xd6,
        0xfb, 0xbe, 0x56, 0x8b, 0x05, 0x35, 0x12, 0x27, 0x39, 0xd1, 0xf2, 0xe7, 0xcb, 0x39, 0x0d, 0xeb, 0x2f,
        0xa0, 0x00, 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02, 0x03, 0x48, 0x00,
        0x30, 0x45, 0x02, 0x20, 0x75, 0xed, 0xaf, 0xeb, 0x21, 0x35, 0xe2, 0x81, 0x35, 0x74, 0x2b, 0x6c, 0xa6,
        0x99, 0x74, 0x03, 0x0d, 0xb0, 0x61, 0x7e, 0xc7, 0x1c, 0xcf, 0x52, 0xf9, 0xd0, 0x40, 0xa3, 0x42, 0xa7,
        0x7b, 0x24, 0x02, 0x21, 0x00, 0xac, 0x99, 0x8f, 0xbd, 0x36, 0xb3, 0x5b, 0x4a, 0xac, 0x08, 0x40, 0x56,
        0xd5, 0xa8, 0xe3, 0xee, 0xd5, 0x10, 0x5d, 0xfd, 0x90, 0x48, 0x2b, 0xa5, 0x0e, 0xbc, 0x02, 0x2d, 0x69,
        0x03, 0x06, 0xaa,
    ];
}

#[test]
fn the_request_of_a_real_chip_comes_out_byte_for_byte() {
    let request =
        Request { subject: &[Attribute::CommonName("HD96 Device CSR Example")], ..Request::default() };
    let unsigned = request.to_be_signed(&PublicKey::from_bytes(real::PUBLIC_KEY)).unwrap();
    assert_eq!(*unsigned.as_bytes(), real::REQUEST[3..3 + unsigned.as_bytes().len()]);
    let der = unsigned.assemble(&Signature::from_bytes(real::SIGNATURE)).unwrap();
    assert_eq!(der[..], real::REQUEST);
}

#[test]
fn another_implementation_reads_and_verifies_it() {
    let request = Request {
        subject: &[
            Attribute::Country("DE"),
            Attribute::State("Baden-Württemberg"),
            Attribute::Locality("Köln"),
            Attribute::Organization("Example"),
            Attribute::OrganizationalUnit("Pumps"),
            Attribute::CommonName("pump 7"),
            Attribute::SerialNumber("0123F2408EA1FCF201"),
        ],
        alternative_names: &[
            AlternativeName::Dns("*.example.com"),
            AlternativeName::Ip(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))),
            AlternativeName::Ip(IpAddr::V6(Ipv6Addr::LOCALHOST)),
            AlternativeName::Uri("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
            AlternativeName::Email("pumps@example.com"),
        ],
        key_usage: Some(KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_AGREEMENT),
    };
    let der = signed(&request);
    let parsed = CertReq::from_der(&der).unwrap();
    assert_eq!(parsed.to_der().unwrap(), der[..], "the encoding is the only one");
    assert_eq!(
        parsed.info.subject.to_string(),
        "SERIALNUMBER=0123F2408EA1FCF201,CN=pump 7,OU=Pumps,O=Example,L=Köln,ST=Baden-Württemberg,C=DE"
    );
    const PRINTABLE: Tag = Tag::PrintableString;
    const UTF8: Tag = Tag::Utf8String;
    let string_types = parsed.info.subject.iter_rdn().map(|rdn| rdn.iter().next().unwrap().value.tag());
    assert!(string_types.eq([PRINTABLE, UTF8, UTF8, UTF8, UTF8, UTF8, PRINTABLE]));

    let key = VerifyingKey::from_sec1_bytes(parsed.info.public_key.subject_public_key.raw_bytes()).unwrap();
    let signature = p256::ecdsa::DerSignature::from_der(parsed.signature.raw_bytes()).unwrap();
    key.verify(&parsed.info.to_der().unwrap(), &signature).unwrap();

    let extensions = extensions(&parsed);
    let [usage, names] = &extensions.0[..] else { panic!("two extensions") };
    assert!(usage.critical && !names.critical);
    let usage = pkix::KeyUsage::from_der(usage.extn_value.as_bytes()).unwrap();
    assert_eq!(usage, (pkix::KeyUsages::DigitalSignature | pkix::KeyUsages::KeyAgreement).into());
    let names = SubjectAltName::from_der(names.extn_value.as_bytes()).unwrap().0;
    let texts = names.iter().map(|name| match name {
        GeneralName::DnsName(text) => format!("DNS:{text}"),
        GeneralName::IpAddress(bytes) => format!("IP:{:?}", bytes.as_bytes()),
        GeneralName::UniformResourceIdentifier(text) => format!("URI:{text}"),
        GeneralName::Rfc822Name(text) => format!("email:{text}"),
        other => panic!("{other:?}"),
    });
    assert!(texts.eq([
        "DNS:*.example.com",
        "IP:[192, 0, 2, 1]",
        "IP:[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]",
        "URI:urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        "email:pumps@example.com",
    ]));
}

#[test]
fn the_only_name_is_critical() {
    let der = signed(&Request {
        alternative_names: &[AlternativeName::Dns("pump-7.example.com")],
        ..Request::default()
    });
    let parsed = CertReq::from_der(&der).unwrap();
    assert!(parsed.info.subject.is_empty());
    assert!(extensions(&parsed).0[0].critical);
}

#[test]
fn a_signature_of_another_key_goes_no_further() {
    let request = Request { subject: &[Attribute::CommonName("pump")], ..Request::default() };
    let unsigned = request.to_be_signed(&public_key(&key(0x22))).unwrap();
    assert_eq!(unsigned.assemble(&sign(&key(0x33), &unsigned)), Err(RequestError::Signature));
    assert!(unsigned.assemble(&sign(&key(0x22), &unsigned)).is_ok());
}

#[test]
fn a_request_has_a_name() {
    let usage = Request { key_usage: Some(KeyUsage::DIGITAL_SIGNATURE), ..Request::default() };
    assert_eq!(refused(&usage), RequestError::NoName);
}

#[test]
fn names_that_may_not_stand_in_a_certificate_are_refused() {
    let long = "x".repeat(65);
    for attribute in [
        Attribute::CommonName(""),
        Attribute::CommonName(&long),
        Attribute::CommonName("good.example\0.evil.example"),
        Attribute::Organization("two\nlines"),
        Attribute::Country("de"),
        Attribute::Country("DEU"),
        Attribute::Country("D1"),
        Attribute::SerialNumber("7*8"),
        Attribute::SerialNumber("sieben_"),
    ] {
        let request = Request { subject: &[attribute], ..Request::default() };
        assert!(
            matches!(refused(&request), RequestError::Length { .. } | RequestError::Characters { .. }),
            "{attribute:?}"
        );
    }
    let label = format!("{}.example", "x".repeat(64));
    for name in [
        AlternativeName::Dns(""),
        AlternativeName::Dns("a..b"),
        AlternativeName::Dns("-a.example"),
        AlternativeName::Dns("under_score.example"),
        AlternativeName::Dns("köln.example"),
        AlternativeName::Dns("a.*.example"),
        AlternativeName::Dns(&label),
        AlternativeName::Uri("/relative"),
        AlternativeName::Uri("https:"),
        AlternativeName::Uri("7s://example"),
        AlternativeName::Uri("https://a b"),
        AlternativeName::Email("pump"),
        AlternativeName::Email("@example.com"),
        AlternativeName::Email("a..b@example.com"),
        AlternativeName::Email("Pump <pump@example.com>"),
    ] {
        let request = Request { alternative_names: &[name], ..Request::default() };
        assert!(
            matches!(refused(&request), RequestError::Length { .. } | RequestError::Characters { .. }),
            "{name:?}"
        );
    }
}

/// Lengths count characters, of which some take several bytes.
#[test]
fn sixty_four_characters_are_as_long_as_a_common_name_gets() {
    let longest = "ü".repeat(64);
    let der = signed(&Request { subject: &[Attribute::CommonName(&longest)], ..Request::default() });
    assert!(CertReq::from_der(&der).unwrap().info.subject.to_string().contains(&longest));
}

/// Every length up to the limit, so that no request is signed that cannot be assembled.
#[test]
fn what_is_too_long_is_refused_before_the_chip_signs() {
    let key = public_key(&key(0x22));
    let text = format!("urn:{}", "x".repeat(MAX_REQUEST));
    let mut longest = 0;
    for length in 700..MAX_REQUEST {
        let names = [AlternativeName::Uri(&text[..length])];
        let request = Request { alternative_names: &names, ..Request::default() };
        match request.to_be_signed(&key) {
            Ok(_) => longest = length,
            Err(error) => {
                assert_eq!(error, RequestError::TooLong);
                let names = [AlternativeName::Uri(&text[..longest])];
                let length = signed(&Request { alternative_names: &names, ..Request::default() }).len();
                // The signature is at most two bytes shorter than the longest.
                assert!((MAX_REQUEST - 4..=MAX_REQUEST).contains(&length), "{length}");
                return;
            }
        }
    }
    panic!("nothing was too long");
}

/// Of the named bits of RFC 5280, as DER has them: unused bits, then the bits.
#[test]
fn a_key_usage_ends_with_its_last_bit() {
    for (usage, bits) in [
        (KeyUsage::DIGITAL_SIGNATURE, [0x07, 0x80]),
        (KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_AGREEMENT, [0x03, 0x88]),
        (KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN, [0x01, 0x86]),
        (KeyUsage::NON_REPUDIATION, [0x06, 0x40]),
    ] {
        let mut writer = Writer::default();
        usage.write(&mut writer);
        assert!(writer.finish().unwrap().ends_with(&bits));
    }
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_slice(&[seed; 32]).unwrap()
}

fn public_key(key: &SigningKey) -> PublicKey {
    PublicKey::from_bytes(key.verifying_key().to_sec1_point(false).as_bytes()[1..].try_into().unwrap())
}

/// In the chip's place.
fn sign(key: &SigningKey, unsigned: &ToBeSigned) -> Signature {
    let signature: p256::ecdsa::Signature = key.sign_prehash(&unsigned.digest()).unwrap();
    Signature::from_bytes(signature.to_bytes().into())
}

fn signed(request: &Request) -> RequestDer {
    let key = key(0x22);
    let unsigned = request.to_be_signed(&public_key(&key)).unwrap();
    unsigned.assemble(&sign(&key, &unsigned)).unwrap()
}

#[track_caller]
fn refused(request: &Request) -> RequestError {
    request.to_be_signed(&public_key(&key(0x22))).unwrap_err()
}

fn extensions(request: &CertReq) -> ExtensionReq {
    let attribute = request.info.attributes.iter().next().unwrap();
    ExtensionReq::from_der(&attribute.values.iter().next().unwrap().to_der().unwrap()).unwrap()
}
