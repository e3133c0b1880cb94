//! Pace, watchdog, storage, and what is left when the power goes.

use std::{
    io,
    sync::{Arc, Mutex},
};

use super::*;

/// A storage that can be looked into, and that fails when it is told to.
#[derive(Clone, Debug, Default)]
struct Drawer {
    kept: Arc<Mutex<Option<Eeprom>>>,
    fails: Arc<Mutex<bool>>,
}

impl Storage for Drawer {
    fn save(&mut self, eeprom: &Eeprom) -> io::Result<()> {
        if *self.fails.lock().unwrap() {
            return Err(io::Error::other("full"));
        }
        *self.kept.lock().unwrap() = Some(eeprom.clone());
        Ok(())
    }
}

fn stored() -> (Chip, Drawer) {
    let drawer = Drawer::default();
    let eeprom = provision::tng_tls().unwrap();
    let mut chip = Chip::with_storage(eeprom, Box::new(drawer.clone()), Pace::Instant);
    chip.wake(Duration::ZERO);
    (chip, drawer)
}

fn write(content: u8) -> Packet {
    command(0x12, 0x82, 0x0040, &[content; 32])
}

fn general_data(eeprom: &Eeprom) -> [u8; 32] {
    eeprom.slot(Slot::new(8).unwrap())[..32].try_into().unwrap()
}

#[test]
fn what_is_written_is_kept_before_the_answer_and_reading_keeps_nothing() {
    let (mut chip, drawer) = stored();
    ask(&mut chip, &command(0x02, 0x82, 0x0040, &[]));
    ask(&mut chip, &command(0x1b, 0x00, 0, &[]));
    assert!(drawer.kept.lock().unwrap().is_none());
    assert_eq!(ask(&mut chip, &write(7)).status(), Some(Status::Success));
    assert_eq!(general_data(drawer.kept.lock().unwrap().as_ref().unwrap()), [7; 32]);
}

#[test]
fn what_cannot_be_kept_has_not_happened() {
    let (mut chip, drawer) = stored();
    *drawer.fails.lock().unwrap() = true;
    assert_eq!(ask(&mut chip, &write(7)).status(), Some(Status::ExecutionError));
    assert_eq!(ask(&mut chip, &command(0x02, 0x82, 0x0040, &[])).data(), [0; 32]);
}

#[test]
fn a_file_keeps_the_new_key_of_a_slot() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chip");
    EepromFile::create(&path, &provision::tng_tls().unwrap()).unwrap();
    let mut chip = Chip::from_file(EepromFile::open(&path, Duration::ZERO).unwrap(), Pace::Instant);
    chip.wake(Duration::ZERO);
    let key = ask(&mut chip, &command(0x40, 0x04, 2, &[])).data().to_vec();
    drop(chip);
    let mut chip = Chip::from_file(EepromFile::open(&path, Duration::ZERO).unwrap(), Pace::Instant);
    chip.wake(Duration::ZERO);
    assert_eq!(ask(&mut chip, &command(0x40, 0x00, 2, &[])).data(), key);
}

#[test]
fn a_cut_in_a_command_leaves_the_bytes_that_were_written() {
    for kept in [0, 1, 17, 32, 99] {
        let (mut chip, drawer) = stored();
        chip.cut_power(PowerCut::AfterBytes(kept));
        let packet = write(7);
        chip.write(&[&[word_address::COMMAND], packet.as_bytes()].concat(), AFTER_WAKE);
        assert!(!chip.acknowledges_read(AFTER_WAKE));
        let mut expected = [0; 32];
        expected[..kept.min(32)].fill(7);
        assert_eq!(general_data(chip.eeprom()), expected);
        let kept_in_drawer = drawer.kept.lock().unwrap().clone();
        assert_eq!(kept_in_drawer.as_ref().map(general_data), (kept > 0).then_some(expected));
        // It works again.
        chip.wake(AFTER_WAKE);
        assert_eq!(ask_at(&mut chip, &write(8), 2 * AFTER_WAKE).status(), Some(Status::Success));
    }
}

#[test]
fn a_cut_while_busy_comes_before_the_effect_and_a_later_one_after_it() {
    for (moment, expected) in [(5, [0; 32]), (100, [7; 32])] {
        let mut chip = Chip::new(provision::tng_tls().unwrap(), Pace::Typical);
        chip.wake(Duration::ZERO);
        chip.cut_power(PowerCut::At(Duration::from_millis(moment)));
        chip.write(&[&[word_address::COMMAND], write(7).as_bytes()].concat(), AFTER_WAKE);
        assert!(!chip.acknowledges_read(Duration::from_millis(101)));
        assert_eq!(general_data(chip.eeprom()), expected);
    }
}

#[test]
fn a_loss_of_power_clears_the_latch_and_sleep_does_not() {
    let mut chip = awake();
    chip.memory.latches.persistent = true;
    let latch = command(0x30, 0x04, 0, &[]);
    chip.write(&[word_address::SLEEP], AFTER_WAKE);
    chip.wake(AFTER_WAKE);
    assert_eq!(ask_at(&mut chip, &latch, 2 * AFTER_WAKE).data(), [1, 0, 0, 0]);
    chip.lose_power();
    chip.wake(2 * AFTER_WAKE);
    assert_eq!(ask_at(&mut chip, &latch, 3 * AFTER_WAKE).data(), [0; 4]);
}

#[test]
fn the_watchdog_may_be_shorter_or_longer() {
    for (watchdog, milliseconds) in
        [(Watchdog::Shortest, 700), (Watchdog::Typical, 1_300), (Watchdog::Longest, 1_700)]
    {
        let mut chip = chip();
        chip.set_watchdog(watchdog);
        chip.wake(Duration::ZERO);
        let end = Duration::from_millis(milliseconds);
        assert!(chip.acknowledges_write(end - Duration::from_micros(1)), "{watchdog:?}");
        assert!(!chip.acknowledges_write(end), "{watchdog:?}");
    }
}

#[test]
fn a_slow_clock_and_the_longest_times() {
    // ChipMode 0x69: clock divider M2.
    let mut eeprom = provision::tng_tls().unwrap();
    eeprom.set(19, 0x69);
    let mut chip = Chip::new(eeprom, Pace::Longest);
    chip.wake(Duration::ZERO);
    chip.write(&[&[word_address::COMMAND], command(0x40, 0x00, 0, &[]).as_bytes()].concat(), AFTER_WAKE);
    assert!(!chip.acknowledges_read(AFTER_WAKE + Duration::from_millis(652)));
    assert!(chip.acknowledges_read(AFTER_WAKE + Duration::from_millis(653)));
}
