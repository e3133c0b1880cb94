//! The sequences, against a transport that plays the chip: it knows the formulas' results and nothing else.

extern crate std;

use std::vec::Vec;

use super::*;
use crate::{
    Irreversible, Secret, Wanted,
    command::{HmacKey, SecureBootCheck, VerifyKey},
    host,
    irreversible::{IncrementsCounter, OverwritesData, OverwritesKey},
    link::Attendant,
    zone::CounterId,
};

/// Answers each command by a function of its packet, and remembers what crossed the wire, per wake.
struct Script<F> {
    answer: F,
    wakes: Vec<Vec<(u8, u8, u16)>>,
}

impl<F: FnMut(&Packet) -> Vec<u8>> Script<F> {
    fn ask(&mut self, packet: &Packet) -> Response {
        let header = (packet.opcode(), packet.param1(), packet.param2());
        self.wakes.last_mut().unwrap().push(header);
        Response::new(&(self.answer)(packet)).unwrap()
    }
}

fn is_error(response: &Response) -> bool {
    response.status().is_some_and(|status| status != crate::Status::Success)
}

impl<F: FnMut(&Packet) -> Vec<u8>> Transport for Script<F> {
    type Error = ();

    fn transact_attended(
        &mut self,
        commands: &[Packet],
        wanted: Wanted,
        responses: &mut Responses,
        _: &mut dyn Attendant,
    ) -> Result<usize, ()> {
        responses.clear();
        self.wakes.push(Vec::new());
        for packet in commands {
            let response = self.ask(packet);
            let ends = is_error(&response);
            responses.push(response).unwrap();
            if ends {
                break;
            }
        }
        Ok(wanted.keep(responses))
    }

    fn converse(
        &mut self,
        _: &[Packet],
        _: &mut dyn Attendant,
        next: &mut dyn FnMut(Option<&Response>) -> Option<Packet>,
    ) -> Result<(), ()> {
        self.wakes.push(Vec::new());
        let mut last = None;
        while let Some(packet) = next(last.as_ref()) {
            let response = self.ask(&packet);
            if is_error(&response) {
                let _ = next(Some(&response));
                break;
            }
            last = Some(response);
        }
        Ok(())
    }
}

fn chip<F: FnMut(&Packet) -> Vec<u8>>(answer: F) -> Device<Script<F>> {
    Device::new(Script { answer, wakes: Vec::new() })
}

fn slot(number: u8) -> Slot {
    Slot::new(number).unwrap()
}

/// The first block of a configuration zone with the serial number 0123456789ABCDEF01.
fn zone() -> Vec<u8> {
    let mut zone = std::vec![0; 32];
    zone[..4].copy_from_slice(&[0x01, 0x23, 0x45, 0x67]);
    zone[8..13].copy_from_slice(&[0x89, 0xab, 0xcd, 0xef, 0x01]);
    zone
}

const KEY: [u8; 32] = [0x4b; 32];
const INPUT: [u8; 20] = [0x31; 20];
const RANDOM: [u8; 32] = [0x52; 32];

/// What GenDig leaves in TempKey, from the tables and not from the driver's formulas.
fn session() -> [u8; 32] {
    use sha2::{Digest as _, Sha256};
    let nonce =
        Sha256::new().chain_update(RANDOM).chain_update(INPUT).chain_update([0x16, 0x00, 0x00]).finalize();
    Sha256::new()
        .chain_update(KEY)
        .chain_update([0x15, 0x02, 0x06, 0x00, 0x01, 0x01, 0x23])
        .chain_update([0; 25])
        .chain_update(nonce)
        .finalize()
        .into()
}

#[test]
fn random_comes_first_unless_its_absence_is_spelled_out() {
    let answer = |packet: &Packet| match packet.opcode() {
        0x1b => RANDOM.to_vec(),
        0x16 => std::vec![0],
        _ => std::vec![0xc3; 64],
    };
    let mut chip = chip(answer);
    chip.sign(Slot::PRIMARY_KEY, &[0; 32]).unwrap();
    chip.sign_with_stale_random_seed(Slot::PRIMARY_KEY, &[0; 32]).unwrap();
    let opcodes = |wake: &Vec<(u8, u8, u16)>| wake.iter().map(|(opcode, ..)| *opcode).collect::<Vec<_>>();
    let wakes: Vec<_> = chip.transport().wakes.iter().map(opcodes).collect();
    assert_eq!(wakes, [std::vec![0x1b, 0x16, 0x41], std::vec![0x16, 0x41]]);
}

