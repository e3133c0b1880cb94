//! The products, as a buyer looks at them.

use atecc::{
    Slot,
    certificate::{StoredIdentity, StoredLora, Template, TngLora, rebuild, rebuild_lora},
    command::Zone,
    profile::TngTls,
};
use x509_cert::{Certificate, der::Decode};

use super::{factory::public_key_in, *};
use crate::authority::EMULATOR;

fn read<const N: usize>(eeprom: &Eeprom, zone: Zone, start: usize) -> [u8; N] {
    let Zone::Data(slot) = zone else { panic!("{zone:?} is no slot") };
    eeprom.slot(slot)[start..start + N].try_into().unwrap()
}

fn identity(eeprom: &Eeprom, has_eui: bool) -> StoredIdentity {
    StoredIdentity {
        serial_number: eeprom.configuration().serial_number(),
        public_key: public_key_in(eeprom, Slot::PRIMARY_KEY).unwrap(),
        device: read(eeprom, TngTls::DEVICE_CERTIFICATE, 0),
        signer_public_key: read(eeprom, TngTls::SIGNER_PUBLIC_KEY, 0),
        signer: read(eeprom, TngTls::SIGNER_CERTIFICATE, 0),
        eui48: has_eui.then(|| read(eeprom, TngTls::EUI48, 0)),
    }
}

fn code(eeprom: &Eeprom) -> [u8; 8] {
    eeprom.otp()[..8].try_into().unwrap()
}

#[test]
fn two_chips_have_nothing_secret_in_common() {
    let (one, other) = (tng_tls().unwrap(), tng_tls().unwrap());
    assert_ne!(one.configuration().serial_number(), other.configuration().serial_number());
    for number in 0..=4 {
        let slot = Slot::new(number).unwrap();
        assert_ne!(one.slot(slot), other.slot(slot), "slot {number}");
    }
}

#[test]
fn the_test_root_says_what_it_is() {
    let root = Certificate::from_der(EMULATOR.root_certificate).unwrap();
    assert!(root.tbs_certificate().subject().to_string().contains("EMULATOR"));
    assert!(!root.tbs_certificate().subject().to_string().contains("Microchip"));
}

#[test]
fn the_certificates_of_every_tls_part_verify_with_the_template_of_its_code() {
    for (personality, template) in [
        (Personality::TngTls2, Template::TngTls2),
        (Personality::TngTls3, Template::TngTls3),
        (Personality::TflxTls, Template::TflxTls),
    ] {
        let eeprom = personality.make().unwrap();
        let identity = identity(&eeprom, template == Template::TngTls3);
        let chain = rebuild(&identity, &code(&eeprom), &[&EMULATOR]).unwrap();
        assert_eq!(chain.template, template, "{}", personality.part());
        assert_eq!(Template::from_otp_code(&code(&eeprom)), Some(template));
    }
}

#[test]
fn the_certificates_of_a_lora_part_verify() {
    let eeprom = tng_lora().unwrap();
    let stored = StoredLora {
        serial_number: eeprom.configuration().serial_number(),
        public_key: public_key_in(&eeprom, TngLora::PRIMARY_KEY).unwrap(),
        certificates: [0, 72, 144].map(|start| read(&eeprom, TngLora::CERTIFICATES, start)),
        eui64: Some(read(&eeprom, TngLora::EUI64, 0)),
    };
    let chain = rebuild_lora(&stored, &code(&eeprom), &[&EMULATOR]).unwrap();
    assert_eq!(chain.template, Template::TngLora4);
}

#[test]
fn locks_and_addresses_are_those_of_the_data_sheets() {
    for (personality, address, is_locked) in [
        (Personality::TngTls2, 0x35, true),
        (Personality::TngTls3, 0x35, true),
        (Personality::TflxTls, 0x36, true),
        (Personality::TngLora, 0x59, true),
        (Personality::Blank, 0x60, false),
    ] {
        let configuration = personality.make().unwrap().configuration();
        assert_eq!(configuration.i2c_address(), address, "{}", personality.part());
        assert_eq!(configuration.is_configuration_locked(), is_locked);
        assert_eq!(configuration.is_data_locked(), is_locked);
        assert!(personality.part().starts_with(configuration.revision().part()));
    }
}

#[test]
fn a_replica_has_the_public_side_of_its_original_and_no_key() {
    let original = tng_tls().unwrap();
    let shown = identity(&original, true);
    let replica = replica(&shown, Template::TngTls3).unwrap();
    assert_eq!(replica.configuration(), original.configuration());
    assert_eq!(replica.otp(), original.otp());
    for number in [5, 10, 11, 12] {
        let slot = Slot::new(number).unwrap();
        assert_eq!(replica.slot(slot), original.slot(slot), "slot {number}");
    }
    assert_eq!(replica.slot(Slot::PRIMARY_KEY), [0; 36]);
    assert!(super::replica(&shown, Template::TngLora4).is_err());
}
