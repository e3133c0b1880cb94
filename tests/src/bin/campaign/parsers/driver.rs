//! Every call of the driver on a chip that answers anything.

use std::{collections::VecDeque, convert::Infallible};

use atecc::{
    Configuration, Device, Error, Irreversible, PublicKey, Responses, Secret, SharedKey, Signature, Slot,
    Status, Transport, Wanted,
    command::{
        AesKey, AesKeyPosition, ExtraByte, HkdfMessage, HmacKey, Kdf, KdfFunction, KdfMessage, KdfSource,
        KdfTarget, PrfKeyLength, PrfLength, SecureBootCheck, SelfTests, VerifyKey, Zone,
    },
    irreversible::{IncrementsCounter, LocksSlot, OverwritesData, OverwritesKey, SetsByteForEver},
    link::Attendant,
    packet::{Packet, Response},
    zone::CounterId,
};

use super::{super::Random, Parser};

/// Most packets of a conversation: those of an HMAC over [`MESSAGE`] are the most.
const PATIENCE: usize = 64;
/// More than one wake of SHA-256 takes.
const MESSAGE: [u8; 1_100] = [0x4d; 1_100];

const POSITIONS: [AesKeyPosition; 4] =
    [AesKeyPosition::First, AesKeyPosition::Second, AesKeyPosition::Third, AesKeyPosition::Fourth];

/// The input is a script: which call, and then how the chip answers each packet. A byte below [`RIGHT`] stands for an
/// answer as long as it should be, one up to [`STATUS`] for the status in the next byte, and any other for as many
/// bytes as the next one says. What is missing is zero.
pub(super) fn answers() -> Result<Box<dyn Parser>, String> {
    struct Answers;

    impl Parser for Answers {
        fn input(&mut self, random: &mut Random) -> Vec<u8> {
            let mut script = vec![random.next() as u8];
            let longest = if random.below(4) == 0 { 1_200 } else { 200 };
            script.extend(random.bytes(longest));
            // Success, where one byte is due, has to be said; few random bytes do.
            for byte in &mut script[1..] {
                if random.below(3) == 0 {
                    *byte = 0x00;
                }
            }
            script
        }

        fn give(&mut self, input: &[u8]) -> Result<bool, String> {
            let (call, script) = input.split_first().ok_or("no script")?;
            let chip = Scripted { script: script.iter().copied().collect(), packets: 0 };
            let mut device = Device::new(chip);
            let result = call_of(&mut device, usize::from(*call));
            if device.transport().packets > PATIENCE {
                return Err(format!("{} packets", device.transport().packets));
            }
            match result {
                Ok(()) => Ok(true),
                Err(error) if error.to_string().is_empty() => Err("an error without words".into()),
                Err(_) => Ok(false),
            }
        }
    }

    Ok(Box::new(Answers))
}

/// Script bytes below this: an answer of the right length.
const RIGHT: u8 = 224;
/// Script bytes below this and not below [`RIGHT`]: a status.
const STATUS: u8 = 240;

/// A chip that answers by a script.
struct Scripted {
    script: VecDeque<u8>,
    packets: usize,
}

impl Scripted {
    fn next(&mut self) -> u8 {
        self.script.pop_front().unwrap_or_default()
    }

    fn answer(&mut self, packet: &Packet) -> Response {
        self.packets += 1;
        let length = match self.next() {
            right if right < RIGHT => packet.response_data().unwrap_or(1),
            status if status < STATUS => 1,
            _ => usize::from(self.next()),
        };
        let data: Vec<u8> = (0..length.clamp(1, 128)).map(|_| self.next()).collect();
        // One to 128 bytes are a response.
        Response::new(&data).unwrap_or_else(|_| unreachable!())
    }
}

fn is_error(response: &Response) -> bool {
    response.status().is_some_and(|status| status != Status::Success)
}

impl Transport for Scripted {
    type Error = Infallible;

