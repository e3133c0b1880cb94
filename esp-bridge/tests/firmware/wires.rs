//! Wires that are pulled or shorted, and a chip that is not there.

use std::{
    os::unix::net::UnixStream, sync::Arc, sync::atomic::AtomicBool, sync::atomic::Ordering, time::Duration,
    time::Instant,
};

use atecc::{Slot, link::Fault};
use atecc_emulator::provision::Personality;
use esp_bridge::{session::Session, state::State, touch::TouchPolicy};

use super::bench::{DIGEST, Line, Shared, fault, firmware, with_firmware};

#[test]
fn a_chip_that_goes_and_comes_is_noticed() {
    with_firmware(TouchPolicy::Never, |bench| {
        let mut host = bench.host();
        bench.pulled.store(true, Ordering::Relaxed);
        assert_eq!(fault(host.sign(Slot::PRIMARY_KEY, &DIGEST)), Fault::NoChip);
        bench.wait_for(|state| *state == State::ChipMissing);
        // While it is away, the answer is the same and quick.
        let start = Instant::now();
        assert_eq!(fault(host.serial_number()), Fault::NoChip);
        assert!(start.elapsed() < Duration::from_secs(1));
        bench.pulled.store(false, Ordering::Relaxed);
        bench.wait_for(|state| *state == State::Ready);
        host.sign(Slot::PRIMARY_KEY, &DIGEST).unwrap();
    });
}

#[test]
fn a_bus_that_is_held_low_is_told_from_a_missing_chip() {
    with_firmware(TouchPolicy::Never, |bench| {
        bench.shorted.store(true, Ordering::Relaxed);
        let _ = bench.host().sign(Slot::PRIMARY_KEY, &DIGEST);
        bench.wait_for(|state| *state == State::BusFault);
        // A host that asks meanwhile is told no, and does not make it another fault.
        for _ in 0..5 {
            assert_eq!(fault(bench.host().serial_number()), Fault::NoChip);
        }
        assert!(!bench.world.lock().unwrap().shown.contains(&State::ChipMissing));
        bench.shorted.store(false, Ordering::Relaxed);
        bench.wait_for(|state| *state == State::Ready);
    });
}

/// The board frees the bus when the firmware gives it back, and the session goes on.
#[test]
fn a_firmware_gives_a_bus_back_that_does_not_work() {
    let (_port, far) = UnixStream::pair().unwrap();
    let shorted = Arc::new(AtomicBool::new(true));
    let session = Session::new(TouchPolicy::Always);
    let firmware = firmware(Personality::TngTls3, Arc::default(), shorted, session, Shared::default());
    let start = Instant::now();
    let (session, _) = firmware.run(&mut Line(far, start));
    assert_eq!(session.state(), State::BusFault);
    assert!((1..5).contains(&start.elapsed().as_secs()));
}

#[test]
fn a_device_without_a_chip_says_so_and_goes_on_looking() {
    let (_port, far) = UnixStream::pair().unwrap();
    let pulled = Arc::new(AtomicBool::new(true));
    let session = Session::new(TouchPolicy::Always);
    let mut firmware =
        firmware(Personality::TngTls3, pulled.clone(), Arc::default(), session, Shared::default());
    let start = Instant::now();
    let mut line = Line(far, start);
    firmware.poll(&mut line);
    assert_eq!(firmware.session().state(), State::ChipMissing);
    pulled.store(false, Ordering::Relaxed);
    while firmware.session().state() != State::Ready {
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", firmware.session().state());
        firmware.poll(&mut line);
    }
    assert!(firmware.session().identity().is_some());
}
