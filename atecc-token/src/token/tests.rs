//! What a token does with chips of all kinds, on an emulated bus whose time is virtual.

mod cached;
mod counts;
mod generate;

use std::path::{Path, PathBuf};

use atecc::{
    PublicKey, Slot,
    certificate::{TngLora, key_identifier},
    profile::TngTls,
    zone::CounterId,
};
use atecc_emulator::{Eeprom, EepromFile, provision::Personality};

use super::*;
use crate::{CertificateRole, Object, ObjectKind, SecretAlgorithm};

/// A chip in a file of its own.
struct TestChip {
    folder: tempfile::TempDir,
}

impl TestChip {
    fn new(personality: Personality) -> Self {
        Self::with(&personality.make().unwrap())
    }

    fn with(eeprom: &Eeprom) -> Self {
        let chip = Self { folder: tempfile::tempdir().unwrap() };
        EepromFile::create(&chip.path(), eeprom).unwrap();
        chip
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("chip.eeprom")
    }

    fn spec(&self) -> DeviceSpec {
        DeviceSpec::Emulator { path: self.path(), is_clock_virtual: true }
    }

    fn open(&self) -> Token {
        Token::open_in(&self.spec(), &[], None).unwrap()
    }

    /// Opened with the tables `[[slot]]` of this configuration.
    fn open_with(&self, rules: &str) -> Token {
        let config = crate::Config::parse(rules, Path::new("atecc.toml")).unwrap();
        Token::open_in(&self.spec(), &config.slots, None).unwrap()
    }

    /// Opened by a user who has a cache below this folder.
    fn open_cached(&self, base: &Path) -> Token {
        Token::open_in(&self.spec(), &[], Some(Cache::below(base.into()))).unwrap()
    }
}

fn slot(number: u8) -> Slot {
    Slot::new(number).unwrap()
}

fn labels(objects: &[Object]) -> Vec<&str> {
    objects.iter().map(|object| &*object.label).collect()
}

fn keys(objects: &[Object]) -> Vec<(u8, PublicKey)> {
    let key = |object: &Object| match &object.kind {
        ObjectKind::PrivateKey { slot, public_key, .. } => Some((slot.number(), *public_key)),
        _ => None,
    };
    objects.iter().filter_map(key).collect()
}

#[test]
fn without_a_rule_the_primary_key_is_the_only_one() {
    let token = TestChip::new(Personality::TngTls3).open();
    let objects = token.objects().unwrap();
    assert_eq!(
        labels(&objects),
        [
            "device",
            "device",
            "device",
            "signer",
            "root",
            "data-8",
            "aes-9-0",
            "aes-9-1",
            "aes-9-2",
            "aes-9-3",
            "hmac-9",
            "counter-0",
            "counter-1",
        ]
    );
    assert_eq!(keys(&objects), [(0, token.public_key(TngTls::PRIMARY_KEY).unwrap())]);
    let ObjectKind::PrivateKey { may, .. } = &objects[0].kind else { panic!() };
    assert!(may.sign && may.ecdh && !may.overwrite);
}

#[test]
fn what_belongs_together_has_one_id_and_the_rest_one_of_its_own() {
    let objects = TestChip::new(Personality::TngTls3).open_with("[[slot]]\nnumber = 3\n").objects().unwrap();
    assert!(objects[0].id == objects[1].id && objects[0].id == objects[4].id);
    assert_ne!(objects[0].id, objects[2].id);
    for object in &objects {
        let same = |other: &&Object| {
            std::mem::discriminant(&other.kind) == std::mem::discriminant(&object.kind)
                && other.id == object.id
        };
        assert_eq!(objects.iter().filter(same).count(), 1, "{object:?}");
    }
    for object in objects {
        if let ObjectKind::PublicKey { public_key, .. } = object.kind {
            assert_eq!(object.id, key_identifier(&public_key));
        }
    }
}

