//! The files against their readers and other users.

use std::os::unix::fs::{PermissionsExt, symlink};

use atecc::PublicKey;

use super::*;
use crate::identity::{Layout, Stored};

const SERIAL: SerialNumber = SerialNumber::from_bytes([0x01, 0x23, 3, 4, 5, 6, 7, 8, 0x01]);

fn entry(seed: u8) -> Entry {
    let stored = Stored {
        layout: Layout::Tls,
        pieces: [[seed; 72], [seed + 1; 72], [seed + 2; 72]],
        hint: [seed + 3; 8],
        eui: seed.is_multiple_of(2).then_some([seed + 4; 16]),
    };
    Entry { zone: [seed + 5; 128], public_key: PublicKey::from_bytes([seed + 6; 64]), stored }
}

fn cache() -> (tempfile::TempDir, Cache) {
    let base = tempfile::tempdir().unwrap();
    let cache = Cache::below(base.path().to_path_buf());
    (base, cache)
}

#[test]
fn what_is_kept_comes_back_for_this_chip_only() {
    let (_base, cache) = cache();
    for seed in [1, 2] {
        let entry = entry(seed);
        cache.save("i2c", SERIAL, &entry);
        assert_eq!(cache.load("i2c", SERIAL, &[seed + 5; 32]), Some(entry));
        assert_eq!(cache.load("i2c", SERIAL, &[0; 32]), None, "another start of the zone");
    }
    assert_eq!(cache.load("emulator", SERIAL, &[7; 32]), None);
    assert_eq!(cache.load("i2c", SerialNumber::from_bytes([1; 9]), &[7; 32]), None);
    cache.forget("i2c", SERIAL);
    assert_eq!(cache.load("i2c", SERIAL, &[7; 32]), None);
}

#[test]
fn only_the_user_may_look_in() {
    let (_base, cache) = cache();
    cache.save("i2c", SERIAL, &entry(1));
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&cache.folder), 0o700);
    assert_eq!(mode(&cache.folder.join(name("i2c", SERIAL))), 0o600);
    assert_eq!(fs::read_dir(&cache.folder).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn what_others_could_have_written_is_not_read() {
    let (base, cache) = cache();
    let load = || cache.load("i2c", SERIAL, &[6; 32]);
    let (folder, file) = (cache.folder.clone(), cache.folder.join(name("i2c", SERIAL)));
    let set =
        |path: &std::path::Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    cache.save("i2c", SERIAL, &entry(1));
    assert!(load().is_some());
    set(&file, 0o622);
    assert!(load().is_none());
    set(&file, 0o600);
    set(&folder, 0o770);
    assert!(load().is_none());
    // Nor is anything written there.
    cache.save("i2c", SERIAL, &entry(3));
    set(&folder, 0o700);
    assert_eq!(load(), Some(entry(1)));
    let elsewhere = base.path().join("elsewhere");
    fs::rename(&file, &elsewhere).unwrap();
    symlink(&elsewhere, &file).unwrap();
    assert!(load().is_none());
}

#[test]
fn damage_at_any_place_is_noticed() {
    let (_base, cache) = cache();
    cache.save("i2c", SERIAL, &entry(2));
    let file = cache.folder.join(name("i2c", SERIAL));
    let good = fs::read(&file).unwrap();
    assert_eq!(good.len(), Entry::SIZE);
    let damaged = (0..good.len()).map(|position| {
        let mut bytes = good.clone();
        bytes[position] ^= 0x10;
        bytes
    });
    let shapes = [vec![], good[1..].to_vec(), [&good[..], b"x"].concat()];
    for bytes in damaged.chain(shapes) {
        fs::write(&file, &bytes).unwrap();
        assert_eq!(cache.load("i2c", SERIAL, &[7; 32]), None);
    }
    fs::write(&file, &good).unwrap();
    assert!(cache.load("i2c", SERIAL, &[7; 32]).is_some());
}

#[test]
fn a_disk_that_takes_nothing_is_borne() {
    let cache = Cache::below("/proc/nowhere".into());
    cache.save("i2c", SERIAL, &entry(1));
    assert_eq!(cache.load("i2c", SERIAL, &[6; 32]), None);
}

#[test]
fn the_oldest_go_when_there_are_many() {
    let (_base, cache) = cache();
    for number in 0..MAX_ENTRIES as u8 + 5 {
        cache.save("i2c", SerialNumber::from_bytes([number; 9]), &entry(1));
        // Files of the same tick have no order.
        let file = cache.folder.join(name("i2c", SerialNumber::from_bytes([number; 9])));
        let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000 + u64::from(number));
        fs::File::options().write(true).open(file).unwrap().set_modified(time).unwrap();
    }
    assert_eq!(fs::read_dir(&cache.folder).unwrap().count(), MAX_ENTRIES);
    let is_there = |number: u8| cache.load("i2c", SerialNumber::from_bytes([number; 9]), &[6; 32]).is_some();
    assert!(!is_there(0) && !is_there(4) && is_there(5) && is_there(MAX_ENTRIES as u8 + 4));
}
