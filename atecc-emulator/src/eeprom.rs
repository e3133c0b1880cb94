//! The memory that survives: configuration zone, OTP zone, sixteen slots.

use atecc::{
    Configuration, Slot,
    zone::{CONFIGURATION_ZONE, OTP_ZONE},
};
use zeroize::Zeroize;

/// Bytes of the data zone: eight slots of 36, one of 416, seven of 72 (section 4.4.3).
const DATA_ZONE: usize = 8 * 36 + 416 + 7 * 72;
/// Bytes of all three zones.
pub(crate) const EEPROM: usize = CONFIGURATION_ZONE + OTP_ZONE + DATA_ZONE;

/// The EEPROM of one chip: 1400 bytes, in the order configuration, OTP, slots 0 to 15.
///
/// It holds private keys: it is wiped when dropped, and does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Eeprom([u8; EEPROM]);

impl Eeprom {
    /// An EEPROM with this configuration zone, and zeros elsewhere.
    pub const fn new(configuration: &Configuration) -> Self {
        let mut bytes = [0; EEPROM];
        bytes.split_at_mut(CONFIGURATION_ZONE).0.copy_from_slice(configuration.as_bytes());
        Self(bytes)
    }

    pub(crate) const fn from_bytes(bytes: [u8; EEPROM]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; EEPROM] {
        &self.0
    }

    /// Sets one byte and gives the one that was there; `None` behind the end.
    pub(crate) fn set(&mut self, position: usize, byte: u8) -> Option<u8> {
        self.0.get_mut(position).map(|place| core::mem::replace(place, byte))
    }

    /// The configuration zone.
    pub fn configuration(&self) -> Configuration {
        let mut zone = [0; CONFIGURATION_ZONE];
        zone.copy_from_slice(&self.0[..CONFIGURATION_ZONE]);
        Configuration::from_bytes(zone)
    }

    /// The data zone, all slots one after the other, and the OTP zone: what the CRC of Lock is taken over.
    pub(crate) fn data_and_otp(&self) -> impl Iterator<Item = u8> {
        let (otp, data) = self.0[CONFIGURATION_ZONE..].split_at(OTP_ZONE);
        data.iter().chain(otp).copied()
    }

    /// The OTP zone, 64 bytes.
    pub fn otp(&self) -> &[u8] {
        &self.0[CONFIGURATION_ZONE..][..OTP_ZONE]
    }

    /// The OTP zone, 64 bytes, as the factory writes it.
    pub fn otp_mut(&mut self) -> &mut [u8] {
        &mut self.0[CONFIGURATION_ZONE..][..OTP_ZONE]
    }

    /// What `slot` holds: 36, 416 or 72 bytes.
    pub fn slot(&self, slot: Slot) -> &[u8] {
        &self.0[slot_start(slot)..][..slot.size()]
    }

    /// What `slot` holds, as the factory writes it.
    pub fn slot_mut(&mut self, slot: Slot) -> &mut [u8] {
        &mut self.0[slot_start(slot)..][..slot.size()]
    }
}

impl Drop for Eeprom {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl core::fmt::Debug for Eeprom {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Eeprom({}, keys [REDACTED])", self.configuration().serial_number())
    }
}

/// Where `slot` begins.
pub(crate) fn slot_start(slot: Slot) -> usize {
    let before: usize = (0..slot.number()).filter_map(Slot::new).map(Slot::size).sum();
    CONFIGURATION_ZONE + OTP_ZONE + before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slots_fill_the_data_zone_without_gap_or_overlap() {
        let last = Slot::new(15).unwrap();
        assert_eq!(slot_start(Slot::PRIMARY_KEY), CONFIGURATION_ZONE + OTP_ZONE);
        assert_eq!(slot_start(last) + last.size(), EEPROM);
    }
}
