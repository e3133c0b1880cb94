//! The file of an emulated chip where users and mounts are not as simple as at home.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::Path,
    process::Command,
};

use atecc_emulator::provision;

use super::support::{Chip, Finished, program, run};

const NOBODY: u32 = 65_534;

fn new_chip() -> Chip {
    Chip::holding(&provision::tng_tls().unwrap())
}

fn give(path: &Path, user: u32, mode: u32) {
    chown(path, Some(user), Some(user)).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Owner, group, mode.
fn rights(path: &Path) -> (u32, u32, u32) {
    let metadata = fs::metadata(path).unwrap();
    (metadata.uid(), metadata.gid(), metadata.mode() & 0o777)
}

/// `atecc genkey 2`, run by `command` in front of it.
fn genkey(command: &[&str], chip: &Path) -> Finished {
    let mut running = Command::new(command.first().unwrap());
    running
        .args(&command[1..])
        .arg(program("atecc"))
        .arg("--device")
        .arg(format!("emulator:{}", chip.display()));
    run(running.args(["genkey", "2", "--yes-overwrite-slot", "2"]).env("HOME", "/nonexistent"))
}

const AS_ROOT: &[&str] = &["env"];
const AS_NOBODY: &[&str] = &["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];

fn public_key(chip: &Chip) -> String {
    run(chip.atecc().args(["pubkey", "--slot", "2"])).succeeded().text()
}

#[test]
fn root_saves_for_the_owner() {
    let chip = new_chip();
    give(&chip.eeprom(), NOBODY, 0o640);
    let made = genkey(AS_ROOT, &chip.eeprom()).succeeded().text();
    assert_eq!(rights(&chip.eeprom()), (NOBODY, NOBODY, 0o640));
    assert_eq!(public_key(&chip), made);
}

#[test]
fn another_user_who_may_write_the_file_does_not_take_it_over() {
    let chip = new_chip();
    give(chip.folder(), NOBODY, 0o755);
    give(&chip.eeprom(), 0, 0o666);
    let made = genkey(AS_NOBODY, &chip.eeprom()).succeeded().text();
    assert_eq!(rights(&chip.eeprom()), (0, 0, 0o666));
    assert_eq!(public_key(&chip), made);
    assert_eq!(fs::read_dir(chip.folder()).unwrap().count(), 1);
}

/// As `docker run --volume chip.eeprom:/chip.eeprom` does.
#[test]
fn a_file_that_is_a_mount_of_its_own_is_saved() {
    let (chip, folder) = (new_chip(), tempfile::tempdir().unwrap());
    let mounted = folder.path().join("mounted.eeprom");
    fs::write(&mounted, "").unwrap();
    let script = "mount --bind \"$1\" \"$2\" && shift 2 && exec \"$@\"";
    let (from, to) = (chip.eeprom().display().to_string(), mounted.display().to_string());
    let made =
        genkey(&["unshare", "--mount", "sh", "-c", script, "sh", &from, &to], &mounted).succeeded().text();
    assert_eq!(public_key(&chip), made);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_folder_that_takes_no_file_is_told_and_the_key_stays() {
    let chip = new_chip();
    give(chip.folder(), 0, 0o755);
    give(&chip.eeprom(), 0, 0o666);
    let (before, key) = (fs::read(chip.eeprom()).unwrap(), public_key(&chip));
    let message = genkey(AS_NOBODY, &chip.eeprom()).failed_with(1).stderr;
    assert!(message.contains("cannot be saved") && message.contains("folder"), "{message}");
    assert!(fs::read(chip.eeprom()).unwrap() == before);
    assert_eq!(public_key(&chip), key);
}
