//! Every template has its fields where the vendor's definition has them (cryptoauthlib 3.7.8, app/tng).

use super::*;
use crate::{
    Signature,
    certificate::{MAX_CERTIFICATE, MICROCHIP},
};

const SERIAL: SerialNumber = SerialNumber::from_bytes([0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x27]);
const KEY: PublicKey = PublicKey::from_bytes([0x5a; 64]);
const SIGNER: Signer = Signer { public_key: PublicKey::from_bytes([0xa5; 64]), id: 0x2c20 };

/// Both integers of the signature take a byte more than they have: the longest certificate.
fn compressed(dates: IssueDate) -> Compressed {
    let signature = Signature::from_bytes([0xff; 64]);
    Compressed { signature, format: dates.format(), dates, signer_id: SIGNER.id, template_id: 0, chain_id: 0 }
}

fn dates() -> IssueDate {
    IssueDate { year: 2020, month: 6, day: 9, hour: 22, expire_years: 28 }
}

fn device(template: Template) -> Der {
    let compressed = compressed(dates());
    let der = match template.family() {
        Family::Tls => {
            let device = Device { serial_number: SERIAL, public_key: KEY, eui48: Some(*b"0004A3000001") };
            template.device(&MICROCHIP, &SIGNER, &device, &compressed)
        }
        Family::Lora => {
            let eui64 = Some(*b"0004A30000000001");
            let device = LoraDevice { serial_number: SERIAL, public_key: KEY, eui64 };
            template.lora_device(&MICROCHIP, &SIGNER, &device, &compressed)
        }
    };
    der.unwrap()
}

