//! The list, from three sides: what the driver's own commands do, every opcode and mode, and an emulated chip that
//! must be the same after everything that is called free.

extern crate std;

use std::{collections::BTreeSet, format, vec, vec::Vec};

use atecc::{
    Configuration, Digest, PublicKey, Slot,
    command::{
        Command, CounterRead, DigestSource, Ecdh, EcdhKey, GenKeyEphemeral, GenKeyPublic, HmacKey, InfoLatch,
        InfoRevision, InfoState, NonceFixed, NonceRandom, NonceTarget, Random, SelfTest, SelfTests,
        ShaHmacStart, ShaStart, SignExternal, SignInternal,
    },
    zone::CounterId,
};
use atecc_emulator::{Bus, Chip, Clock, Pace, provision::Personality};
use embedded_hal::{delay::DelayNs, i2c::I2c};

use super::*;

const DIGEST: Digest = [0xa5; 32];

fn trust_and_go() -> Configuration {
    Personality::TngTls3.make().unwrap().configuration()
}

fn policy() -> Policy {
    Policy::new(KeySlots::from_configuration(&trust_and_go()))
}

fn judge(packets: &[Packet], unlocked: bool) -> Verdict {
    policy().judge(packets, &Memory::EMPTY, unlocked)
}

fn slot(number: u8) -> Slot {
    Slot::new(number).unwrap()
}

fn load(target: NonceTarget, digest: &Digest) -> Packet {
    NonceFixed { target, value: digest }.packet()
}

fn sign(slot_number: u8) -> Packet {
    SignExternal { source: DigestSource::MessageDigestBuffer, key: slot(slot_number) }.packet()
}

#[test]
fn a_signature_is_described_by_slot_and_digest() {
    let packets = [Random.packet(), load(NonceTarget::MessageDigestBuffer, &DIGEST), sign(0)];
    let Verdict::UsesKey(request) = judge(&packets, false) else { panic!() };
    assert_eq!(format!("{request}"), "Sign, slot 0");
    assert_eq!(format!("{}", request.digest.unwrap()), "a5a5 a5a5 a5a5 a5a5");
    assert_eq!((request.count, request.changes, request.for_ever), (1, false, false));
}

#[test]
fn a_second_signature_in_the_same_transaction_is_counted() {
    let packets = [
        load(NonceTarget::MessageDigestBuffer, &DIGEST),
        sign(0),
        load(NonceTarget::MessageDigestBuffer, &[0x11; 32]),
        sign(2),
    ];
    let Verdict::UsesKey(request) = judge(&packets, false) else { panic!() };
    assert_eq!((format!("{request}").as_str(), request.count), ("Sign, slot 0", 2));
}

#[test]
fn a_digest_that_did_not_pass_here_is_not_shown() {
    let digest_of = |packets: &[Packet]| match judge(packets, false) {
        Verdict::UsesKey(request) => request.digest,
        other => panic!("{other:?}"),
    };
    // In the other buffer.
    assert_eq!(digest_of(&[load(NonceTarget::TempKey, &DIGEST), sign(0)]), None);
    // Replaced by what the chip hashes.
    let start = ShaStart.packet();
    assert_eq!(digest_of(&[load(NonceTarget::MessageDigestBuffer, &DIGEST), start, sign(0)]), None);
    // A nonce in which the chip's generator had a part.
    let random = NonceRandom { input: &[0; 20] }.packet();
    assert_eq!(digest_of(&[load(NonceTarget::MessageDigestBuffer, &DIGEST), random, sign(0)]), None);
    // In TempKey, for a Sign that takes it from there.
    let temp_key = SignExternal { source: DigestSource::TempKey, key: slot(0) }.packet();
    assert_eq!(digest_of(&[load(NonceTarget::TempKey, &DIGEST), temp_key]), LoadedDigest::of(&DIGEST));
}

#[test]
fn reading_is_free() {
    for packet in [
        InfoRevision.packet(),
        InfoState.packet(),
        InfoLatch.packet(),
        Random.packet(),
        SelfTest { tests: SelfTests::ALL }.packet(),
        GenKeyPublic { key: slot(0) }.packet(),
        GenKeyEphemeral.packet(),
        CounterRead { counter: CounterId::Counter0 }.packet(),
        ShaStart.packet(),
        ShaHmacStart { key: HmacKey::TempKey }.packet(),
        Packet::new(0x02, 0x80, 0, &[], 32),
        Packet::new(0x45, 0x02, 4, &[&[0; 64], &[0; 64]], 1),
        Packet::new(0x45, 0x20, 11, &[&[0; 64]], 1),
    ] {
        assert_eq!(judge(std::slice::from_ref(&packet), false), Verdict::Free, "{packet:?}");
    }
}

