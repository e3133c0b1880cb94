//! What each slot holds and may do, in words, from SlotConfig and KeyConfig.

use atecc::{
    Configuration, Slot,
    zone::{KeyConfig, KeyType, ReadAccess, SlotConfig, WriteAccess},
};
use serde::Serialize;

use crate::error::Error;

/// One slot, for a reader.
#[derive(Debug, Serialize)]
pub(crate) struct Description {
    pub(crate) slot: u8,
    pub(crate) bytes: usize,
    /// A key of some kind, or data.
    pub(crate) holds: &'static str,
    pub(crate) may: Vec<String>,
    /// Conditions on all of it.
    pub(crate) only: Vec<String>,
    /// Locked by itself, for ever.
    pub(crate) locked: bool,
}

/// All sixteen.
pub(crate) fn describe_all(configuration: &Configuration) -> Vec<Description> {
    (0..16).filter_map(Slot::new).map(|slot| describe(configuration, slot)).collect()
}

/// One of them.
pub(crate) fn describe(configuration: &Configuration, slot: Slot) -> Description {
    let (access, key) = (configuration.slot_rules(slot), configuration.key_properties(slot));
    let locked = configuration.is_slot_locked(slot);
    let mut may = if key.private() { private_key(access, key, locked) } else { data(access, locked) };
    if key.lockable() && !locked {
        may.push("be locked".into());
    }
    Description {
        slot: slot.number(),
        bytes: slot.size(),
        holds: holds(key),
        may,
        only: conditions(access, key),
        locked,
    }
}

/// Consent for a slot is for that slot only.
pub(crate) fn check_slot(slot: Slot, named: Slot) -> Result<(), Error> {
    if slot == named { Ok(()) } else { Err(Error::OtherSlot { slot, named }) }
}

const fn holds(key: KeyConfig) -> &'static str {
    match (key.key_type(), key.private()) {
        (KeyType::P256, true) => "P-256 private key",
        (KeyType::P256, false) => "P-256 public key",
        (KeyType::Aes, _) => "AES keys",
        (KeyType::Data, _) => "secret or data",
        (KeyType::Reserved(_), _) => "reserved",
    }
}

fn private_key(access: SlotConfig, key: KeyConfig, locked: bool) -> Vec<String> {
    let (uses, writes) = (access.private_key_use(), access.write_config());
    let ecdh = if uses.keeps_ecdh_result() { "ECDH (the result stays inside)" } else { "ECDH" };
    let may = [
        (uses.signs_external(), "sign"),
        (uses.signs_internal(), "sign what the chip made"),
        (uses.allows_ecdh(), ecdh),
        (key.pub_info(), "show its public key"),
        (writes.allows_genkey() && !locked, "be made anew (genkey)"),
        (writes.allows_privwrite() && !locked, "be written encrypted"),
    ];
    may.into_iter().filter(|(allowed, _)| *allowed).map(|(_, words)| words.to_owned()).collect()
}

fn data(access: SlotConfig, locked: bool) -> Vec<String> {
    let mut may = vec![match access.reads() {
        ReadAccess::Clear => "be read".into(),
        ReadAccess::Encrypted => format!("be read encrypted with slot {}", access.read_key()),
        ReadAccess::Never => "be used inside only".into(),
    }];
    match access.write_config().writes() {
        _ if locked => {}
        WriteAccess::Clear => may.push("be written".into()),
        WriteAccess::ClearWhileInvalid => may.push("be written until it is validated".into()),
        WriteAccess::Encrypted => may.push(format!("be written encrypted with slot {}", access.write_key())),
        WriteAccess::Never => {}
    }
    may
}

fn conditions(access: SlotConfig, key: KeyConfig) -> Vec<String> {
    let mut only = Vec::new();
    if access.limited_use() {
        only.push("as often as Counter[0] allows".into());
    }
    if key.req_auth() {
        only.push(format!("after authorization with slot {}", key.auth_key()));
    }
    if key.persistent_disable() {
        only.push("while the persistent latch is set".into());
    }
    if key.req_random() {
        only.push("with a nonce from the chip".into());
    }
    only
}

#[cfg(test)]
mod tests {
    use atecc::zone::CONFIGURATION_ZONE;

    use super::*;

    /// Slots of a Trust&GO part, with the values in its data sheet.
    fn slot(number: u8, slot_config: u16, key_config: u16) -> Description {
        let mut zone = [0xff; CONFIGURATION_ZONE];
        let place = 2 * usize::from(number);
        zone[20 + place..][..2].copy_from_slice(&slot_config.to_le_bytes());
        zone[96 + place..][..2].copy_from_slice(&key_config.to_le_bytes());
        describe(&Configuration::from_bytes(zone), Slot::new(number).unwrap())
    }

    #[test]
    fn the_slots_of_a_trust_and_go_part() {
        let primary = slot(0, 0x0085, 0x0053);
        assert_eq!(primary.holds, "P-256 private key");
        assert_eq!(primary.may, ["sign", "ECDH", "show its public key"]);
        assert_eq!(primary.only, ["with a nonce from the chip"]);
        assert_eq!(slot(2, 0x2085, 0x0073).may[3..], ["be made anew (genkey)", "be locked"]);
        assert_eq!(slot(6, 0x0f8f, 0x007c).may, ["be used inside only", "be written", "be locked"]);
        assert_eq!(slot(11, 0x8f0f, 0x0010).may, ["be read"]);
        assert_eq!(slot(11, 0x8f0f, 0x0010).holds, "P-256 public key");
    }
}
