//! The string that an application gives to C_Initialize.

use std::{fs, process::Command};

use crate::{
    c_surface::Program,
    support::{Chip, Finished, module, run},
};

fn initialize(string: &str) -> Finished {
    let program = Program::compile("parameters");
    let mut command = Command::new(&program.path);
    run(command.arg(module()).arg(string).env_remove("ATECC_DEVICE").env("ATECC_CONFIG", "/nonexistent"))
}

#[test]
fn the_device_and_the_configuration_come_with_the_call() {
    let chip = Chip::new();
    let device = format!("device=\"{}\" config=/dev/null", chip.device());
    assert_eq!(initialize(&device).succeeded().text(), format!("{}\n", chip.device()));
    let file = chip.path("other.toml");
    fs::write(&file, format!("device = \"{}\"\n", chip.device())).unwrap();
    let config = format!("config={}", file.display());
    assert_eq!(initialize(&config).succeeded().text(), format!("{}\n", chip.device()));
}

/// Also where nothing is mapped, which the program tries by itself.
#[test]
fn what_is_no_string_of_settings_is_a_bad_argument() {
    for string in ["", "configdir='sql:/etc/pki' flags=internal", "device=", "device=usb devise=x"] {
        assert_eq!(initialize(string).succeeded().text(), "bad argument\n", "{string}");
    }
}