#[test]
fn a_rule_shows_a_slot_under_its_label() {
    let chip = TestChip::new(Personality::TngTls3);
    let token = chip.open_with("[[slot]]\nnumber = 2\nlabel = \"ssh\"\n[[slot]]\nnumber = 4\n");
    let pairs = token.key_pairs().unwrap();
    assert_eq!(labels(&pairs), ["device", "device", "ssh", "ssh", "slot-4", "slot-4"]);
    assert_eq!(keys(&pairs).iter().map(|(slot, _)| *slot).collect::<Vec<_>>(), [0, 2, 4]);
    let digest = [0x17; 32];
    let signature = token.sign(slot(4), &digest).unwrap();
    assert!(keys(&pairs)[2].1.verify(&digest, &signature));
}

#[test]
fn a_rule_for_what_is_no_private_key_shows_none() {
    let chip = TestChip::new(Personality::TngTls3);
    let token = chip.open_with("[[slot]]\nnumber = 8\nlabel = \"notes\"\n[[slot]]\nnumber = 0\n");
    let objects = token.objects().unwrap();
    assert_eq!(keys(&objects).len(), 1);
    assert_eq!(labels(&objects)[5], "notes");
}

#[test]
fn a_rule_for_another_chip_says_nothing_of_this_one() {
    let chip = TestChip::new(Personality::TngTls3);
    let token = chip.open_with("[[slot]]\nnumber = 2\nserial = \"0123000000000000EE\"\n");
    assert_eq!(keys(&token.key_pairs().unwrap()).len(), 1);
}

#[test]
fn an_empty_slot_is_not_shown() {
    let mut eeprom = Personality::TngTls3.make().unwrap();
    eeprom.slot_mut(slot(2)).fill(0);
    let token = TestChip::with(&eeprom).open_with("[[slot]]\nnumber = 2\n");
    assert_eq!(labels(&token.key_pairs().unwrap()), ["device", "device"]);
}

#[test]
fn each_product_has_its_primary_key_and_certificates() {
    for (personality, primary) in [
        (Personality::TngTls2, 0),
        (Personality::TngTls3, 0),
        (Personality::TflxTls, 0),
        (Personality::TngLora, 1),
    ] {
        let token = TestChip::new(personality).open();
        assert_eq!(token.primary_key().unwrap(), slot(primary), "{personality:?}");
        let objects = token.objects().unwrap();
        let key = token.public_key(slot(primary)).unwrap();
        assert_eq!(keys(&objects), [(primary, key)], "{personality:?}");
        let roles: Vec<CertificateRole> = objects
            .iter()
            .filter_map(|object| match &object.kind {
                ObjectKind::Certificate { der, role } => {
                    assert!(
                        *role != CertificateRole::Device
                            || der.windows(64).any(|key_| key_ == key.as_bytes())
                    );
                    Some(*role)
                }
                _ => None,
            })
            .collect();
        let all = [CertificateRole::Device, CertificateRole::Signer, CertificateRole::Root];
        assert_eq!(roles, all, "{personality:?}");
        let digest = [0x22; 32];
        assert!(key.verify(&digest, &token.sign(slot(primary), &digest).unwrap()));
    }
}

#[test]
fn certificates_are_not_data() {
    for personality in
        [Personality::TngTls2, Personality::TngTls3, Personality::TflxTls, Personality::TngLora]
    {
        let objects = TestChip::new(personality).open().objects().unwrap();
        let data: Vec<u8> = objects
            .iter()
            .filter_map(|object| match object.kind {
                ObjectKind::Data { slot } => Some(slot.number()),
                _ => None,
            })
            .collect();
        let expected: &[u8] = if personality == Personality::TngLora { &[9] } else { &[8] };
        assert_eq!(data, expected, "{personality:?}");
    }
}

#[test]
fn a_blank_chip_opens_and_has_no_key() {
    let token = TestChip::new(Personality::Blank).open();
    assert_eq!(token.configuration().unwrap(), token.read_configuration().unwrap());
    assert!(token.objects().unwrap_err().chip_status().is_some());
}

#[test]
fn the_zone_is_the_same_in_pieces_and_whole() {
    let token = TestChip::new(Personality::TngTls3).open();
    token.primary_key().unwrap();
    token.certificates().unwrap();
    assert_eq!(token.configuration().unwrap(), token.read_configuration().unwrap());
}

