//! A chip or its key that changes while a program has it open.

use std::{fs, path::Path, process::Command, thread};

use atecc::{Slot, zone::CounterId};
use atecc_emulator::provision;
use atecc_token::{Config, DeviceSpec, Error, Token, TransportError};

use super::support::{Chip, Running, program, run, wait_for_socket};

const DIGEST: [u8; 32] = [0x5a; 32];

fn new_chip() -> Chip {
    Chip::holding(&provision::tng_tls().unwrap())
}

fn serve(chip: &Chip, socket: &Path) -> Running {
    let mut command = Command::new(program("atecc"));
    started(command.args(["emulator", "serve"]).arg(chip.eeprom()).arg(socket), socket)
}

fn bridge(chip: &Chip, socket: &Path) -> Running {
    let mut command = Command::new(program("atecc"));
    let (device, listen) =
        (format!("emulator:{}", chip.eeprom().display()), format!("unix:{}", socket.display()));
    started(command.args(["bridge", "serve", "--listen", &listen, &device]), socket)
}

fn started(command: &mut Command, socket: &Path) -> Running {
    let server = Running::start(command);
    wait_for_socket(socket);
    server
}

fn slot(number: u8) -> Slot {
    Slot::new(number).unwrap()
}

fn is_another(error: &Error) -> bool {
    matches!(error, Error::Chip(atecc::Error::Transport(TransportError::AnotherChip { .. })))
}

/// A token whose chip has been pulled, and another one put in its place.
fn swapped(test: impl FnOnce(&Token, &Chip, &DeviceSpec)) {
    swapped_behind("emulator:unix", serve, test);
}

fn swapped_behind(
    way: &str,
    serve: impl Fn(&Chip, &Path) -> Running,
    test: impl FnOnce(&Token, &Chip, &DeviceSpec),
) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("bus.sock");
    let (one, other) = (new_chip(), new_chip());
    let server = serve(&one, &socket);
    let spec: DeviceSpec = format!("{way}:{}", socket.display()).parse().unwrap();
    let text = "[[slot]]\nnumber = 2\noverwrite = true\n";
    let rules = Config::parse(text, Path::new("atecc.toml")).unwrap().slots;
    let token = Token::open_with(&spec, &rules).unwrap();
    token.key_pairs().unwrap();
    token.sign(slot(0), &DIGEST).unwrap();
    drop(server);
    assert!(token.sign(slot(0), &DIGEST).unwrap_err().is_absent());
    let _server = serve(&other, &socket);
    test(&token, &other, &spec);
}

#[test]
fn a_signature_of_another_chip_is_told_from_a_faulty_one() {
    swapped(|token, other, spec| {
        let error = token.sign(slot(0), &DIGEST).unwrap_err();
        assert!(is_another(&error) && error.is_absent(), "{error}");
        let message = error.to_string();
        assert!(message.contains(&token.serial_number().to_string()) && message.contains("open it again"));
        assert!(!token.is_present());
        // Which helps.
        let again = Token::open(spec).unwrap();
        again.sign(slot(0), &DIGEST).unwrap();
        assert_eq!(format!("sn{}", again.serial_number()), other.common_name());
    });
}

#[test]
fn another_chip_is_not_asked_for_secrets_data_and_new_keys() {
    swapped(|token, other, _| {
        let before = fs::read(other.eeprom()).unwrap();
        let peer = token.public_key(slot(0)).unwrap();
        assert!(is_another(&token.ecdh(slot(0), &peer).unwrap_err()));
        assert!(is_another(&token.hmac_sha256(slot(9), b"message").unwrap_err()));
        assert!(is_another(&token.aes_encrypt_block(slot(9), 0, &[0; 16]).unwrap_err()));
        assert!(is_another(&token.read_data(slot(8)).unwrap_err()));
        assert!(is_another(&token.counter(CounterId::Counter0).unwrap_err()));
        let consent = atecc::irreversible::Irreversible::i_understand(atecc::irreversible::OverwritesKey);
        assert!(is_another(&token.generate_key(slot(2), consent).unwrap_err()));
        assert!(is_another(&token.generate_key_pair(slot(2)).unwrap_err()));
        assert!(fs::read(other.eeprom()).unwrap() == before);
    });
}

/// What a token has not read yet must not come from the chip that is there now: it would be kept under the number of
/// the first, in the cache too.
#[test]
fn what_is_read_after_the_way_broke_is_of_the_chip_that_was_opened() {
    for (way, serve) in [("emulator:unix", serve as fn(&Chip, &Path) -> Running), ("unix", bridge)] {
        swapped_behind(way, serve, |token, other, spec| {
            for _ in 0..2 {
                let error = token.public_key(slot(3)).unwrap_err();
                assert!(is_another(&error) && error.is_absent(), "{way}: {error}");
            }
            let error = token.certificates().unwrap_err();
            assert!(is_another(&error), "{way}: {error}");
            let again = Token::open(spec).unwrap();
            assert_eq!(format!("sn{}", again.serial_number()), other.common_name());
            again.certificates().unwrap();
        });
    }
}

#[test]
fn a_key_that_another_process_made_is_learnt() {
    let chip = new_chip();
    let bus = chip.serve();
    let token = Token::open(&bus.device().parse().unwrap()).unwrap();
    let old = token.public_key(slot(2)).unwrap();
    token.sign(slot(2), &DIGEST).unwrap();
    let mut genkey = Command::new(program("atecc"));
    genkey.args(["--device", &bus.device(), "genkey", "2", "--yes-overwrite-slot", "2"]);
    run(&mut genkey).succeeded();
    // All of them begin with the old key.
    let signatures: Vec<_> = thread::scope(|scope| {
        let signing: Vec<_> = (0..4).map(|_| scope.spawn(|| token.sign(slot(2), &DIGEST))).collect();
        signing.into_iter().map(|signing| signing.join().unwrap()).collect()
    });
    let new = token.public_key(slot(2)).unwrap();
    for signature in signatures {
        assert!(new.verify(&DIGEST, &signature.unwrap()));
    }
    let signature = token.sign(slot(2), &DIGEST).unwrap();
    assert!(new != old && new.verify(&DIGEST, &signature) && !old.verify(&DIGEST, &signature));
    // The primary key is another one, and still good.
    token.sign(slot(0), &DIGEST).unwrap();
}
