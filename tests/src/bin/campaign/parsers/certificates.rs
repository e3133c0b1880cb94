//! Certificates: compressed ones as slots hold them, whole ones in DER, and the identity that is rebuilt from slots.

use atecc::{
    Device, PublicKey, SerialNumber, Slot,
    certificate::{
        Authority, Compressed, MICROCHIP, StoredIdentity, compress, compress_lora, rebuild, to_be_signed,
    },
    i2c::I2cTransport,
};
use atecc_emulator::{Eeprom, authority::EMULATOR, provision::Personality};

use super::{
    super::Random,
    Parser,
    mutate::{mutant, pick},
    packets::bus,
};

const AUTHORITIES: [&Authority; 2] = [&EMULATOR, &MICROCHIP];
/// Bytes of a slot that holds a certificate.
const SLOT: usize = 72;

/// Slots 10 to 12 of parts with a certificate.
fn slots(eeprom: &Eeprom) -> [Vec<u8>; 3] {
    [10, 11, 12].map(|number| Slot::new(number).map_or(Vec::new(), |slot| eeprom.slot(slot).to_vec()))
}

fn parts() -> Result<Vec<Eeprom>, String> {
    let parts = [Personality::TngTls3, Personality::TngTls2, Personality::TflxTls];
    parts.into_iter().map(|part| part.make().map_err(|error| error.to_string())).collect()
}

/// What a part stores, from its slots and its key.
fn identity(eeprom: &Eeprom) -> Result<StoredIdentity, String> {
    let (bus, address) = bus(eeprom);
    let clock = bus.clock();
    let public_key = Device::new(I2cTransport::new(bus, clock, address))
        .public_key(Slot::PRIMARY_KEY)
        .map_err(|error| error.to_string())?;
    let slot = |number| Slot::new(number).ok_or("no slot");
    let eui48: [u8; 12] = eeprom.slot(slot(5)?)[..12].try_into().map_err(|_| "no EUI-48")?;
    let [device, signer_public_key, signer] = slots(eeprom);
    Ok(StoredIdentity {
        serial_number: eeprom.configuration().serial_number(),
        public_key,
        device: device.try_into().map_err(|_| "no certificate")?,
        signer_public_key: signer_public_key.try_into().map_err(|_| "no key")?,
        signer: signer.try_into().map_err(|_| "no certificate")?,
        eui48: eui48.iter().all(u8::is_ascii_hexdigit).then_some(eui48),
    })
}

pub(super) fn stored() -> Result<Box<dyn Parser>, String> {
    struct Stored(Vec<Vec<u8>>);

    impl Parser for Stored {
        fn input(&mut self, random: &mut Random) -> Vec<u8> {
            let mut slot = mutant(random, &self.0, SLOT);
            slot.resize(SLOT, 0x00);
            // The fields behind the signature are what is parsed.
            for byte in &mut slot[64..] {
                if random.below(16) == 0 {
                    *byte = random.next() as u8;
                }
            }
            if random.below(4) == 0 {
                slot[70] = 0xa1;
            }
            slot
        }

        fn give(&mut self, input: &[u8]) -> Result<bool, String> {
            let slot = input.try_into().map_err(|_| "no slot")?;
            let Ok(compressed) = Compressed::parse(slot) else { return Ok(false) };
            let again = Compressed::parse(&compressed.to_bytes());
            let _ = (compressed.dates.expire_year(), compressed.dates.is_issuable());
            match again {
                Ok(again) if again == compressed => Ok(true),
                other => Err(format!("{compressed:?} is stored as {other:?}")),
            }
        }
    }

    let slots = parts()?
        .iter()
        .flat_map(|eeprom| {
            let [device, _, signer] = slots(eeprom);
            [device, signer]
        })
        .collect();
    Ok(Box::new(Stored(slots)))
}

pub(super) fn identities() -> Result<Box<dyn Parser>, String> {
    /// Serial number, public key, three slots, digits of the EUI-48.
    const LENGTHS: [usize; 6] = [9, 64, SLOT, SLOT, SLOT, 12];

    struct Identities(Vec<Vec<u8>>);

    impl Parser for Identities {
        fn input(&mut self, random: &mut Random) -> Vec<u8> {
            let mut bytes = mutant(random, &self.0, LENGTHS.iter().sum());
            bytes.resize(LENGTHS.iter().sum(), 0x00);
            bytes
        }

        fn give(&mut self, input: &[u8]) -> Result<bool, String> {
            fn field<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], String> {
                let (field, behind) = rest.split_first_chunk().ok_or("too short")?;
                *rest = behind;
                Ok(*field)
            }
            let rest = &mut &*input;
            let stored = StoredIdentity {
                serial_number: SerialNumber::from_bytes(field(rest)?),
                public_key: PublicKey::from_bytes(field(rest)?),
                device: field(rest)?,
                signer_public_key: field(rest)?,
                signer: field(rest)?,
                eui48: Some(field(rest)?).filter(|digits| digits != &[0; 12]),
            };
            match rebuild(&stored, b"KQp2ZkD8", &AUTHORITIES) {
                // Every byte of it is in a certificate or decides about one, but for few: template and chain number, the
                // padding of the signer's key, what stands behind the dates.
                Ok(chain) if to_be_signed(&chain.device).is_some() => Ok(true),
                Ok(_) => Err("a certificate that is none".into()),
                Err(_) => Ok(false),
            }
        }
    }

    let seed = |eeprom: &Eeprom| {
        let identity = identity(eeprom)?;
        Ok([
            identity.serial_number.as_bytes().as_slice(),
            identity.public_key.as_bytes(),
            &identity.device,
            &identity.signer_public_key,
            &identity.signer,
            &identity.eui48.unwrap_or_default(),
        ]
        .concat())
    };
    Ok(Box::new(Identities(parts()?.iter().map(seed).collect::<Result<_, String>>()?)))
}