#[test]
fn every_use_of_a_secret_is_one() {
    let peer = PublicKey::from_bytes([0x5a; 64]);
    for (packet, used) in [
        (Ecdh { key: EcdhKey::Slot(slot(0)), peer: &peer }.packet(), 0),
        (SignInternal { key: slot(1), include_serial: true, for_invalidation: false }.packet(), 1),
        (ShaHmacStart { key: HmacKey::Slot(slot(9)) }.packet(), 9),
        // AES encrypt, MAC, CheckMac, GenDig of a slot, KDF from a slot to the output.
        (Packet::new(0x51, 0x00, 9, &[&[0; 16]], 16), 9),
        (Packet::new(0x51, 0x41, 9, &[&[0; 16]], 16), 9),
        (Packet::new(0x08, 0x00, 6, &[&[0; 32]], 32), 6),
        (Packet::new(0x28, 0x00, 6, &[&[0; 77]], 1), 6),
        (Packet::new(0x15, 0x02, 6, &[], 1), 6),
        (Packet::new(0x56, 0x52, 0x0009, &[&[0; 8]], 32), 9),
    ] {
        let Verdict::UsesKey(request) = judge(std::slice::from_ref(&packet), false) else {
            panic!("{packet:?}")
        };
        assert_eq!(request.slot, Some(used), "{packet:?}");
    }
}

#[test]
fn a_key_is_used_only_as_the_chip_was_configured() {
    // Slot 1 attests only, slot 0 does not attest, slots above 4 hold no private key, and there are 16 slots.
    for packet in [
        sign(1),
        sign(8),
        Packet::new(0x41, 0xa0, 0x0100, &[], 64),
        SignInternal { key: slot(0), include_serial: false, for_invalidation: false }.packet(),
        Packet::new(0x43, 0x0c, 1, &[&[0; 64]], 32),
    ] {
        let slot = packet.param2();
        for unlocked in [false, true] {
            assert_eq!(
                judge(std::slice::from_ref(&packet), unlocked),
                Verdict::Refused(Refusal::NotThisKey { slot })
            );
        }
    }
    // Without a chip, none at all.
    let without = Policy::default().judge(&[sign(0)], &Memory::EMPTY, true);
    assert_eq!(without, Verdict::Refused(Refusal::NotThisKey { slot: 0 }));
}

/// What changes the chip: packet, the slot that is shown, whether for ever.
fn changes() -> Vec<(Packet, Option<u8>, bool)> {
    vec![
        // GenKey, Counter, Lock of a zone and of a slot.
        (Packet::new(0x40, 0x04, 2, &[], 64), Some(2), false),
        (Packet::new(0x24, 0x01, 0, &[], 4), None, true),
        (Packet::new(0x17, 0x00, 0x1234, &[], 1), None, true),
        (Packet::new(0x17, 0x81, 0, &[], 1), None, true),
        (Packet::new(0x17, 0xa2, 0, &[], 1), Some(8), true),
        // ECDH into a slot.
        (Packet::new(0x43, 0x05, 8, &[&[0; 64]], 1), Some(8), false),
        // Write of 32 bytes to slot 8 and of a word to the configuration zone, PrivWrite, DeriveKey.
        (Packet::new(0x12, 0x82, 8 << 3, &[&[0; 32]], 1), Some(8), false),
        (Packet::new(0x12, 0x00, 0x15, &[&[0; 4]], 1), None, false),
        (Packet::new(0x46, 0x40, 2, &[&[0; 68]], 1), Some(2), false),
        (Packet::new(0x1c, 0x00, 6, &[], 1), Some(6), false),
        // UpdateExtra, SecureBoot, Verify that validates and invalidates.
        (Packet::new(0x20, 0x00, 0, &[], 1), None, true),
        (Packet::new(0x20, 0x01, 0x60, &[], 1), None, true),
        (Packet::new(0x80, 0x05, 0, &[&[0; 96]], 1), None, false),
        (Packet::new(0x45, 0x03, 14, &[&[0; 83]], 1), Some(14), false),
        (Packet::new(0x45, 0x07, 14, &[&[0; 83]], 1), Some(14), false),
        // KDF into a slot.
        (Packet::new(0x56, 0x4a, 0x0809, &[&[0; 8]], 1), Some(8), false),
    ]
}