#[test]
fn an_encrypted_write_is_one_wake_and_carries_what_the_chip_expects() {
    let mut written = Vec::new();
    let mut chip = chip(|packet: &Packet| match packet.opcode() {
        0x02 => zone(),
        0x16 => RANDOM.to_vec(),
        0x12 => {
            written = packet.data().to_vec();
            std::vec![0]
        }
        _ => std::vec![0],
    });
    let key = Secret::from_bytes(KEY);
    let shared = SharedKey { slot: slot(6), key: &key, input: &INPUT };
    let consent = Irreversible::i_understand(OverwritesData);
    chip.write_encrypted(slot(5), 0, &Secret::from_bytes([0x50; 32]), shared, consent).unwrap();
    let wakes = &chip.transport().wakes;
    assert_eq!(wakes[..], [std::vec![(0x02, 0x80, 0), (0x16, 0, 0), (0x15, 2, 6), (0x12, 0xc2, 0x0028)]]);
    let plain: Vec<u8> = written[..32].iter().zip(session()).map(|(byte, key)| byte ^ key).collect();
    assert_eq!(plain, [0x50; 32]);
    assert_eq!(written.len(), 64);
}

#[test]
fn a_refused_gendig_ends_an_encrypted_write() {
    let mut chip = chip(|packet: &Packet| match packet.opcode() {
        0x02 => zone(),
        0x16 => RANDOM.to_vec(),
        _ => std::vec![0x0f],
    });
    let key = Secret::from_bytes(KEY);
    let shared = SharedKey { slot: slot(6), key: &key, input: &INPUT };
    let consent = Irreversible::i_understand(OverwritesKey);
    let error = chip.write_private_key(slot(2), &Secret::from_bytes([1; 32]), shared, consent).unwrap_err();
    assert!(matches!(error, Error::Response { command: "GenDig", .. }), "{error:?}");
    assert_eq!(chip.transport().wakes[0].len(), 3);
}

#[test]
fn a_refused_write_is_not_blamed_on_another_command() {
    let mut chip = chip(|packet: &Packet| match packet.opcode() {
        0x02 => zone(),
        0x16 => RANDOM.to_vec(),
        0x12 => std::vec![0x0f],
        _ => std::vec![0],
    });
    let key = Secret::from_bytes(KEY);
    let shared = SharedKey { slot: slot(6), key: &key, input: &INPUT };
    let consent = Irreversible::i_understand(OverwritesData);
    let error = chip.write_encrypted(slot(5), 0, &Secret::from_bytes([1; 32]), shared, consent).unwrap_err();
    assert!(matches!(error, Error::Response { command: "Write", .. }), "{error:?}");
}

#[test]
fn an_encrypted_read_is_one_wake() {
    let mut chip = chip(|packet: &Packet| match (packet.opcode(), packet.param1()) {
        (0x02, 0x80) => zone(),
        (0x02, _) => session().iter().map(|key| key ^ 0x77).collect(),
        (0x16, _) => RANDOM.to_vec(),
        _ => std::vec![0],
    });
    let key = Secret::from_bytes(KEY);
    let shared = SharedKey { slot: slot(6), key: &key, input: &INPUT };
    assert_eq!(chip.read_encrypted(slot(5), 0, shared).unwrap().as_bytes(), &[0x77; 32]);
    assert_eq!(chip.transport().wakes.len(), 1);
}

#[test]
fn a_clear_write_takes_blocks_where_it_can() {
    let mut chip = chip(|_: &Packet| std::vec![0]);
    let consent = || Irreversible::i_understand(OverwritesData);
    chip.write(Zone::Data(slot(8)), 28, &[0; 72], consent()).unwrap();
    let addresses = [(0x12, 0x02, 0x0047), (0x12, 0x82, 0x0140), (0x12, 0x82, 0x0240), (0x12, 0x02, 0x0340)];
    assert_eq!(chip.transport().wakes[0][..], addresses);
    // Neither in part nor at all: odd lengths, odd places, and what does not fit into one transaction.
    for (start, length) in [(0, 3), (2, 4), (68, 8), (4, 72)] {
        assert!(chip.write(Zone::Data(slot(9)), start, &[0; 72][..length], consent()).is_err());
    }
    assert_eq!(chip.transport().wakes.len(), 1);
}

