//! Configuration zones from the tables of the data sheets.

use atecc::{Configuration, zone::CONFIGURATION_ZONE};

use super::{ProvisionError, factory::random};

/// What tells one product's configuration zone from another's (section 2.1 of their data sheets). The rest is
/// the same in all of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// The last byte of RevNum: 02 is an ATECC608A, 03 an ATECC608B.
    pub(super) revision: u8,
    /// SN\[8\], which stands for the product's maker.
    pub(super) last_of_serial: u8,
    /// I2C_Address, byte 16.
    pub(super) i2c_address: u8,
    /// SecureBoot, bytes 70 and 71.
    pub(super) secure_boot: [u8; 2],
    /// ChipOptions, bytes 90 and 91.
    pub(super) chip_options: [u8; 2],
    /// SlotConfig and KeyConfig of each slot.
    pub(super) slots: [(u16, u16); 16],
}

impl Layout {
    /// The zone of a locked part, its serial number zero but for the first two bytes and the last.
    pub(super) const fn zone(&self) -> [u8; CONFIGURATION_ZONE] {
        let mut zone = [0; CONFIGURATION_ZONE];
        zone[0] = 0x01;
        zone[1] = 0x23;
        zone[6] = 0x60;
        zone[7] = self.revision;
        zone[12] = self.last_of_serial;
        // AES_Enable; I2C_Enable as on a real part; ChipMode: the I2C address may be changed once.
        zone[13] = 0x01;
        zone[14] = 0x29;
        zone[16] = self.i2c_address;
        zone[19] = 0x01;
        let mut slot = 0;
        while slot < self.slots.len() {
            let (slot_config, key_config) = self.slots[slot];
            [zone[20 + 2 * slot], zone[21 + 2 * slot]] = slot_config.to_le_bytes();
            [zone[96 + 2 * slot], zone[97 + 2 * slot]] = key_config.to_le_bytes();
            slot += 1;
        }
        // Counters at zero, KdfIvStr, no slot locked by itself.
        let ones = [52, 53, 54, 55, 60, 61, 62, 63, 88, 89];
        let mut index = 0;
        while index < ones.len() {
            zone[ones[index]] = 0xff;
            index += 1;
        }
        [zone[70], zone[71]] = self.secure_boot;
        [zone[73], zone[74]] = *b"iv";
        [zone[90], zone[91]] = self.chip_options;
        zone
    }
}

/// The zone with a serial number of its own.
pub(super) fn numbered(mut zone: [u8; CONFIGURATION_ZONE]) -> Result<Configuration, ProvisionError> {
    let unique: [u8; 6] = random()?;
    zone[2..4].copy_from_slice(&unique[..2]);
    zone[8..12].copy_from_slice(&unique[2..]);
    Ok(Configuration::from_bytes(zone))
}