#[test]
fn two_slots_agree_on_a_secret() {
    let token = TestChip::new(Personality::TngTls3).open();
    let (one, other) = (token.public_key(slot(0)).unwrap(), token.public_key(slot(2)).unwrap());
    let secret = token.ecdh(slot(0), &other).unwrap();
    assert_eq!(secret.as_bytes(), token.ecdh(slot(2), &one).unwrap().as_bytes());
    let no_point = PublicKey::from_bytes([0x11; 64]);
    assert!(token.ecdh(slot(0), &no_point).unwrap_err().chip_status().is_some());
    // Slot 1 attests only, slot 8 holds data, and a LoRaWAN part gives the result encrypted only.
    assert!(matches!(token.ecdh(slot(1), &other), Err(Error::NoEcdh { .. })));
    assert!(matches!(token.ecdh(slot(8), &other), Err(Error::NoEcdh { .. })));
    let lora = TestChip::new(Personality::TngLora).open();
    assert!(matches!(lora.ecdh(TngLora::PRIMARY_KEY, &other), Err(Error::NoEcdh { .. })));
}

/// The rule for the slot of the IO protection key, with a file that holds `byte` 32 times.
fn io_protection_key(chip: &TestChip, number: u8, byte: u8) -> String {
    use std::os::unix::fs::PermissionsExt;
    let file = chip.folder.path().join("io.key");
    std::fs::write(&file, format!("{byte:02x}").repeat(32)).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    format!("[[slot]]\nnumber = {number}\nsecret_file = {:?}\n", file.display().to_string())
}

#[test]
fn with_the_io_protection_key_the_secret_crosses_the_bus_encrypted() {
    let mut eeprom = Personality::TngTls3.make().unwrap();
    eeprom.slot_mut(slot(6))[..32].fill(0x6b);
    let chip = TestChip::with(&eeprom);
    let clear = {
        let token = chip.open();
        let peer = token.public_key(slot(2)).unwrap();
        token.ecdh(slot(0), &peer).unwrap()
    };
    let agreed = |byte| {
        let token = chip.open_with(&io_protection_key(&chip, 6, byte));
        let peer = token.public_key(slot(2)).unwrap();
        token.ecdh(slot(0), &peer).unwrap()
    };
    assert_eq!(agreed(0x6b).as_bytes(), clear.as_bytes());
    // That a wrong key gives another secret shows that it was used.
    assert_ne!(agreed(0x6c).as_bytes(), clear.as_bytes());
}

#[test]
fn a_part_that_only_gives_encrypted_secrets_gives_them_with_the_key() {
    let mut eeprom = Personality::TngLora.make().unwrap();
    eeprom.slot_mut(slot(14))[..32].fill(0x14);
    let chip = TestChip::with(&eeprom);
    let other = TestChip::new(Personality::TngTls3).open();
    let (ours, theirs) = (TngLora::PRIMARY_KEY, TngTls::PRIMARY_KEY);
    let lora = chip.open_with(&io_protection_key(&chip, 14, 0x14));
    let secret = lora.ecdh(ours, &other.public_key(theirs).unwrap()).unwrap();
    assert_eq!(secret.as_bytes(), other.ecdh(theirs, &lora.public_key(ours).unwrap()).unwrap().as_bytes());
    std::fs::remove_file(chip.folder.path().join("io.key")).unwrap();
    let error = lora.ecdh(ours, &other.public_key(theirs).unwrap()).unwrap_err();
    assert!(matches!(error, Error::SecretFile { .. }) && error.to_string().contains("io.key"), "{error}");
}

/// RFC 4231, test case 1, whose key of 20 bytes HMAC fills up with zeros, and test case 2 made long.
#[test]
fn slot_9_makes_hmacs() {
    let mut eeprom = Personality::TngTls3.make().unwrap();
    eeprom.slot_mut(slot(9))[..32].fill(0);
    eeprom.slot_mut(slot(9))[..20].fill(0x0b);
    let token = TestChip::with(&eeprom).open();
    let mac = token.hmac_sha256(slot(9), b"Hi There").unwrap();
    let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    assert_eq!(
        token.hmac_sha256(slot(9), &[7; 1000]).unwrap(),
        token.hmac_sha256(slot(9), &[7; 1000]).unwrap()
    );
    assert!(matches!(token.hmac_sha256(slot(0), b""), Err(Error::NoSecretKey { .. })));
    assert!(matches!(token.hmac_sha256(slot(8), b""), Err(Error::NoSecretKey { .. })));
}

