//! What the cache saves, and what it must not be believed.

use std::fs;

use super::*;

fn cost(token: &Token) -> (u64, u64) {
    let bus = token.statistics().bus;
    (bus.wakes, bus.commands)
}

fn files(base: &Path) -> Vec<PathBuf> {
    let folder = fs::read_dir(base.join("atecc"));
    folder.into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
}

/// Serial check, Random, Nonce, Sign.
#[test]
fn with_a_warm_cache_a_signature_takes_two_wakes_and_four_commands() {
    let (chip, base) = (TestChip::new(Personality::TngTls3), tempfile::tempdir().unwrap());
    let first = chip.open_cached(base.path());
    let expected = first.objects().unwrap();
    let configuration = first.configuration().unwrap();
    drop(first);
    let token = chip.open_cached(base.path());
    let pairs = token.key_pairs().unwrap();
    let digest = [0x55; 32];
    assert!(keys(&pairs)[0].1.verify(&digest, &token.sign(slot(0), &digest).unwrap()));
    assert_eq!(cost(&token), (2, 4));
    assert_eq!(format!("{:?}", token.objects().unwrap()), format!("{expected:?}"));
    assert_eq!(token.configuration().unwrap(), configuration);
    assert_eq!(cost(&token), (2, 4));
}

#[test]
fn keys_of_other_slots_are_never_kept() {
    let (chip, base) = (TestChip::new(Personality::TngTls3), tempfile::tempdir().unwrap());
    let token = chip.open_cached(base.path());
    token.objects().unwrap();
    let other = token.public_key(slot(2)).unwrap();
    let bytes = fs::read(&files(base.path())[0]).unwrap();
    assert!(bytes.windows(64).any(|window| window == token.public_key(slot(0)).unwrap().as_bytes()));
    assert!(!bytes.windows(32).any(|window| window == &other.as_bytes()[..32]));
}

#[test]
fn what_can_still_change_is_not_kept() {
    let base = tempfile::tempdir().unwrap();
    // Certificates that can be replaced, and no certificates at all.
    for personality in [Personality::TflxTls, Personality::TngLora] {
        TestChip::new(personality).open_cached(base.path()).objects().unwrap();
    }
    let mut eeprom = Personality::TngTls3.make().unwrap();
    eeprom.slot_mut(slot(10)).fill(0);
    TestChip::with(&eeprom).open_cached(base.path()).objects().unwrap();
    assert_eq!(files(base.path()), Vec::<PathBuf>::new());
}

/// An entry that somebody made for a chip whose certificates can be replaced.
#[test]
fn what_can_still_change_is_not_believed() {
    let (chip, base) = (TestChip::new(Personality::TflxTls), tempfile::tempdir().unwrap());
    let token = chip.open();
    let public_key = token.public_key(slot(0)).unwrap();
    let stored = token.read_identity(crate::identity::Layout::Tls).unwrap();
    let zone = *token.configuration().unwrap().as_bytes();
    let entry = crate::cache::Entry { zone, public_key, stored };
    Cache::below(base.path().into()).save("emulator", token.serial_number(), &entry);
    drop(token);
    let token = chip.open_cached(base.path());
    token.certificates().unwrap();
    // The serial number, the key, the certificates.
    assert_eq!(cost(&token).0, 3);
}

/// The entry of one chip under the name of another: the serial number in its zone gives it away. With the zone
/// mended too, the certificates do.
#[test]
fn the_cache_of_another_chip_is_not_believed() {
    let (one, other) = (TestChip::new(Personality::TngTls3), TestChip::new(Personality::TngTls3));
    let base = tempfile::tempdir().unwrap();
    one.open_cached(base.path()).objects().unwrap();
    let of_one = files(base.path()).remove(0);
    other.open_cached(base.path()).objects().unwrap();
    let of_other = files(base.path()).into_iter().find(|file| *file != of_one).unwrap();
    let right = other.open().public_key(slot(0)).unwrap();
    let theirs = fs::read(&of_one).unwrap();

    fs::write(&of_other, &theirs).unwrap();
    assert_eq!(other.open_cached(base.path()).public_key(slot(0)).unwrap(), right);

    // Forged with care: zone of the right chip, key and certificates of the wrong one.
    let cache = Cache::below(base.path().into());
    let (token, stranger) = (other.open(), one.open());
    let zone = *token.configuration().unwrap().as_bytes();
    let start = stranger.configuration().unwrap().as_bytes()[..32].to_vec();
    let entry = cache.load("emulator", stranger.serial_number(), &start).unwrap();
    cache.save("emulator", token.serial_number(), &crate::cache::Entry { zone, ..entry });
    drop(token);
    let token = other.open_cached(base.path());
    assert_eq!(token.public_key(slot(0)).unwrap(), right);
    let device = &token.certificates().unwrap().device;
    assert!(device.windows(64).any(|window| window == right.as_bytes()));
}

/// A chip with the serial number of the cached one and another key, as a copied emulated chip may be.
#[test]
fn a_signature_shows_that_the_cached_key_is_old() {
    let base = tempfile::tempdir().unwrap();
    let eeprom = Personality::TngTls3.make().unwrap();
    TestChip::with(&eeprom).open_cached(base.path()).objects().unwrap();
    let mut changed = eeprom.clone();
    let key_of_slot_2 = eeprom.slot(slot(2)).to_vec();
    changed.slot_mut(slot(0)).copy_from_slice(&key_of_slot_2);
    let chip = TestChip::with(&changed);
    let token = chip.open_cached(base.path());
    let old = token.public_key(slot(0)).unwrap();
    let digest = [0x66; 32];
    let signature = token.sign(slot(0), &digest).unwrap();
    let new = token.public_key(slot(0)).unwrap();
    assert!(new != old && new.verify(&digest, &signature) && !old.verify(&digest, &signature));
    assert!(token.certificates().unwrap_err().is_without_certificates());
    assert_eq!(files(base.path()), Vec::<PathBuf>::new());
}
