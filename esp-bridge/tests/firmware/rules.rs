//! What the device carries out, whoever asks and in whatever protocol.

use std::{thread, time::Duration};

use atecc::{
    Device, Error, Slot, Status, Transport, link::Error as LinkError, link::Fault, packet::Packet,
    packet::Response, transport::Responses,
};
use atecc_emulator::provision::Personality;
use esp_bridge::{state::State, touch::Meaning, touch::TouchPolicy};

use super::bench::{DIGEST, with_chip, with_firmware};

#[test]
fn what_changes_the_chip_needs_the_unlocked_device() {
    with_firmware(TouchPolicy::Never, |bench| {
        let new_key = || {
            let packet = Packet::new(0x40, 0x04, 2, &[], 64);
            let mut answers = Responses::new();
            let mut host = bench.host().into_transport();
            host.transact(&[packet], &mut answers).map(|()| answers.last().map(Response::data).unwrap().len())
        };
        let refused = new_key();
        assert!(matches!(refused, Err(LinkError::Fault(Fault::Refused { opcode: 0x40 }))), "{refused:?}");
        bench.world.lock().unwrap().unlocks = true;
        thread::sleep(Duration::from_millis(200));
        bench.will(Meaning::Allow);
        assert_eq!(new_key().unwrap(), 64);
        bench.wait_for(|state| matches!(state, State::Asking(request) if request.changes));
    });
}

#[test]
fn what_the_list_or_the_slot_does_not_allow_is_refused_by_its_opcode() {
    with_firmware(TouchPolicy::Never, |bench| {
        // No such command, a mode that nobody knows, and a slot that does not sign digests.
        for (opcode, mode, slot) in [(0x99, 0x00, 0), (0x41, 0x13, 0), (0x41, 0xa0, 1)] {
            let packet = Packet::new(opcode, mode, slot, &[], 64);
            let result = bench.host().into_transport().transact(&[packet], &mut Responses::new());
            assert!(
                matches!(result, Err(LinkError::Fault(Fault::Refused { opcode: of })) if of == opcode),
                "{result:?}"
            );
            bench.wait_for(|state| matches!(state, State::Refused(_)));
        }
    });
}

/// Else a chip that was set up here would be judged by the rules of a blank one until somebody restarts the device.
#[test]
fn rules_that_were_written_to_the_chip_are_the_rules() {
    with_chip(Personality::Blank, TouchPolicy::Never, |bench| {
        let policy_says_no = || match bench.host().sign(Slot::PRIMARY_KEY, &DIGEST) {
            Err(Error::Transport(LinkError::Fault(fault))) => fault == Fault::Refused { opcode: 0x41 },
            // The chip's own no: it is not locked, and has no key yet.
            Err(Error::Response { .. }) => false,
            other => panic!("{other:?}"),
        };
        assert!(!policy_says_no());
        bench.world.lock().unwrap().unlocks = true;
        thread::sleep(Duration::from_millis(200));
        bench.will(Meaning::Allow);
        // KeyConfig of slots 0 and 1, which are no longer for private keys.
        let packet = Packet::new(0x12, 0x00, 96 / 4, &[&[0x1c, 0x00, 0x1c, 0x00]], 1);
        let mut answers = Responses::new();
        bench.host().into_transport().transact(&[packet], &mut answers).unwrap();
        let status = answers.last().and_then(Response::status);
        assert!(status.is_none_or(|status| status == Status::Success), "{status:?}");
        assert!(policy_says_no());
    });
}

/// The rule stands behind the protocol: Microchip's text is judged by it as well.
#[test]
fn the_text_protocol_is_judged_by_the_same_rules() {
    use std::io::{BufRead, BufReader, Write};

    with_firmware(TouchPolicy::Always, |bench| {
        let mut port = bench.port.try_clone().unwrap();
        port.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
        let mut answers = BufReader::new(port.try_clone().unwrap()).lines();
        let mut say = |line: &str| {
            writeln!(port, "{line}").unwrap();
            answers.next().unwrap().unwrap()
        };
        let talk = |packet: &Packet| {
            let hex: String = packet.as_bytes().iter().map(|byte| format!("{byte:02X}")).collect();
            format!("E:t({hex})")
        };
        assert!(say("E:physical:select(6A)").starts_with("00("));
        assert!(say("E:w()").starts_with("00("));
        // Lock of slot 8, and a new key: refused without a question.
        for packet in [Packet::new(0x17, 0xa2, 0, &[], 1), Packet::new(0x40, 0x04, 2, &[], 64)] {
            let answer = say(&talk(&packet));
            assert_eq!(answer, "00(040F2342)", "the chip's word for a refusal, an execution error");
        }
        // A signature: asked for.
        say("E:w()");
        bench.world.lock().unwrap().shown.clear();
        say(&talk(&Packet::new(0x16, 0x43, 0, &[&DIGEST], 1)));
        bench.will(Meaning::Allow);
        let answer = say(&talk(&Packet::new(0x41, 0xa0, 0, &[], 64)));
        assert!(answer.starts_with("00(43"), "{answer}");
        bench.wait_for(|state| matches!(state, State::Asking(request) if request.digest.is_some()));
    });
}

/// A digest that a lease has loaded is gone when text comes, and the lease too.
#[test]
fn text_in_the_middle_of_a_lease_signs_nothing_of_it() {
    use std::io::Write;

    with_firmware(TouchPolicy::Never, |bench| {
        let mut host = bench.host();
        host.serial_number().unwrap();
        let mut host = host.into_transport();
        let load = Packet::new(0x16, 0x43, 0, &[&DIGEST], 1);
        let sign = Packet::new(0x41, 0xa0, 0, &[], 64);
        let hex: String = sign.as_bytes().iter().map(|byte| format!("{byte:02X}")).collect();
        let mut intruder = bench.port.try_clone().unwrap();
        bench.world.lock().unwrap().shown.clear();
        let mut sent = 0;
        let result = host.converse(&[], &mut (), &mut |answer| {
            sent += 1;
            assert!(sent < 3, "{answer:?}: the chip signed in a lease that was over");
            if sent == 2 {
                writeln!(intruder, "E:t({hex})").unwrap();
                return Some(sign.clone());
            }
            Some(load.clone())
        });
        assert!(matches!(result, Err(LinkError::Fault(Fault::LeaseExpired))), "{result:?}");
        // What came as text was tried, with a chip that knew of no digest.
        let mut host = Device::new(host);
        host.serial_number().unwrap();
        let shown = bench.world.lock().unwrap().shown.clone();
        let signs = |state: &State| matches!(state, State::Signing(request) if request.digest.is_some());
        assert!(!shown.iter().any(signs), "{shown:?}");
    });
}