/// FIPS 197, appendix C.1, with the key in the second of the four places.
#[test]
fn slot_9_encrypts_blocks() {
    let key: Vec<u8> = (0..16).collect();
    let plain = [0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff];
    let cipher =
        [0x69, 0xc4, 0xe0, 0xd8, 0x6a, 0x7b, 0x04, 0x30, 0xd8, 0xcd, 0xb7, 0x80, 0x70, 0xb4, 0xc5, 0x5a];
    let mut eeprom = Personality::TngTls3.make().unwrap();
    eeprom.slot_mut(slot(9))[16..32].copy_from_slice(&key);
    let token = TestChip::with(&eeprom).open();
    assert_eq!(token.aes_encrypt_block(slot(9), 1, &plain).unwrap(), cipher);
    assert_eq!(token.aes_decrypt_block(slot(9), 1, &cipher).unwrap(), plain);
    assert_ne!(token.aes_encrypt_block(slot(9), 0, &plain).unwrap(), cipher);
    assert!(matches!(token.aes_encrypt_block(slot(9), 4, &plain), Err(Error::NoSecretKey { .. })));
    assert!(matches!(token.aes_encrypt_block(slot(8), 0, &plain), Err(Error::NoSecretKey { .. })));
}

/// A refusal is one, and no fault of the file, unless a command would have written.
#[test]
fn only_what_is_written_can_fail_for_its_file() {
    let chip = TestChip::new(Personality::TngTls3);
    let token = chip.open_with("[[slot]]\nnumber = 2\noverwrite = true\n");
    let key = token.public_key(slot(2)).unwrap();
    // A folder has the name of the file that a save makes.
    std::fs::create_dir_all(chip.folder.path().join("chip.eeprom.saving/full")).unwrap();
    assert!(token.read_data(slot(9)).unwrap_err().chip_status().is_some());
    assert!(token.generate_key_pair(slot(2)).unwrap_err().chip_status().is_some());
    drop(chip);
    assert!(token.read_data(slot(9)).unwrap_err().chip_status().is_some());
    assert!(matches!(token.generate_key_pair(slot(2)), Err(Error::EmulatorFile(_))));
    assert_eq!(token.public_key(slot(2)).unwrap(), key);
}

#[test]
fn data_and_counters_are_read_as_they_are() {
    let mut eeprom = Personality::TngTls3.make().unwrap();
    let content: Vec<u8> = (0..416).map(|index| (index % 251) as u8).collect();
    eeprom.slot_mut(slot(8)).copy_from_slice(&content);
    let token = TestChip::with(&eeprom).open();
    assert_eq!(token.read_data(slot(8)).unwrap(), content);
    assert_eq!(token.read_data(slot(10)).unwrap(), eeprom.slot(slot(10)));
    assert!(token.read_data(slot(9)).unwrap_err().chip_status().is_some());
    assert_eq!(token.counter(CounterId::Counter0).unwrap(), 0);
    assert!(token.is_present());
}

/// The objects say what calls will work.
#[test]
fn every_object_can_be_used() {
    let token = TestChip::new(Personality::TngTls3).open();
    for object in token.objects().unwrap() {
        match object.kind {
            ObjectKind::SecretKey { slot, algorithm: SecretAlgorithm::HmacSha256 } => {
                token.hmac_sha256(slot, b"abc").unwrap();
            }
            ObjectKind::SecretKey { slot, algorithm: SecretAlgorithm::Aes128 { key_block } } => {
                token.aes_encrypt_block(slot, key_block, &[0; 16]).unwrap();
            }
            ObjectKind::Data { slot } => assert_eq!(token.read_data(slot).unwrap().len(), slot.size()),
            ObjectKind::Counter { counter } => assert_eq!(token.counter(counter).unwrap(), 0),
            _ => {}
        }
    }
}
