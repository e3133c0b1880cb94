//! The file against other owners, damage and a loss of power.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::provision;

fn chip_file() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chip.eeprom");
    EepromFile::create(&path, &provision::tng_tls().unwrap()).unwrap();
    (folder, path)
}

#[test]
fn what_was_written_is_read_and_only_the_owner_may() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chip.eeprom");
    let eeprom = provision::tng_tls().unwrap();
    EepromFile::create(&path, &eeprom).unwrap();
    assert_eq!(EepromFile::open(&path, Duration::ZERO).unwrap().eeprom(), &eeprom);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_second_owner_is_told_and_may_have_it_afterwards() {
    let (_folder, path) = chip_file();
    let owner = EepromFile::open(&path, Duration::ZERO).unwrap();
    assert!(matches!(EepromFile::open(&path, Duration::from_millis(50)), Err(FileError::InUse { .. })));
    drop(owner);
    EepromFile::open(&path, Duration::ZERO).unwrap();
}

#[test]
fn an_existing_file_is_never_overwritten() {
    let (_folder, path) = chip_file();
    let before = std::fs::read(&path).unwrap();
    let other = provision::tng_tls().unwrap();
    assert!(matches!(EepromFile::create(&path, &other), Err(FileError::Exists { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn damage_is_noticed_wherever_it_is_and_left_as_it_is() {
    let (_folder, path) = chip_file();
    let good = std::fs::read(&path).unwrap();
    let damaged = (0..good.len()).step_by(97).map(|position| {
        let mut bytes = good.clone();
        bytes[position] ^= 0x20;
        bytes
    });
    let shapes = [vec![], good[..good.len() - 1].to_vec(), [&good[..], b"x"].concat()];
    for bytes in damaged.chain(shapes) {
        std::fs::write(&path, &bytes).unwrap();
        assert!(matches!(EepromFile::open(&path, Duration::ZERO), Err(FileError::Corrupt { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }
}

#[test]
fn what_is_saved_is_there_for_the_next_owner_and_stays_private() {
    let (folder, path) = chip_file();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let other = provision::tng_tls().unwrap();
    let mut file = EepromFile::open(&link, Duration::ZERO).unwrap();
    for _ in 0..3 {
        file.save(&other).unwrap();
        // The lock went over to the new file.
        assert!(matches!(EepromFile::open(&path, Duration::ZERO), Err(FileError::InUse { .. })));
    }
    drop(file);
    assert!(link.symlink_metadata().unwrap().is_symlink());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(EepromFile::open(&path, Duration::ZERO).unwrap().eeprom() == &other);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn an_owner_who_waited_gets_the_new_file_and_not_the_old_one() {
    let (_folder, path) = chip_file();
    let other = provision::tng_tls().unwrap();
    let mut file = EepromFile::open(&path, Duration::ZERO).unwrap();
    let waiting = {
        let path = path.clone();
        thread::spawn(move || EepromFile::open(&path, Duration::from_secs(10)).unwrap())
    };
    thread::sleep(2 * LOCK_POLL);
    file.save(&other).unwrap();
    thread::sleep(2 * LOCK_POLL);
    file.save(&other).unwrap();
    drop(file);
    assert!(waiting.join().unwrap().eeprom() == &other);
}

#[test]
fn what_a_crash_left_behind_does_not_matter() {
    let (folder, path) = chip_file();
    let torn = folder.path().join("chip.eeprom.saving");
    std::fs::write(&torn, b"half").unwrap();
    let other = provision::tng_tls().unwrap();
    let mut file = EepromFile::open(&path, Duration::ZERO).unwrap();
    file.save(&other).unwrap();
    drop(file);
    assert!(EepromFile::open(&path, Duration::ZERO).unwrap().eeprom() == &other && !torn.exists());
}

#[test]
fn a_file_that_was_replaced_is_not_overwritten() {
    let (folder, path) = chip_file();
    let mut file = EepromFile::open(&path, Duration::ZERO).unwrap();
    let copy = folder.path().join("copy");
    EepromFile::create(&copy, &provision::tng_tls().unwrap()).unwrap();
    std::fs::rename(&copy, &path).unwrap();
    let theirs = std::fs::read(&path).unwrap();
    assert!(file.save(&provision::tng_tls().unwrap()).is_err());
    assert_eq!(std::fs::read(&path).unwrap(), theirs);
}

/// What a loss of power leaves where the file is written over: see `Storage::save`.
#[test]
fn a_torn_file_is_mended_with_the_whole_one_beside_it() {
    let (folder, path) = chip_file();
    let (old, beside) = (std::fs::read(&path).unwrap(), folder.path().join("chip.eeprom.saving"));
    let next = provision::tng_tls().unwrap();
    let new = content(&next);
    for torn_at in [64, 512, 1000] {
        std::fs::write(&path, [&new[..torn_at], &old[torn_at..]].concat()).unwrap();
        std::fs::write(&beside, &new).unwrap();
        assert!(EepromFile::open(&path, Duration::ZERO).unwrap().eeprom() == &next);
        assert!(std::fs::read(&path).unwrap() == *new && !beside.exists());
    }
    // A torn one mends nothing, and a whole file is not mended.
    std::fs::write(&path, [&new[..512], &old[512..]].concat()).unwrap();
    std::fs::write(&beside, &new[..1000]).unwrap();
    assert!(matches!(EepromFile::open(&path, Duration::ZERO), Err(FileError::Corrupt { .. })));
    std::fs::write(&path, &old).unwrap();
    std::fs::write(&beside, &*new).unwrap();
    assert!(*content(EepromFile::open(&path, Duration::ZERO).unwrap().eeprom()) == old);
}

#[test]
fn what_cannot_be_saved_is_told_and_the_file_stays() {
    let (folder, path) = chip_file();
    let before = std::fs::read(&path).unwrap();
    let mut file = EepromFile::open(&path, Duration::ZERO).unwrap();
    EepromFile::check_saving(&path).unwrap();
    // A folder has the name of the new file.
    std::fs::create_dir_all(folder.path().join("chip.eeprom.saving/full")).unwrap();
    let error = file.save(&provision::tng_tls().unwrap()).unwrap_err();
    assert!(error.to_string().contains("cannot be saved"), "{error}");
    assert!(std::fs::read(&path).unwrap() == before);
}
