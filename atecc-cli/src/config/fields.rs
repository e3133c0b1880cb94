//! The fields of the configuration zone, with what their bytes mean.

use atecc::{
    Configuration, Slot,
    zone::{CONFIGURATION_ZONE, CounterId},
};
use serde::Serialize;

use crate::{output, slots::describe};

/// Some bytes with a name.
#[derive(Debug, Serialize)]
pub(super) struct Field {
    pub(super) first: usize,
    pub(super) last: usize,
    pub(super) name: String,
    /// Hexadecimal digits, in the order of the zone.
    pub(super) value: String,
    pub(super) meaning: String,
}

/// Every byte of the zone, in order.
pub(super) fn explain(zone: &Configuration) -> Vec<Field> {
    let field = |first: usize, length: usize, name: &str, meaning: String| Field {
        first,
        last: first + length - 1,
        name: name.into(),
        value: output::hex(&zone.as_bytes()[first..first + length]),
        meaning,
    };
    let slots = || (0..16).filter_map(Slot::new);
    let place = |slot: Slot| 2 * usize::from(slot.number());
    let mut fields = vec![
        field(0, 4, "SN[0:3]", format!("serial number {}, its beginning", zone.serial_number())),
        field(4, 4, "RevNum", zone.revision().part().into()),
        field(8, 5, "SN[4:8]", "serial number, its end".into()),
        field(13, 1, "AES_Enable", on_or_off("AES", zone.is_aes_enabled())),
        field(14, 1, "I2C_Enable", if zone.is_i2c_enabled() { "I2C" } else { "single wire" }.into()),
        field(15, 1, "Reserved", String::new()),
        field(16, 1, "I2C_Address", format!("seven-bit address 0x{:02x}", zone.i2c_address())),
        field(17, 1, "Reserved", String::new()),
        field(18, 1, "CountMatch", slot_or("the last count for limited keys is in", zone.count_match())),
        field(19, 1, "ChipMode", format!("clock {:?}, {}", zone.clock_divider(), zone.chip_mode())),
    ];
    fields.extend(slots().map(|slot| {
        let what = describe(zone, slot);
        let may = if what.may.is_empty() { "nothing".into() } else { what.may.join(", ") };
        field(20 + place(slot), 2, &format!("SlotConfig[{slot}]"), format!("{}; may {may}", what.holds))
    }));
    fields.extend([
        field(52, 8, "Counter[0]", count(zone, CounterId::Counter0)),
        field(60, 8, "Counter[1]", count(zone, CounterId::Counter1)),
        field(68, 1, "UseLock", slot_or("first comes the key in", zone.use_lock())),
        field(
            69,
            1,
            "VolatileKeyPermission",
            slot_or("the latch is set with", zone.volatile_key_permission()),
        ),
        field(70, 2, "SecureBoot", zone.secure_boot().to_string()),
        field(72, 1, "KdfIvLoc", format!("HKDF: place {} of the message", zone.kdf_iv().location)),
        field(73, 2, "KdfIvStr", "HKDF: what stands there".into()),
        field(75, 9, "Reserved", String::new()),
        field(84, 1, "UserExtra", once(zone.user_extra())),
        field(85, 1, "UserExtraAdd", once(zone.user_extra_add())),
        field(86, 1, "LockValue", lock("data and OTP zones", zone.is_data_locked())),
        field(87, 1, "LockConfig", lock("this zone", zone.is_configuration_locked())),
        field(88, 2, "SlotLocked", slots_locked(zone)),
        field(90, 2, "ChipOptions", zone.chip_options().to_string()),
        field(92, 4, "X509format", "certificates whose keys Verify accepts; zero is none".into()),
    ]);
    fields.extend(slots().map(|slot| {
        let meaning = zone.key_properties(slot).to_string();
        field(96 + place(slot), 2, &format!("KeyConfig[{slot}]"), meaning)
    }));
    debug_assert_eq!(
        fields.iter().map(|field| field.last + 1 - field.first).sum::<usize>(),
        CONFIGURATION_ZONE
    );
    fields
}

fn on_or_off(what: &str, is_on: bool) -> String {
    format!("{what} is {}", if is_on { "on" } else { "off" })
}

fn slot_or(words: &str, slot: Option<Slot>) -> String {
    slot.map_or_else(|| "off".into(), |slot| format!("{words} slot {slot}"))
}

fn count(zone: &Configuration, counter: CounterId) -> String {
    zone.counter(counter).value().map_or_else(|| "not a count".into(), |value| format!("counted to {value}"))
}

fn once(byte: u8) -> String {
    if byte == 0 { "free; can be written once" } else { "written" }.into()
}

fn lock(what: &str, is_locked: bool) -> String {
    format!("{what}: {}", if is_locked { "locked" } else { "NOT locked" })
}

fn slots_locked(zone: &Configuration) -> String {
    let slots = (0..16).filter_map(Slot::new).filter(|&slot| zone.is_slot_locked(slot));
    let slots: Vec<String> = slots.map(|slot| slot.to_string()).collect();
    if slots.is_empty() {
        "no slot is locked by itself".into()
    } else {
        format!("locked: {}", slots.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_cover_the_zone_without_gap() {
        let fields = explain(&Configuration::from_bytes([0x55; CONFIGURATION_ZONE]));
        let mut next = 0;
        for field in fields {
            assert_eq!(field.first, next, "{}", field.name);
            next = field.last + 1;
        }
        assert_eq!(next, CONFIGURATION_ZONE);
    }
}
