//! atecc.toml, as programs find it.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown},
    path::Path,
    process::Command,
};

use atecc_emulator::provision;

use super::support::{Chip, Finished, program, run};

fn new_chip() -> Chip {
    Chip::holding(&provision::tng_tls().unwrap())
}

/// `atecc info` of this program, with a configuration file of the caller's.
fn info(program: &Path, config: &Path) -> Finished {
    run(Command::new(program).arg("info").env_remove("ATECC_DEVICE").env("ATECC_CONFIG", config))
}

#[test]
fn the_file_that_the_variable_names_names_the_chip() {
    let chip = new_chip();
    let config = chip.path("atecc.toml");
    fs::write(&config, format!("device = {:?}\n[[slot]]\nnumber = 2\n", chip.device())).unwrap();
    let serial_number = chip.common_name().split_off(2);
    assert!(info(&program("atecc"), &config).succeeded().text().contains(&serial_number));
    fs::remove_file(&config).unwrap();
    let message = info(&program("atecc"), &config).failed_with(1).stderr;
    assert!(message.contains(&config.display().to_string()), "{message}");
}

#[test]
fn of_several_devices_one_has_to_be_chosen() {
    let (one, other) = (new_chip(), new_chip());
    let config = one.path("atecc.toml");
    fs::write(&config, format!("devices = [{:?}, {:?}]\n", one.device(), other.device())).unwrap();
    let message = info(&program("atecc"), &config).failed_with(1).stderr;
    for part in ["--device", &one.device(), &other.device()] {
        assert!(message.contains(part), "{message}");
    }
    let mut chosen = Command::new(program("atecc"));
    run(chosen.args(["--device", &other.device(), "info"]).env("ATECC_CONFIG", &config)).succeeded();
}

#[test]
fn a_mistake_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("atecc.toml");
    fs::write(&config, "device = \"emulator:chip\"\n\n[[slot]]\nnumber = 2\noverwite = true\n").unwrap();
    let message = info(&program("atecc"), &config).failed_with(1).stderr;
    for part in ["atecc.toml", "line 5", "overwite"] {
        assert!(message.contains(part), "{message}");
    }
}

/// The caller of a process with more rights does not choose its devices, nor what may be overwritten on them.
#[test]
fn a_set_user_id_process_does_not_look_at_the_variable() {
    const NOBODY: u32 = 65_534;
    let chip = new_chip();
    let (privileged, config) = (chip.path("privileged"), chip.path("atecc.toml"));
    fs::copy(program("atecc"), &privileged).unwrap();
    fs::write(&config, format!("device = {:?}\n", chip.device())).unwrap();
    for path in [chip.folder(), &chip.eeprom()] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
    }
    chown(&privileged, Some(NOBODY), None).unwrap();
    fs::set_permissions(&privileged, fs::Permissions::from_mode(0o755)).unwrap();
    info(&privileged, &config).succeeded();
    fs::set_permissions(&privileged, fs::Permissions::from_mode(0o4755)).unwrap();
    let message = info(&privileged, &config).failed_with(1).stderr;
    assert!(message.contains("no device is named"), "{message}");
}