#[test]
fn what_changes_the_chip_is_refused_until_it_is_unlocked() {
    for (packet, shown, for_ever) in changes() {
        let Verdict::Refused(Refusal::Locked(request)) = judge(std::slice::from_ref(&packet), false) else {
            panic!("{packet:?}")
        };
        assert_eq!(request.for_ever, for_ever, "{packet:?}");
        assert_eq!(request.slot, shown, "{packet:?}");
        assert_eq!(judge(std::slice::from_ref(&packet), true), Verdict::Changes(request));
        // Behind something harmless, or a signature, it is what it is.
        assert!(matches!(
            judge(&[Random.packet(), sign(0), packet.clone()], false),
            Verdict::Refused(Refusal::Locked(_))
        ));
        let Verdict::Changes(both) = judge(&[sign(0), packet], true) else { panic!() };
        assert_eq!((both.count, both.changes), (2, true));
    }
}

#[test]
fn the_change_that_cannot_be_taken_back_describes_a_transaction() {
    let packets = [Packet::new(0x40, 0x04, 2, &[], 64), Packet::new(0x17, 0x8a, 0, &[], 1)];
    let Verdict::Changes(request) = judge(&packets, true) else { panic!() };
    assert_eq!(format!("{request}"), "Lock, slot 2");
    assert_eq!((request.count, request.for_ever), (2, true));
}

#[test]
fn opcodes_that_nobody_knows_are_refused_even_when_unlocked() {
    const KNOWN: [u8; 22] = [
        0x02, 0x08, 0x12, 0x15, 0x16, 0x17, 0x1b, 0x1c, 0x20, 0x24, 0x28, 0x30, 0x40, 0x41, 0x43, 0x45, 0x46,
        0x47, 0x51, 0x56, 0x77, 0x80,
    ];
    let mut allowed = BTreeSet::new();
    let policy = policy();
    for opcode in 0..=u8::MAX {
        for mode in 0..=u8::MAX {
            let packet = Packet::new(opcode, mode, 0, &[], 1);
            if policy.judge(&[packet], &Memory::EMPTY, true)
                != Verdict::Refused(Refusal::NotOnTheList { opcode, mode })
            {
                allowed.insert(opcode);
            }
        }
    }
    assert_eq!(allowed, BTreeSet::from(KNOWN));
}

/// The proof by trial: a chip is asked everything that is called free, with every opcode and mode and many
/// parameters and lengths, and its EEPROM is afterwards what it was.
#[test]
fn whatever_is_free_leaves_the_chip_as_it_was() {
    for personality in [Personality::TngTls3, Personality::TflxTls, Personality::Blank] {
        let eeprom = personality.make().unwrap();
        let keys = KeySlots::from_configuration(&eeprom.configuration());
        let clock = Clock::new_virtual();
        let address = Chip::new(eeprom.clone(), Pace::Typical).i2c_address();
        let chip = Chip::new(eeprom.clone(), Pace::Typical);
        let mut bus = Bus::new(chip, clock.clone(), Bus::STANDARD_HERTZ);
        let mut delay = clock;
        let mut executed = 0;
        for opcode in 0..=u8::MAX {
            for mode in 0..=u8::MAX {
                for key in [0, 2, 8, 9, 14, 0x10, 0xffff] {
                    for length in [0, 4, 20, 32, 64] {
                        let packet = Packet::new(opcode, mode, key, &[&[0x5a; 64][..length]], 1);
                        // Elliptic curves take long, and are refused with other lengths.
                        let is_in_vain = match opcode {
                            0x40 | 0x77 => key != 0 || length > 4,
                            0x43 | 0x45 => length != 64,
                            _ => false,
                        };
                        if is_in_vain || act(&packet, &keys) != Act::Free {
                            continue;
                        }
                        let _ = bus.write(0, &[0]);
                        delay.delay_ms(2);
                        let command = [&[0x03], packet.as_bytes()].concat();
                        executed += usize::from(bus.write(address, &command).is_ok());
                        delay.delay_ms(700);
                        let _ = bus.write(address, &[0x01]);
                        assert!(*bus.chip().eeprom() == eeprom, "{personality:?}: {packet:?}");
                    }
                }
            }
        }
        assert!(executed > 1_000, "{personality:?}: only {executed} commands reached the chip");
    }
}

/// The other direction: what the list calls a change can change the emulated chip.
#[test]
fn a_key_that_is_made_is_a_change() {
    let eeprom = Personality::TngTls3.make().unwrap();
    let clock = Clock::new_virtual();
    let chip = Chip::new(eeprom.clone(), Pace::Typical);
    let mut bus = Bus::new(chip, clock.clone(), Bus::STANDARD_HERTZ);
    let mut delay = clock;
    let _ = bus.write(0, &[0]);
    delay.delay_ms(2);
    let packet = Packet::new(0x40, 0x04, 2, &[], 64);
    bus.write(0x35, &[&[0x03], packet.as_bytes()].concat()).unwrap();
    delay.delay_ms(700);
    assert!(*bus.chip().eeprom() != eeprom);
}