/// SHA as the chip does it, with the context that it gives out.
fn sha_chip(wire: &mut Vec<u8>) -> impl FnMut(&Packet) -> Vec<u8> + '_ {
    use sha2::{Digest as _, Sha256};
    move |packet: &Packet| match packet.param1() {
        0x00 | 0x04 => {
            wire.clear();
            std::vec![0]
        }
        0x01 => {
            wire.extend_from_slice(packet.data());
            std::vec![0]
        }
        0x06 => std::vec![0x43; 40],
        0x07 => std::vec![u8::from(packet.data() != [0x43; 40])],
        _ => {
            wire.extend_from_slice(packet.data());
            Sha256::digest(&wire).to_vec()
        }
    }
}

#[test]
fn messages_of_any_length_are_hashed_whole() {
    use sha2::{Digest as _, Sha256};
    let message: Vec<u8> = (0..5000).map(|index: u32| index as u8).collect();
    for length in [0, 1, 63, 64, 65, 895, 896, 897, 959, 960, 961, 1792, 5000] {
        let mut wire = Vec::new();
        let mut chip = chip(sha_chip(&mut wire));
        let digest = chip.sha256(&message[..length]).unwrap();
        assert_eq!(digest[..], Sha256::digest(&message[..length])[..], "{length} bytes");
        let wakes = &chip.transport().wakes;
        assert_eq!(wakes.len(), if length < 960 { 1 } else { 1 + (length - 64) / 896 }, "{length} bytes");
        assert!(wakes.iter().all(|wake| wake.len() <= MAX_COMMANDS));
    }
    for length in [0, 64, 130] {
        let mut wire = Vec::new();
        let mut chip = chip(sha_chip(&mut wire));
        let digest = chip.hmac(HmacKey::Slot(slot(5)), &message[..length]).unwrap();
        assert_eq!(digest[..], Sha256::digest(&message[..length])[..], "{length} bytes");
        assert_eq!(chip.transport().wakes.len(), 1);
    }
}

#[test]
fn a_forged_answer_is_an_error() {
    let mut chip = chip(|packet: &Packet| match packet.opcode() {
        0x16 if packet.param1() == 0 => RANDOM.to_vec(),
        0x16 => std::vec![0],
        _ => std::vec![0x66; 32],
    });
    let key = Secret::from_bytes(KEY);
    let signature = Signature::from_bytes([1; 64]);
    let answer = chip.verify_protected(VerifyKey::Stored(slot(11)), &[0; 32], &signature, &[2; 32], &key);
    assert!(matches!(answer, Err(Error::WrongMac { command: "Verify" })), "{answer:?}");
    let answer = chip.secure_boot_protected(&SecureBootCheck::Stored, &[0; 32], None, &INPUT, &key);
    assert!(matches!(answer, Err(Error::WrongMac { command: "SecureBoot" })), "{answer:?}");
}

#[test]
fn a_true_answer_to_a_protected_secure_boot_is_believed() {
    let key = Secret::from_bytes(KEY);
    let nonce = crate::command::NonceRandom { input: &INPUT };
    let boot = host::secure_boot::SecureBootKey::new(&key, &host::nonce::random(&nonce, &RANDOM));
    let digest = [0x0d; 32];
    let mut chip = chip(|packet: &Packet| {
        if packet.opcode() == 0x16 {
            return RANDOM.to_vec();
        }
        assert_eq!(packet.data(), boot.encrypt(&digest));
        let stored = SecureBootCheck::Stored;
        let command = crate::command::SecureBootProtected { check: &stored, encrypted_digest: &digest };
        boot.mac(&command, &digest, None).to_vec()
    });
    assert!(chip.secure_boot_protected(&SecureBootCheck::Stored, &digest, None, &INPUT, &key).unwrap());
}

#[test]
fn counters_and_keys() {
    let mut chip = chip(|packet: &Packet| match packet.opcode() {
        0x24 => std::vec![9 + packet.param1(), 0, 0, 0],
        0x1b => RANDOM.to_vec(),
        _ => std::vec![0x40; 64],
    });
    assert_eq!(chip.counter(CounterId::Counter1).unwrap(), 9);
    let consent = Irreversible::i_understand(IncrementsCounter);
    assert_eq!(chip.increment_counter(CounterId::Counter1, consent).unwrap(), 10);
    let key = chip.generate_key(slot(2), Irreversible::i_understand(OverwritesKey)).unwrap();
    assert_eq!(key.as_bytes(), &[0x40; 64]);
    assert_eq!(chip.transport().wakes[2][..], [(0x1b, 0, 0), (0x40, 4, 2)]);
}
