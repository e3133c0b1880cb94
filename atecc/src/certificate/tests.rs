//! Certificates of real chips and of chips made here, there and back again.

extern crate std;

use std::{boxed::Box, format, string::String, vec::Vec};

use p256::ecdsa::{SigningKey, signature::hazmat::PrehashSigner};

use super::*;
use crate::Signature;

/// The values of a vector with these names; the files are flat.
struct Vector(&'static str);

const REAL_CHIPS: [(Vector, Template); 2] = [
    (Vector(include_str!("../../../tests/vectors/tngtls_template_2.json")), Template::TngTls2),
    (Vector(include_str!("../../../tests/vectors/tngtls_template_3.json")), Template::TngTls3),
];

impl Vector {
    fn text(&self, name: &str) -> Option<&'static str> {
        self.0.split_once(&format!("\"{name}\": \""))?.1.split_once('"').map(|(value, _)| value)
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        let digits = self.text(name).unwrap();
        let pair = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
        (0..digits.len()).step_by(2).map(pair).collect()
    }

    fn array<const N: usize>(&self, name: &str) -> [u8; N] {
        self.bytes(name).try_into().unwrap()
    }
}

#[test]
fn the_slots_of_real_chips_come_back_from_their_certificates() {
    for (chip, template) in &REAL_CHIPS {
        let (device, signer) = (chip.bytes("device_cert_der_hex"), chip.bytes("signer_cert_der_hex"));
        let (stored, found) = compress(&device, &signer, &[&MICROCHIP]).unwrap();
        assert_eq!(found, *template);
        assert_eq!(*stored.serial_number.as_bytes(), chip.array("serial"));
        assert_eq!(*stored.public_key.as_bytes(), chip.array("public_key"));
        assert_eq!(stored.device, chip.array("slot10"));
        assert_eq!(stored.signer_public_key, chip.array("slot11"));
        assert_eq!(stored.signer, chip.array("slot12"));
        let eui48 = chip.text("slot5_ascii").map(|digits| digits.as_bytes().try_into().unwrap());
        assert_eq!(stored.eui48, eui48);
        let chain = rebuild(&stored, &[0; 8], &[&MICROCHIP]).unwrap();
        assert_eq!((&chain.device[..], &chain.signer[..]), (&device[..], &signer[..]));
    }
}

/// One bit anywhere in either certificate, or a byte less.
#[test]
fn a_damaged_certificate_is_refused() {
    let (chip, _) = &REAL_CHIPS[1];
    let (device, signer) = (chip.bytes("device_cert_der_hex"), chip.bytes("signer_cert_der_hex"));
    // Not every place: each takes several verifications.
    for at in (0..device.len()).step_by(7) {
        let mut damaged = device.clone();
        damaged[at] ^= 0x04;
        assert!(compress(&damaged, &signer, &[&MICROCHIP]).is_err(), "bit in byte {at} of the device's");
        assert!(compress(&device[..at], &signer, &[&MICROCHIP]).is_err());
    }
    for at in (0..signer.len()).step_by(7) {
        let mut damaged = signer.clone();
        damaged[at] ^= 0x04;
        assert!(compress(&device, &damaged, &[&MICROCHIP]).is_err(), "bit in byte {at} of the signer's");
        assert!(compress(&device, &signer[..at], &[&MICROCHIP]).is_err());
    }
    assert!(compress(&[device, std::vec![0]].concat(), &signer, &[&MICROCHIP]).is_err());
}

#[test]
fn a_lora_certificate_is_none_of_a_tls_part() {
    let factory = Factory::new("Testing only ");
    let (device, signer, _) = factory.lora(Template::TngLora4, dates(28), Format::Plain);
    let authorities = [factory.authority];
    assert_eq!(compress(&device, &signer, &authorities).err(), Some(CertificateError::NoTemplate));
    assert!(compress_lora(&device, &signer, &authorities).is_ok());
}

