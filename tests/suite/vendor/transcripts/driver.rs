//! The calls of the driver that no verb of the command line makes, packet by packet beside the vendor's library.

use atecc::{
    Configuration, Device, Irreversible, PublicKey, Secret, SharedKey, Signature, Slot, Transport,
    command::{
        AesKey, AesKeyPosition, ExtraByte, HkdfMessage, HmacKey, Kdf, KdfFunction, KdfMessage, KdfSource,
        KdfTarget, SecureBootCheck, VerifyKey, Zone,
    },
    i2c::Error as I2cError,
    irreversible::{IncrementsCounter, OverwritesData, OverwritesKey, SetsByteForEver},
    zone::CounterId,
};
use atecc_emulator::{BusError, Eeprom, provision};

use super::{
    super::{
        library::{ask_recorded_at, hex},
        openssl::{self, HostKey},
        test_part::{PARENT, framed, test_part_eeprom},
    },
    Transcript,
};
use crate::support::{Chip, messages};

const DIGEST: [u8; 32] = [0x5a; 32];
const BLOCK: [u8; 16] = *b"sixteen bytes...";
const SECRET: [u8; 32] = *b"nobody reads this from the wires";
const IO_KEY: [u8; 32] = *b"the IO protection key of a part.";

/// Our driver on the recorded bus.
type Driver<'a> = Device<&'a mut dyn Transport<Error = I2cError<BusError>>>;
/// What a call of it gives.
type Outcome = Result<(), atecc::Error<I2cError<BusError>>>;

fn slot(number: u8) -> Slot {
    Slot::new(number).unwrap()
}

/// What both say to a chip with this memory, each to one of its own.
fn both(eeprom: &Eeprom, calls: &[String], ours: impl FnOnce(&mut Driver<'_>) -> Outcome) -> [Transcript; 2] {
    let address = eeprom.configuration().effective_i2c_address();
    let (chip, other) = (Chip::holding(eeprom), Chip::holding(eeprom));
    let (bus, other_bus) = (chip.serve(), other.serve());
    let log = chip.path("theirs.log");
    let answers = ask_recorded_at(&bus.socket, address << 1, &log, calls);
    answers.iter().for_each(|answer| answer.succeeded());
    [Transcript(messages(&log)), Transcript::of_driver(&other_bus.socket, address, ours)]
}

/// A name, the calls of the vendor's library, and ours.
type Case<'a> = (&'a str, Vec<String>, Box<dyn Fn(&mut Driver<'_>) -> Outcome + 'a>);

/// Each case is the same commands to the last byte, ours in one wake.
#[track_caller]
fn assert_same_commands(eeprom: &Eeprom, cases: Vec<Case<'_>>) {
    for (name, calls, ours) in cases {
        let [theirs, ours] = both(eeprom, &calls, ours);
        assert_eq!(ours.commands(), theirs.commands(), "{name}");
        assert!(!ours.commands().is_empty(), "{name}");
        assert_eq!(ours.wakes(), 1, "{name}");
        eprintln!("{name}: {} | ours: {}", theirs.figures(), ours.figures());
    }
}

fn case<'a>(name: &'a str, calls: &[&str], ours: impl Fn(&mut Driver<'_>) -> Outcome + 'a) -> Case<'a> {
    (name, calls.iter().map(|&call| call.to_owned()).collect(), Box::new(ours))
}

/// A TNGTLS with an AES key, an IO protection key and a stored public key.
fn furnished(key: &PublicKey) -> Eeprom {
    let mut eeprom = provision::tng_tls().unwrap();
    eeprom.slot_mut(slot(6))[..32].copy_from_slice(&IO_KEY);
    eeprom.slot_mut(slot(9))[..16].copy_from_slice(&BLOCK);
    let (x, y) = key.as_bytes().split_at(32);
    eeprom.slot_mut(slot(15))[..72].copy_from_slice(&[&[0; 4], x, &[0; 4], y].concat());
    eeprom
}

