//! What programs cost at the chip: wakes and commands of a process from its start to its end, as the log of the bus
//! has them. The program `bench` tells how long it takes.

use std::process::Command;

use super::{
    openssl::fetch_status_page,
    support::{BusLog, Chip, ServedBus, module, run},
};

/// C_Initialize, C_OpenSession, C_FindObjects, C_Sign and C_Finalize in a process of its own.
fn sign_once(chip: &Chip, bus: &ServedBus) {
    let mut signer = Command::new(env!("CARGO_BIN_EXE_module-sign"));
    signer.arg(module()).args(["1", "1", "7"]);
    let output = run(chip.keep_cache_of(&mut signer).env("ATECC_DEVICE", bus.device())).succeeded();
    assert_eq!(output.text().lines().count(), 3, "{}", output.all());
}

/// A new chip on a bus with a log.
fn new_chip() -> (Chip, ServedBus, BusLog) {
    let chip = Chip::new();
    let path = chip.path("bus.log");
    let bus = chip.serve_with(&["--log", path.to_str().unwrap()]);
    (chip, bus, BusLog::at(path))
}

/// What a signature needs of a chip that nobody has met: serial number, how its slots are set up, and the key.
#[test]
fn a_process_that_knows_nothing_of_the_chip_costs_three_wakes_and_six_commands() {
    let (chip, bus, mut log) = new_chip();
    sign_once(&chip, &bus);
    let seen = log.seen();
    assert!(seen.wakes <= 3 && seen.commands.len() <= 6, "{seen:?}");
    assert_eq!(seen.count("Sign"), 1, "{seen:?}");
    assert_eq!(seen.read_twice(), None, "{seen:?}");
}

/// Shows all objects, after which the disk has what can be kept of the chip.
fn list_objects(chip: &Chip, bus: &ServedBus) {
    let mut list = Command::new("pkcs11-tool");
    list.arg("--module").arg(module()).arg("--list-objects");
    run(chip.keep_cache_of(&mut list).env("ATECC_DEVICE", bus.device())).succeeded();
}

#[test]
fn a_process_that_signs_once_costs_two_wakes_and_four_commands() {
    let (chip, bus, mut log) = new_chip();
    list_objects(&chip, &bus);
    log.seen();
    for _ in 0..3 {
        sign_once(&chip, &bus);
        let seen = log.seen();
        assert!(seen.wakes <= 2 && seen.commands.len() <= 4, "{seen:?}");
        // The serial number, and what a signature takes.
        for name in ["Read", "Random", "Nonce", "Sign"] {
            assert_eq!(seen.count(name), 1, "{seen:?}");
        }
    }
}

#[test]
fn a_tls_handshake_signs_once_and_reads_nothing_twice() {
    for protocol in ["-tls1_2", "-tls1_3"] {
        let (chip, bus, mut log) = new_chip();
        // With nothing on the disk, and with all of it there.
        for _ in 0..2 {
            fetch_status_page(&chip, &bus.device(), protocol);
            let seen = log.seen();
            assert_eq!(seen.count("Sign"), 1, "{seen:?}");
            assert_eq!(seen.read_twice(), None, "{seen:?}");
        }
    }
}