#[test]
fn every_template_goes_there_and_back() {
    let factory = Factory::new("Testing only ");
    let authorities = [&MICROCHIP, factory.authority];
    for (dates, format) in [
        (dates(28), Format::Plain),
        (dates(28), Format::Extended),
        (dates(0), Format::Plain),
        (IssueDate { year: 2049, ..dates(127) }, Format::Extended),
    ] {
        for template in [Template::TngTls2, Template::TngTls3, Template::TflxTls] {
            let (device, signer, stored) = factory.tls(template, dates, format);
            let chain = rebuild(&stored, &[0; 8], &authorities).unwrap();
            assert_eq!(chain.template, template);
            assert_eq!((&chain.device, &chain.signer), (&device, &signer));
            let (back, found) = compress(&device, &signer, &authorities).unwrap();
            assert_eq!(found, template);
            assert_eq!(
                (back.device, back.signer_public_key, back.signer),
                (stored.device, stored.signer_public_key, stored.signer)
            );
        }
        for template in [Template::TngLora2, Template::TngLora4] {
            let (device, signer, stored) = factory.lora(template, dates, format);
            let chain = rebuild_lora(&stored, &[0; 8], &authorities).unwrap();
            assert_eq!(chain.template, template);
            assert_eq!((&chain.device, &chain.signer), (&device, &signer));
            let (back, found) = compress_lora(&device, &signer, &authorities).unwrap();
            assert_eq!(found, template);
            assert_eq!(back.certificates, stored.certificates);
            assert_eq!(back.eui64.is_some(), template == Template::TngLora4);
        }
    }
}

/// A root may bear the names of another one; its key tells them apart, in either order.
#[test]
fn of_two_authorities_with_the_same_names_the_one_that_signed_is_found() {
    let (one, other) = (Factory::new("Testing only "), Factory::with_root(0x77, "Testing only "));
    let (_, _, stored) = one.tls(Template::TngTls3, dates(28), Format::Plain);
    for authorities in [[one.authority, other.authority], [other.authority, one.authority]] {
        let chain = rebuild(&stored, &[0; 8], &authorities).unwrap();
        assert_eq!(chain.authority.root_public_key, one.authority.root_public_key);
    }
    assert_eq!(rebuild(&stored, &[0; 8], &[other.authority]).err(), Some(CertificateError::UnknownRoot));
    assert_eq!(rebuild(&stored, &[0; 8], &[&MICROCHIP]).err(), Some(CertificateError::NoTemplate));
}

#[test]
fn names_that_are_too_long_give_no_certificate() {
    let name: &'static str = Box::leak(Box::new(["x"; 300].concat()));
    let authority = Authority { organization: name, ..Factory::authority(0x11, "Testing only ") };
    let compressed = unsigned(dates(28), Format::Plain, 1);
    assert_eq!(
        Signer { public_key: public_key(&key(0x22)), id: 0 }.certificate(&authority, &compressed),
        None
    );
}

/// Whatever stands in the slots, the answer is an error and nothing panics.
#[test]
fn no_bytes_in_the_slots_do_harm() {
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut byte = || {
        // xorshift64: the same bytes every time.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random as u8
    };
    for round in 0..200 {
        let mut slot = || {
            let mut slot = [0; 72].map(|_: u8| byte());
            // Most rounds get past the first checks: known source and version, a day of the calendar.
            if round % 4 != 0 {
                slot[70] = 0xa0 | slot[70] & 0x01;
                (slot[64], slot[65], slot[66]) = (0xa3, 0x26, slot[66] & 0x1f | 0xc0);
            }
            slot
        };
        let mut stored = StoredIdentity {
            serial_number: SerialNumber::from_bytes([round; 9]),
            public_key: PublicKey::from_bytes([round; 64]),
            device: slot(),
            signer_public_key: slot(),
            signer: slot(),
            eui48: Some([round; 12]),
        };
        if round % 8 == 3 {
            // A point of the curve, so that the verification itself runs.
            stored.signer_public_key = REAL_CHIPS[0].0.array("slot11");
        }
        assert!(rebuild(&stored, &[round; 8], &[&MICROCHIP]).is_err());
        let lora = StoredLora {
            serial_number: stored.serial_number,
            public_key: stored.public_key,
            certificates: [stored.signer_public_key, stored.device, stored.signer],
            eui64: Some([round; 16]),
        };
        assert!(rebuild_lora(&lora, &[round; 8], &[&MICROCHIP]).is_err());
    }
}

#[test]
fn the_errors_say_what_is_wrong() {
    let text = |error: CertificateError| -> String { format!("{error}") };
    assert!(text(CertificateError::Format { version: 2 }).contains("P-256"));
    assert!(text(CertificateError::Format { version: 9 }).contains("format 9"));
}