#[test]
fn what_programs_do_with_a_tngtls_takes_the_same_commands() {
    let host = HostKey::new();
    let key = PublicKey::from_bytes(host.public_key().try_into().unwrap());
    let signature = Signature::from_bytes(host.sign(&DIGEST).try_into().unwrap());
    let (point, signed) = (hex(key.as_bytes()), hex(signature.as_bytes()));
    let (digest, block) = (hex(&DIGEST), hex(&BLOCK));
    let io_key = Secret::from_bytes(IO_KEY);
    let nonce = [0x4e; 32];
    let aes = AesKey::Slot { slot: slot(9), position: AesKeyPosition::First };
    let cases = vec![
        case("ecdh, protected", &[&format!("ecdh_protected 0 {point} {}", hex(&IO_KEY))], |chip| {
            chip.ecdh_protected(slot(0), &key, &io_key).map(drop)
        }),
        case("verify", &[&format!("verify {digest} {signed} {point}")], |chip| {
            chip.verify(&key, &DIGEST, &signature).map(|fits| assert!(fits))
        }),
        case("verify, stored", &[&format!("verify_stored {digest} {signed} 15")], |chip| {
            chip.verify_stored(slot(15), &DIGEST, &signature).map(|fits| assert!(fits))
        }),
        case(
            "verify with MAC",
            &[&format!("verify_mac {digest} {signed} {point} {} {}", hex(&nonce), hex(&IO_KEY))],
            |chip| {
                let key = VerifyKey::External(&key);
                chip.verify_protected(key, &DIGEST, &signature, &nonce, &io_key).map(|fits| assert!(fits))
            },
        ),
        case("aes, encrypt", &[&format!("aes_encrypt 9 0 {block}")], |chip| {
            chip.aes_encrypt(aes, &BLOCK).map(drop)
        }),
        case("aes, decrypt", &[&format!("aes_decrypt 9 0 {block}")], |chip| {
            chip.aes_decrypt(aes, &BLOCK).map(drop)
        }),
        case("aes, GFM", &[&format!("gfm {block} {block}")], |chip| {
            chip.galois_multiply(&BLOCK, &BLOCK).map(drop)
        }),
        case("counter", &["counter 1"], |chip| chip.counter(CounterId::Counter1).map(drop)),
        case("counter, increment", &["count 1"], |chip| {
            let consent = Irreversible::i_understand(IncrementsCounter);
            chip.increment_counter(CounterId::Counter1, consent).map(drop)
        }),
        case("secure boot", &[&format!("secure_boot 5 {digest} {signed}")], |chip| {
            chip.secure_boot(SecureBootCheck::Full(&signature), &DIGEST).map(|good| assert!(good))
        }),
        case("update extra", &["update_extra 0 0x5a"], |chip| {
            let consent = Irreversible::i_understand(SetsByteForEver);
            chip.update_extra(ExtraByte::UserExtra, 0x5a, consent)
        }),
        case("write", &[&format!("write 8 0 {}", hex(&[0x57; 68]))], |chip| {
            let consent = Irreversible::i_understand(OverwritesData);
            chip.write(Zone::Data(slot(8)), 0, &[0x57; 68], consent)
        }),
        case("read", &["read 8 0 96"], |chip| chip.read(&[Zone::Data(slot(8))], &mut [&mut [0; 96]])),
    ];
    assert_same_commands(&furnished(&key), cases);
}

#[test]
fn what_needs_symmetric_keys_takes_the_same_commands() {
    let (challenge, input) = ([0xc4; 32], [0x21; 20]);
    let message = b"a message for KDF";
    let details = message.len() << 24 | 0x02;
    let other: Vec<u8> = (1..=13).collect();
    let other: [u8; 13] = other.try_into().unwrap();
    let eeprom = test_part_eeprom();
    let serial = *eeprom.configuration().serial_number().as_bytes();
    let response = openssl::sha256(
        &[
            &PARENT[..],
            &challenge,
            &other[..4],
            &[0; 8],
            &other[4..7],
            &serial[8..],
            &other[7..11],
            &serial[..2],
            &other[11..],
        ]
        .concat(),
    );
    let long = [0x6d; 200];
    let cases = vec![
        case("hmac", &[&format!("hmac_slot 4 {}", hex(&long))], |chip| {
            chip.hmac(HmacKey::Slot(slot(4)), &long).map(drop)
        }),
        case("mac", &[&format!("mac 0 4 {}", hex(&challenge))], |chip| {
            chip.mac(slot(4), &challenge, false).map(drop)
        }),
        case(
            "check mac",
            &[&format!("checkmac 0 4 {} {} {}", hex(&challenge), hex(&response), hex(&other))],
            |chip| chip.check_mac(slot(4), &challenge, &response, &other).map(|fits| assert!(fits)),
        ),
        case("kdf", &[&format!("kdf 0x52 4 {details} {}", hex(message))], |chip| {
            let message = HkdfMessage::Input(KdfMessage::new(message).unwrap());
            let function = KdfFunction::Hkdf { message, zero_key: false };
            let source = KdfSource::Slot(slot(4));
            chip.kdf(Kdf { function, source, target: KdfTarget::Output }).map(drop)
        }),
        case("derive key", &[&format!("nonce_random {}", hex(&input)), "derive_key 0 9"], |chip| {
            let consent = Irreversible::i_understand(OverwritesKey);
            chip.derive_key(slot(9), &input, None, consent).map(drop)
        }),
    ];
    assert_same_commands(&eeprom, cases);
}