pub(super) fn der() -> Result<Box<dyn Parser>, String> {
    struct Certificates {
        /// Device and signer in turns, then the roots.
        whole: Vec<Vec<u8>>,
        elements: Vec<Element>,
    }

    impl Parser for Certificates {
        fn input(&mut self, random: &mut Random) -> Vec<u8> {
            if random.below(3) == 0 {
                return mutant(random, &self.whole, 2_000);
            }
            let mut element = pick(random, &self.elements).clone();
            for _ in 0..1 + random.below(3) {
                let others = pick(random, &self.elements);
                element.change(random, others);
            }
            element.encode()
        }

        fn give(&mut self, input: &[u8]) -> Result<bool, String> {
            let part = to_be_signed(input);
            if part.is_some_and(|part| !input.windows(part.len()).any(|window| window == part)) {
                return Err("to be signed is what is not there".into());
            }
            let [device, signer, ..] = &self.whole[..] else { return Err("no certificates".into()) };
            let results = [
                compress(input, signer, &AUTHORITIES).is_ok(),
                compress(device, input, &AUTHORITIES).is_ok(),
                compress_lora(input, signer, &AUTHORITIES).is_ok(),
            ];
            Ok(part.is_some() || results.contains(&true))
        }
    }

    let mut whole = Vec::new();
    for eeprom in parts()? {
        let chain = rebuild(&identity(&eeprom)?, &[0; 8], &AUTHORITIES).map_err(|error| error.to_string())?;
        whole.extend([chain.device.to_vec(), chain.signer.to_vec()]);
    }
    whole.extend(AUTHORITIES.map(|authority| authority.root_certificate.to_vec()));
    let elements = whole.iter().filter_map(|der| Element::parse(der).map(|(element, _)| element)).collect();
    Ok(Box::new(Certificates { whole, elements }))
}

/// A DER element, to be changed without breaking the lengths around it.
#[derive(Clone)]
struct Element {
    tag: u8,
    content: Content,
}

#[derive(Clone)]
enum Content {
    Bytes(Vec<u8>),
    Elements(Vec<Element>),
}

impl Element {
    /// The element at the beginning of `der`, and what follows it.
    fn parse(der: &[u8]) -> Option<(Self, &[u8])> {
        let (&tag, rest) = der.split_first()?;
        let (length, rest) = match *rest.first()? {
            short @ 0..=0x7f => (usize::from(short), &rest[1..]),
            0x81 => (usize::from(*rest.get(1)?), &rest[2..]),
            0x82 => (usize::from(u16::from_be_bytes(rest.get(1..3)?.try_into().ok()?)), &rest[3..]),
            _ => return None,
        };
        let (content, behind) = rest.split_at_checked(length)?;
        let mut elements = Vec::new();
        let mut inner = content;
        // Bit 6 of the tag: constructed.
        while tag & 0x20 != 0 && !inner.is_empty() {
            let (element, behind) = Self::parse(inner)?;
            elements.push(element);
            inner = behind;
        }
        let content =
            if tag & 0x20 != 0 { Content::Elements(elements) } else { Content::Bytes(content.to_vec()) };
        Some((Self { tag, content }, behind))
    }

    fn encode(&self) -> Vec<u8> {
        let content = match &self.content {
            Content::Bytes(bytes) => bytes.clone(),
            Content::Elements(elements) => elements.iter().flat_map(Self::encode).collect(),
        };
        let mut der = vec![self.tag];
        match content.len() {
            short @ 0..0x80 => der.push(short as u8),
            long @ 0x80..0x100 => der.extend([0x81, long as u8]),
            longer => {
                der.push(0x82);
                der.extend((longer as u16).to_be_bytes());
            }
        }
        der.extend(content);
        der
    }

    /// Changes one element at some depth: its tag, its bytes, or which elements are in it.
    fn change(&mut self, random: &mut Random, other: &Self) {
        match &mut self.content {
            _ if random.below(20) == 0 => self.tag ^= 1 << random.below(8),
            Content::Elements(elements) if !elements.is_empty() => {
                let at = random.below(elements.len());
                match random.below(12) {
                    0 => drop(elements.remove(at)),
                    1 => elements.insert(at, elements[at].clone()),
                    2 => elements[at] = other.clone(),
                    3 => elements.swap(0, at),
                    _ => elements[at].change(random, other),
                }
            }
            Content::Elements(elements) => elements.push(other.clone()),
            Content::Bytes(bytes) => *bytes = mutant(random, &[std::mem::take(bytes)], 300),
        }
    }
}