fn dates(expire_years: u8) -> IssueDate {
    IssueDate { year: 2026, month: 2, day: 28, hour: 7, expire_years }
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_slice(&[seed; 32]).unwrap()
}

fn public_key(key: &SigningKey) -> PublicKey {
    PublicKey::from_bytes(key.verifying_key().to_sec1_point(false).as_bytes()[1..].try_into().unwrap())
}

fn unsigned(dates: IssueDate, format: Format, template_id: u8) -> Compressed {
    let signature = Signature::from_bytes([0xff; 64]);
    Compressed { signature, format, dates, signer_id: 0xbeef, template_id, chain_id: 0 }
}

/// Makes chips as the vendor does, under a root of its own.
struct Factory {
    authority: &'static Authority,
    root: SigningKey,
    signer: SigningKey,
    device: SigningKey,
}

const SERIAL: SerialNumber = SerialNumber::from_bytes([0x01, 0x23, 0xa5, 6, 7, 8, 9, 0xcd, 0x01]);

impl Factory {
    fn new(signer_common_name: &'static str) -> Self {
        Self::with_root(0x11, signer_common_name)
    }

    fn with_root(seed: u8, signer_common_name: &'static str) -> Self {
        let authority = Box::leak(Box::new(Self::authority(seed, signer_common_name)));
        Self { authority, root: key(seed), signer: key(0x22), device: key(0x33) }
    }

    fn authority(seed: u8, signer_common_name: &'static str) -> Authority {
        Authority {
            organization: "Nobody",
            root_common_name: "Testing only root",
            signer_common_name,
            root_certificate: &[],
            root_public_key: public_key(&key(seed)),
        }
    }

    fn tls(&self, template: Template, dates: IssueDate, format: Format) -> (Der, Der, StoredIdentity) {
        let eui48 = Some(*b"0004A3123456");
        let (device, signer, [device_slot, signer_slot]) = self.chain(
            template,
            &(&Device { serial_number: SERIAL, public_key: public_key(&self.device), eui48 }).into(),
            dates,
            format,
        );
        let stored = StoredIdentity {
            serial_number: SERIAL,
            public_key: public_key(&self.device),
            device: device_slot,
            signer_public_key: self.padded_signer(),
            signer: signer_slot,
            eui48,
        };
        (device, signer, stored)
    }

    fn lora(&self, template: Template, dates: IssueDate, format: Format) -> (Der, Der, StoredLora) {
        let eui64 = Some(*b"0004A31234567890");
        let (device, signer, [device_slot, signer_slot]) = self.chain(
            template,
            &(&LoraDevice { serial_number: SERIAL, public_key: public_key(&self.device), eui64 }).into(),
            dates,
            format,
        );
        let stored = StoredLora {
            serial_number: SERIAL,
            public_key: public_key(&self.device),
            certificates: [self.padded_signer(), device_slot, signer_slot],
            eui64,
        };
        (device, signer, stored)
    }

    fn chain(
        &self,
        template: Template,
        subject: &Subject,
        dates: IssueDate,
        format: Format,
    ) -> (Der, Der, [[u8; 72]; 2]) {
        let signer = Signer { public_key: public_key(&self.signer), id: 0xbeef };
        let (signer_der, signer_slot) = issue(&self.root, unsigned(dates, format, 1), |compressed| {
            signer.certificate(self.authority, compressed)
        });
        let (device_der, device_slot) =
            issue(&self.signer, unsigned(dates, format, template.id()), |compressed| {
                template.certificate(self.authority, &signer.public_key, subject, compressed)
            });
        (device_der, signer_der, [device_slot, signer_slot])
    }

    fn padded_signer(&self) -> [u8; 72] {
        let (x, y) = (&[0; 4], public_key(&self.signer));
        [&x[..], &y.as_bytes()[..32], x, &y.as_bytes()[32..]].concat().try_into().unwrap()
    }
}

fn issue(
    key: &SigningKey,
    mut compressed: Compressed,
    template: impl Fn(&Compressed) -> Option<Der>,
) -> (Der, [u8; 72]) {
    let digest = sha256(&[to_be_signed(&template(&compressed).unwrap()).unwrap()]);
    let signature: p256::ecdsa::Signature = key.sign_prehash(&digest).unwrap();
    compressed.signature = Signature::from_bytes(signature.to_bytes().into());
    (template(&compressed).unwrap(), compressed.to_bytes())
}