/// The end of SHA-256: ours keeps the digest out of TempKey (0xc2), theirs leaves it there as well (0x02).
#[test]
fn sha_256_takes_the_same_commands_but_leaves_nothing_behind() {
    let eeprom = provision::tng_tls().unwrap();
    for length in [0, 1, 63, 64, 65, 200] {
        let message = vec![0x6d; length];
        let calls = [format!("sha {}", hex(&message))];
        let [theirs, ours] = both(&eeprom, &calls, |chip| chip.sha256(&message).map(drop));
        let mut expected: Vec<String> = theirs.bodies().collect();
        let end = expected.last_mut().unwrap();
        assert!(end.starts_with("x:4702"), "{end}");
        end.replace_range("x:".len().."x:4702".len(), "47c2");
        assert_eq!(ours.bodies().collect::<Vec<_>>(), expected, "{length} bytes");
        assert_eq!(ours.wakes(), 1);
    }
}

/// One bit of difference: ours says in the mode that the secret goes to the output buffer (0x0c), theirs leaves that to
/// SlotConfig (0x00), by which it could also stay in the next slot.
#[test]
fn ecdh_takes_the_same_command_but_names_its_target() {
    let key = PublicKey::from_bytes(HostKey::new().public_key().try_into().unwrap());
    let calls = [format!("ecdh 0 {}", hex(key.as_bytes()))];
    let [theirs, ours] =
        both(&provision::tng_tls().unwrap(), &calls, |chip| chip.ecdh(slot(0), &key).map(drop));
    assert_eq!([theirs.commands().len(), ours.commands().len()], [1, 1]);
    let body = |mode: u8| hex(&[&[0x43, mode, 0x00, 0x00], &key.as_bytes()[..]].concat());
    assert_eq!([theirs.body_of(0x43), ours.body_of(0x43)], [body(0x00), body(0x0c)]);
}

/// The nonce that the last GenDig of a transcript worked on, from what the chip answered to Nonce.
fn nonce(transcript: &Transcript, input: &[u8; 20]) -> [u8; 32] {
    let random = transcript.answer_of(0x16, 32);
    openssl::sha256(&[&random[..], input, &[0x16, 0x00, 0x00]].concat())
}

/// Serial number, Nonce, GenDig, Read: the same to the last byte, given the same twenty bytes for Nonce. The vendor's
/// library takes a wake for each.
#[test]
fn an_encrypted_read_takes_the_same_commands() {
    let eeprom = test_part_eeprom();
    let key = Secret::from_bytes(PARENT);
    let calls = [format!("read_encrypted 1 0 {} 4", hex(&PARENT))];
    let [theirs, ours] = both(&eeprom, &calls, |chip| {
        let shared = SharedKey { slot: slot(4), key: &key, input: &[0; 20] };
        chip.read_encrypted(slot(1), 0, shared).map(|data| assert_eq!(data.as_bytes(), &[0; 32]))
    });
    assert_same_but_for(&theirs, &ours, None, &[]);
}

/// The same, with Write: what it carries is under another key each time, so it is computed again from the nonce.
#[test]
fn an_encrypted_write_takes_the_same_commands() {
    let key = Secret::from_bytes(PARENT);
    let calls = [format!("write_encrypted 1 0 {} {} 4", hex(&SECRET), hex(&PARENT))];
    let both = both(&test_part_eeprom(), &calls, |chip| {
        let shared = SharedKey { slot: slot(4), key: &key, input: &[0; 20] };
        let consent = Irreversible::i_understand(OverwritesData);
        chip.write_encrypted(slot(1), 0, &Secret::from_bytes(SECRET), shared, consent)
    });
    for transcript in &both {
        let session = session(transcript);
        let command = [0x12, 0xc2, 0x08, 0x00];
        let mac = framed(&session, command, &SECRET);
        let data: Vec<u8> = SECRET.iter().zip(session).map(|(byte, mask)| byte ^ mask).collect();
        assert_eq!(transcript.body_of(0x12), hex(&[&command[..], &data, &mac].concat()));
    }
    let [theirs, ours] = both;
    assert_same_but_for(&theirs, &ours, Some(0x12), &[]);
}