/// Length of the to-be-signed part, and where these begin: the eighteen digits of the serial number, the public
/// key, both key identifiers, the signature; and the EUI where there is one.
struct Layout {
    to_be_signed: usize,
    common_name: usize,
    public_key: usize,
    key_identifiers: [usize; 2],
    signature: usize,
    eui: Option<(usize, &'static [u8])>,
}

fn layout(template: Template) -> Layout {
    let (to_be_signed, common_name, public_key, key_identifiers, signature, eui) = match template {
        Template::TngTls2 | Template::TngLora2 => (415, 206, 257, [366, 399], 431, None),
        Template::TngTls3 => (457, 208, 253, [408, 441], 473, Some((355, &b"0004A3000001"[..]))),
        Template::TflxTls => (411, 208, 253, [362, 395], 427, None),
        Template::TngLora4 => (461, 208, 253, [412, 445], 477, Some((355, &b"0004A30000000001"[..]))),
    };
    Layout { to_be_signed, common_name, public_key, key_identifiers, signature, eui }
}

#[track_caller]
fn assert_at(der: &Der, offset: usize, expected: &[u8]) {
    assert_eq!(der[offset..offset + expected.len()], *expected, "at {offset}");
}

#[test]
fn the_fields_are_where_the_definitions_have_them() {
    for template in Template::ALL {
        let (der, layout) = (device(template), layout(template));
        assert_eq!(to_be_signed(&der).unwrap().len(), layout.to_be_signed, "{template:?}");
        assert_at(&der, 15, &serial_number(&KEY, dates(), Format::Plain));
        assert_at(&der, 120, b"2C20");
        assert_at(&der, 128, b"200609220000Z");
        assert_at(&der, 143, b"20480609220000Z");
        assert_at(&der, layout.common_name, b"0123456789ABCDEF27");
        assert_at(&der, layout.public_key, KEY.as_bytes());
        assert_at(&der, layout.key_identifiers[0], &key_identifier(&KEY));
        assert_at(&der, layout.key_identifiers[1], &key_identifier(&SIGNER.public_key));
        assert_at(&der, layout.signature, &[BIT_STRING]);
        if let Some((offset, digits)) = layout.eui {
            assert_at(&der, offset, digits);
        }
    }
}

#[test]
fn the_fields_of_a_signer_are_where_the_definition_has_them() {
    let der = SIGNER.certificate(&MICROCHIP, &compressed(dates())).unwrap();
    assert_eq!(to_be_signed(&der).unwrap().len(), 430);
    assert_at(&der, 15, &serial_number(&SIGNER.public_key, dates(), Format::Plain));
    assert_at(&der, 128, b"200609220000Z");
    assert_at(&der, 143, b"20480609220000Z");
    assert_at(&der, 235, b"2C20");
    assert_at(&der, 266, SIGNER.public_key.as_bytes());
    assert_at(&der, 381, &key_identifier(&SIGNER.public_key));
    assert_at(&der, 414, &key_identifier(&MICROCHIP.root_public_key));
    assert_at(&der, 446, &[BIT_STRING]);
}

/// 552 bytes with [`MICROCHIP`]'s names; an emulator's may be longer.
#[test]
fn the_longest_certificate_leaves_room() {
    let longest = Template::ALL.map(|template| device(template).len()).into_iter().max();
    assert_eq!(longest, Some(552));
    const { assert!(MAX_CERTIFICATE >= 552) };
}

#[test]
fn a_template_is_not_filled_without_its_eui() {
    let compressed = compressed(dates());
    let tls = Device { serial_number: SERIAL, public_key: KEY, eui48: None };
    let lora = LoraDevice { serial_number: SERIAL, public_key: KEY, eui64: None };
    for template in Template::ALL {
        let has_none = !matches!(template, Template::TngTls3 | Template::TngLora4);
        assert_eq!(template.device(&MICROCHIP, &SIGNER, &tls, &compressed).is_some(), has_none);
        assert_eq!(template.lora_device(&MICROCHIP, &SIGNER, &lora, &compressed).is_some(), has_none);
    }
}

#[test]
fn every_known_code_is_tried_first_in_its_family_only() {
    for (code, template) in [
        (b"Rsuy5YJh", Template::TngTls2),
        (b"wdNxAjae", Template::TngTls2),
        (b"KQp2ZkD8", Template::TngTls3),
        (b"x6tjuZMy", Template::TngTls3),
        (b"MKMwyhP1", Template::TflxTls),
        (b"BxZvm6q2", Template::TngLora2),
        (b"jsMu7iYO", Template::TngLora4),
        (b"09qJNxI3", Template::TngLora4),
    ] {
        assert_eq!(Template::candidates(template.family(), code).next(), Some(template));
        let other = if template.family() == Family::Tls { Family::Lora } else { Family::Tls };
        assert!(Template::candidates(other, code).all(|candidate| candidate.family() == other));
    }
    assert_eq!(Template::candidates(Family::Tls, &[0xff; 8]).count(), 3);
    assert_eq!(Template::candidates(Family::Lora, b"jsMu7iYO").count(), 2);
}

/// The hash takes byte 71 in format 1, so the version shows in the certificate even where the dates do not.
#[test]
fn the_format_is_part_of_the_serial_number() {
    let plain = serial_number(&KEY, dates(), Format::Plain);
    let extended = serial_number(&KEY, dates(), Format::Extended);
    assert_ne!(plain, extended);
    let mut digest = sha256(&[KEY.as_bytes(), &[0xa3, 0x26, 0xdc, 0x00]]);
    digest[0] = digest[0] & 0x7f | 0x40;
    assert_eq!(extended, digest[..16]);
}

#[test]
fn dates_that_utc_time_cannot_carry_give_no_certificate() {
    let late = compressed(IssueDate { year: 2050, ..dates() });
    assert!(SIGNER.certificate(&MICROCHIP, &late).is_none());
}

#[test]
fn dates_that_the_format_cannot_carry_give_no_certificate() {
    let late = compressed(IssueDate { year: 2032, ..dates() });
    assert!(SIGNER.certificate(&MICROCHIP, &late).is_some());
    assert!(SIGNER.certificate(&MICROCHIP, &Compressed { format: Format::Plain, ..late }).is_none());
}

#[test]
fn the_signed_part_of_what_is_no_certificate_is_none() {
    let der = device(Template::TngLora4);
    for end in 0..der.len() {
        assert_eq!(to_be_signed(&der[..end]), None);
    }
    for garbage in [&[][..], &[0x30], &[0x30, 0x82], &[0x30, 0x00], &[0x30, 0x82, 0xff, 0xff, 0x30, 0x82]] {
        assert_eq!(to_be_signed(garbage), None);
    }
}