    fn transact_attended(
        &mut self,
        commands: &[Packet],
        wanted: Wanted,
        responses: &mut Responses,
        _: &mut dyn Attendant,
    ) -> Result<usize, Infallible> {
        responses.clear();
        for packet in commands {
            let response = self.answer(packet);
            let is_last = is_error(&response);
            // There is room for the answers of as many commands as a transaction may have. A way to the chip that loses
            // one must not upset the driver either.
            let _ = responses.push(response);
            if is_last || self.script.front() == Some(&0xee) {
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
    ) -> Result<(), Infallible> {
        let mut packet = next(None);
        while let Some(sent) = packet {
            if self.packets > PATIENCE {
                break;
            }
            let answer = self.answer(&sent);
            packet = next(Some(&answer));
            if is_error(&answer) {
                break;
            }
        }
        Ok(())
    }
}

/// One call of the driver, by number.
fn call_of(chip: &mut Device<Scripted>, call: usize) -> Result<(), Error<Infallible>> {
    let slot = Slot::PRIMARY_KEY;
    let (digest, secret) = ([0x5a; 32], Secret::from_bytes([0x6b; 32]));
    let (key, signature) = (PublicKey::from_bytes([0x5a; 64]), Signature::from_bytes([0x5a; 64]));
    let input = [0x21; 20];
    let shared = SharedKey { slot, key: &secret, input: &input };
    let aes = AesKey::Slot { slot, position: POSITIONS[call % 4] };
    let kdf = |function| Kdf { source: KdfSource::TempKey, target: KdfTarget::Output, function };
    // Forty bytes fit.
    let Some(message) = KdfMessage::new(&[3; 40]) else { return Ok(()) };
    let prf = KdfFunction::Prf { message, key_length: PrfKeyLength::Bytes32, length: PrfLength::TwoBlocks };
    match call % 40 {
        0 => chip.revision().map(drop),
        1 => chip.serial_number().map(drop),
        2 => chip.configuration().map(drop),
        3 => {
            let (mut long, mut short) = ([0; 72], [0; 8]);
            chip.read(&[Zone::Data(slot), Zone::Otp], &mut [&mut long, &mut short])
        }
        4 => chip.random().map(drop),
        5 => chip.public_key(slot).map(drop),
        6 => chip.sign(slot, &digest).map(drop),
        7 => chip.verify(&key, &digest, &signature).map(drop),
        8 => chip.info_state().map(drop),
        9 => chip.is_latch_set().map(drop),
        10 => chip.self_test(SelfTests::ALL).map(drop),
        11 => chip.counter(CounterId::Counter0).map(drop),
        12 => {
            let consent = Irreversible::i_understand(IncrementsCounter);
            chip.increment_counter(CounterId::Counter1, consent).map(drop)
        }
        13 => chip.lock_slot(slot, Irreversible::i_understand(LocksSlot)),
        14 => chip.write(Zone::Data(slot), 4, &[1; 36], Irreversible::i_understand(OverwritesData)),
        15 => chip.read_encrypted(slot, 0, shared).map(drop),
        16 => {
            let consent = Irreversible::i_understand(OverwritesData);
            chip.write_encrypted(slot, 0, &secret, shared, consent)
        }
        17 => chip.write_private_key(slot, &secret, shared, Irreversible::i_understand(OverwritesKey)),
        18 => chip.generate_key(slot, Irreversible::i_understand(OverwritesKey)).map(drop),
        19 => chip.is_key_valid(slot).map(drop),
        20 => chip.ecdh(slot, &key).map(drop),
        21 => chip.ecdh_protected(slot, &key, &secret).map(drop),
        22 => chip.ecdh_kdf(slot, &key, kdf(prf)).map(drop),
        23 => chip.attest(slot, slot, &Configuration::from_bytes([0; 128]), &input).map(drop),
        24 => chip.verify_stored(slot, &digest, &signature).map(drop),
        25 => {
            let key = VerifyKey::External(&key);
            chip.verify_protected(key, &digest, &signature, &digest, &secret).map(drop)
        }
        26 => chip.aes_encrypt(aes, &[1; 16]).map(drop),
        27 => chip.aes_decrypt(aes, &[1; 16]).map(drop),
        28 => chip.galois_multiply(&[1; 16], &[2; 16]).map(drop),
        29 => chip.mac(slot, &digest, true).map(drop),
        30 => chip.check_mac(slot, &digest, &digest, &[0; 13]).map(drop),
        31 => chip.kdf(kdf(prf)).map(drop),
        32 => chip.kdf(kdf(KdfFunction::Aes { block: &[3; 16], key_position: (call % 4) as u8 })).map(drop),
        33 => chip.derive_key(slot, &input, None, Irreversible::i_understand(OverwritesKey)).map(drop),
        34 => chip.sha256(&MESSAGE[..call * 4]).map(drop),
        35 => chip.hmac(HmacKey::TempKey, &MESSAGE[..call * 4]).map(drop),
        36 => chip.secure_boot(SecureBootCheck::Stored, &digest).map(drop),
        37 => {
            let check = SecureBootCheck::Full(&signature);
            chip.secure_boot_protected(&check, &digest, Some(&signature), &input, &secret).map(drop)
        }
        38 => {
            let consent = Irreversible::i_understand(SetsByteForEver);
            chip.update_extra(ExtraByte::UserExtra, 1, consent)
        }
        _ => {
            let message = HkdfMessage::Input(message);
            chip.kdf(kdf(KdfFunction::Hkdf { message, zero_key: false })).map(drop)
        }
    }
}