/// PrivWrite: a longer secret, whose end has a mask of its own.
#[test]
fn a_private_key_from_outside_takes_the_same_commands() {
    let key = Secret::from_bytes(PARENT);
    let padded = [&[0; 4][..], &SECRET].concat();
    let calls = [format!("priv_write 7 {} 4 {}", hex(&padded), hex(&PARENT))];
    let both = both(&test_part_eeprom(), &calls, |chip| {
        let shared = SharedKey { slot: slot(4), key: &key, input: &[0; 20] };
        let consent = Irreversible::i_understand(OverwritesKey);
        chip.write_private_key(slot(7), &Secret::from_bytes(SECRET), shared, consent)
    });
    for transcript in &both {
        let session = session(transcript);
        let command = [0x46, 0x40, 0x07, 0x00];
        let mac = openssl::sha256(
            &[&session[..], &command, &super::super::test_part::SHORT_SERIAL, &[0; 21], &padded].concat(),
        );
        let masks = [session, openssl::sha256(&session)].concat();
        let value: Vec<u8> = padded.iter().zip(masks).map(|(byte, mask)| byte ^ mask).collect();
        assert_eq!(transcript.body_of(0x46), hex(&[&command[..], &value, &mac].concat()));
    }
    let [theirs, ours] = both;
    assert_same_but_for(&theirs, &ours, Some(0x46), &[]);
}

/// SecureBoot with an encrypted digest: Nonce, and the digest under the IO protection key.
#[test]
fn a_protected_secure_boot_takes_the_same_commands() {
    let host = HostKey::new();
    let key = PublicKey::from_bytes(host.public_key().try_into().unwrap());
    let signature = Signature::from_bytes(host.sign(&DIGEST).try_into().unwrap());
    let input: [u8; 20] = std::array::from_fn(|index| index as u8);
    let (digest, signed) = (hex(&DIGEST), hex(signature.as_bytes()));
    let calls = [format!("secure_boot_protected 5 {digest} {signed} {}", hex(&IO_KEY))];
    let io_key = Secret::from_bytes(IO_KEY);
    let both = both(&furnished(&key), &calls, |chip| {
        let check = SecureBootCheck::Full(&signature);
        chip.secure_boot_protected(&check, &DIGEST, None, &input, &io_key).map(|good| assert!(good))
    });
    for transcript in &both {
        let mask = openssl::sha256(&[IO_KEY, nonce(transcript, &input)].concat());
        let masked: Vec<u8> = DIGEST.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
        let command = [0x80, 0x85, 0x00, 0x00];
        let body = [&command[..], &masked, signature.as_bytes()].concat();
        assert_eq!(transcript.body_of(0x80), hex(&body));
    }
    let [theirs, ours] = both;
    // Theirs looks up what SecureBoot keeps between boots; ours is told by its caller, who has read it once.
    assert_same_but_for(&theirs, &ours, Some(0x80), &["x:02801000"]);
}

/// An internal signature. The vendor's call is Sign alone; what comes before it is its caller's, and the same.
#[test]
fn a_statement_about_a_key_takes_the_same_commands() {
    let eeprom = provision::tng_tls().unwrap();
    let input = [0x21; 20];
    let calls = [
        format!("nonce_random {}", hex(&input)),
        "genkey_digest 0x08 2 x:000000".to_owned(),
        "sign_internal 1 0 1".to_owned(),
    ];
    let zone = Configuration::from_bytes(*eeprom.configuration().as_bytes());
    let [theirs, ours] = both(&eeprom, &calls, |chip| chip.attest(slot(2), slot(1), &zone, &input).map(drop));
    assert_eq!(ours.commands(), theirs.commands());
    assert_eq!(ours.wakes(), 1);
}

/// The session of an encrypted read or write with slot 4 and a nonce over zeros.
fn session(transcript: &Transcript) -> [u8; 32] {
    framed(&PARENT, [0x15, 0x02, 0x04, 0x00], &nonce(transcript, &[0; 20]))
}

/// The same commands, perhaps in another order, but for the one of opcode `apart`, which is looked at elsewhere, and for
/// those that only the vendor's library sends.
#[track_caller]
fn assert_same_but_for(theirs: &Transcript, ours: &Transcript, apart: Option<u8>, only_theirs: &[&str]) {
    let bodies = |transcript: &Transcript| {
        let is_apart = |body: &String| apart.is_some_and(|code| body.starts_with(&hex(&[code])));
        let mut bodies: Vec<String> = transcript.bodies().filter(|body| !is_apart(body)).collect();
        bodies.sort_unstable();
        bodies
    };
    let mut expected = bodies(theirs);
    for body in only_theirs {
        let position = expected.iter().position(|theirs| theirs == body);
        expected.remove(position.unwrap_or_else(|| panic!("no {body} among {expected:?}")));
    }
    assert_eq!(bodies(ours), expected);
    assert_eq!(ours.wakes(), 1);
    assert!(theirs.wakes() > 1);
}
