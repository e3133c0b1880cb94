//! Two chips on one bus: the wake pulse reaches both, and the lock is of the bus.

use std::thread;

use atecc::{Configuration, Slot};
use atecc_emulator::{Bus, Chip, Clock, Eeprom, Pace, provision, socket::Server};
use atecc_token::{DeviceSpec, Token};

/// A new chip that listens to another address.
fn chip_at(address: u8) -> Eeprom {
    let made = provision::tng_tls().unwrap();
    let mut configuration = *made.configuration().as_bytes();
    configuration[16] = address << 1;
    let mut moved = Eeprom::new(&Configuration::from_bytes(configuration));
    moved.otp_mut().copy_from_slice(made.otp());
    for slot in (0..16).filter_map(Slot::new) {
        moved.slot_mut(slot).copy_from_slice(made.slot(slot));
    }
    moved
}

#[test]
fn each_signs_with_its_own_key_while_the_other_works() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("bus.sock");
    let mut bus = Bus::new(Chip::new(chip_at(0x35), Pace::Typical), Clock::real(), Bus::STANDARD_HERTZ);
    bus.add(Chip::new(chip_at(0x36), Pace::Typical));
    let server = Server::bind(&socket).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| server.run(bus));
        let sign = |address: u8| {
            let spec: DeviceSpec =
                format!("emulator:unix:{}?address=0x{address:02x}", socket.display()).parse().unwrap();
            let token = Token::open(&spec).unwrap();
            // The token checks each signature with the key of its own chip.
            for digest in 0..20 {
                token.sign(Slot::PRIMARY_KEY, &[digest; 32]).unwrap();
            }
            (token.serial_number(), token.public_key(Slot::PRIMARY_KEY).unwrap())
        };
        let other = scope.spawn(move || sign(0x36));
        let (serial, key) = sign(0x35);
        let (other_serial, other_key) = other.join().unwrap();
        assert_ne!(serial, other_serial);
        assert_ne!(key, other_key);
        server.stop();
    });
}
