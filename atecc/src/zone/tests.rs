//! The published configuration zones, field by field.

extern crate std;

use std::string::ToString;

use super::*;

/// ATECC608A-TNGTLS: the values of table 2-3 and section 2.2, with a serial number of its own.
fn tng_tls() -> Configuration {
    let mut zone = [0; CONFIGURATION_ZONE];
    zone[..20].copy_from_slice(&[
        0x01, 0x23, 0x45, 0x67, 0x00, 0x00, 0x60, 0x02, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x01, 0x29, 0x00, 0x6a,
        0x00, 0x00, 0x01,
    ]);
    zone[20..52].copy_from_slice(&[
        0x85, 0x00, 0x82, 0x00, 0x85, 0x20, 0x85, 0x20, 0x85, 0x20, 0x8f, 0x46, 0x8f, 0x0f, 0x9f, 0x8f, 0x0f,
        0x0f, 0x8f, 0x0f, 0x0f, 0x8f, 0x0f, 0x8f, 0x0f, 0x8f, 0x0f, 0x0f, 0x0d, 0x1f, 0x0f, 0x0f,
    ]);
    zone[52..60].copy_from_slice(&[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
    zone[60..68].copy_from_slice(&[0x00, 0x00, 0x7f, 0xff, 0, 1, 0, 1]);
    zone[70..75].copy_from_slice(&[0x03, 0xf7, 0x00, 0x69, 0x76]);
    zone[88..92].copy_from_slice(&[0xff, 0xff, 0x0e, 0x60]);
    zone[96..].copy_from_slice(&[
        0x53, 0x00, 0x53, 0x00, 0x73, 0x00, 0x73, 0x00, 0x73, 0x00, 0x38, 0x00, 0x7c, 0x00, 0x1c, 0x00, 0x3c,
        0x00, 0x1a, 0x00, 0x1c, 0x00, 0x10, 0x00, 0x1c, 0x00, 0x30, 0x00, 0x12, 0x00, 0x30, 0x00,
    ]);
    Configuration::from_bytes(zone)
}

fn slot(number: u8) -> Slot {
    Slot::new(number).unwrap()
}

#[test]
fn serial_number_in_upper_case_digits() {
    let serial = SerialNumber::from_bytes([0x01, 0x23, 0xcf, 0xe1, 0xef, 0x17, 0xf0, 0xb0, 0x01]);
    assert_eq!(&serial.to_hex(), b"0123CFE1EF17F0B001");
}

#[test]
fn sixteen_slots_and_no_more() {
    assert_eq!(Slot::new(15).map(Slot::size), Some(72));
    assert_eq!(Slot::new(8).map(Slot::size), Some(416));
    assert_eq!(Slot::new(16), None);
}

#[test]
fn the_keys_of_trust_and_go() {
    let zone = tng_tls();
    let primary = zone.slot_rules(slot(0));
    assert!(primary.private_key_use().signs_external() && primary.private_key_use().allows_ecdh());
    assert!(!primary.private_key_use().signs_internal() && !primary.write_config().allows_genkey());
    assert!(zone.slot_rules(slot(1)).private_key_use().signs_internal());
    assert!(zone.slot_rules(slot(2)).write_config().allows_genkey());
    let key = zone.key_properties(slot(0));
    assert!(key.private() && key.pub_info() && key.req_random() && !key.lockable());
    assert_eq!(key.key_type(), KeyType::P256);
    assert!(zone.key_properties(slot(2)).lockable());
    assert_eq!(zone.key_properties(slot(9)).key_type(), KeyType::Aes);
}

#[test]
fn the_data_of_trust_and_go() {
    let zone = tng_tls();
    let access = |number| {
        (zone.slot_rules(slot(number)).reads(), zone.slot_rules(slot(number)).write_config().writes())
    };
    assert_eq!(access(5), (ReadAccess::Never, WriteAccess::Encrypted));
    assert_eq!(zone.slot_rules(slot(5)).write_key(), slot(6));
    assert_eq!(access(6), (ReadAccess::Never, WriteAccess::Clear));
    assert_eq!(access(8), (ReadAccess::Clear, WriteAccess::Clear));
    assert_eq!(access(10), (ReadAccess::Clear, WriteAccess::Never));
    assert_eq!(access(14), (ReadAccess::Clear, WriteAccess::ClearWhileInvalid));
}

#[test]
fn the_options_of_trust_and_go() {
    let zone = tng_tls();
    assert!(zone.is_aes_enabled() && zone.is_i2c_enabled());
    assert_eq!(zone.chip_options().io_protection_key(), Some(slot(6)));
    assert_eq!(zone.chip_options().ecdh_protection(), OutputProtection::CallersChoice);
    assert!(zone.chip_options().kdf_aes() && zone.chip_options().clears_health_failure());
    assert_eq!(zone.secure_boot().mode(), SecureBootMode::FullDigest);
    assert_eq!((zone.secure_boot().digest(), zone.secure_boot().public_key()), (slot(7), slot(15)));
    assert_eq!(zone.kdf_iv(), KdfIv { location: 0, string: [0x69, 0x76] });
    assert_eq!((zone.count_match(), zone.use_lock(), zone.volatile_key_permission()), (None, None, None));
    assert!(zone.chip_mode().alternate_address() && !zone.chip_mode().long_watchdog());
    assert_eq!(zone.effective_i2c_address(), 0x35);
}

#[test]
fn counters_are_read_from_their_strips() {
    assert_eq!(tng_tls().counter(CounterId::Counter0).value(), Some(0));
    assert_eq!(tng_tls().counter(CounterId::Counter1).value(), Some(49));
    for (bytes, value) in [
        ([0x00, 0x01, 0xff, 0xff, 0, 0, 0, 0], Some(15)),
        ([0x00, 0x00, 0xff, 0xff, 0, 0, 0, 0], Some(16)),
        ([0x00, 0x00, 0x00, 0x01, 0, 0, 0, 0], Some(31)),
        ([0xff, 0xff, 0x00, 0x00, 0, 1, 0, 0], Some(32)),
        ([0x12, 0x34, 0xff, 0xff, 0, 0, 0, 0], None),
        ([0; 8], Some(32)),
    ] {
        assert_eq!(chip_fields::CounterField(bytes).value(), value, "{bytes:02x?}");
    }
}

#[test]
fn rules_read_like_sentences() {
    let zone = tng_tls();
    assert_eq!(zone.slot_rules(slot(5)).to_string(), "read never; write encrypted with the key in slot 6");
    assert_eq!(zone.key_properties(slot(2)).to_string(), "P-256 private key; lockable; random nonce");
    assert_eq!(zone.slot_rules(slot(0)).private_key_use().to_string(), "sign, ECDH");
    let summary = |number| zone.slot_summary(slot(number)).to_string();
    assert_eq!(summary(0), "P-256 private key; random nonce: sign, ECDH");
    assert_eq!(summary(2), "P-256 private key; lockable; random nonce: sign, ECDH; new key by GenKey");
    assert_eq!(summary(10), "secret or data: read clear; write never");
    assert_eq!(zone.secure_boot().to_string(), "digest stored in slot 7, public key in slot 15");
}
