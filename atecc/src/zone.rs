//! The configuration zone as typed fields, and the slots of the data zone (section 2).

mod chip_fields;
mod key_config;
mod slot_config;
mod slot_summary;
#[cfg(test)]
mod tests;

use core::fmt;

pub use chip_fields::{
    ChipMode, ChipOptions, CounterField, CounterId, KdfIv, OutputProtection, SecureBootConfig, SecureBootMode,
};
pub use key_config::{KeyConfig, KeyType};
pub use slot_config::{PrivateKeyUse, ReadAccess, SlotConfig, WriteAccess, WriteConfig};
pub use slot_summary::SlotSummary;

/// Bytes of the configuration zone.
pub const CONFIGURATION_ZONE: usize = 128;
/// Bytes of the one-time-programmable zone.
pub const OTP_ZONE: usize = 64;

/// One of the sixteen slots of the data zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u8);

impl Slot {
    /// Slot 0: the primary private key of Trust&GO parts.
    pub const PRIMARY_KEY: Self = Self(0);

    /// The slot with this number, if there is one.
    pub const fn new(number: u8) -> Option<Self> {
        if number < 16 { Some(Self(number)) } else { None }
    }

    /// The slot that the lowest four bits of a field name.
    const fn from_low_bits(bits: u16) -> Self {
        Self((bits & 0x0f) as u8)
    }

    /// 0 to 15.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Bytes in this slot: 36, 416 or 72 (section 4.4.3).
    pub const fn size(self) -> usize {
        match self.0 {
            0..=7 => 36,
            8 => 416,
            _ => 72,
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The nine-byte serial number of a chip; Microchip's parts begin with 01 23 and Trust&GO ends with 01.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SerialNumber([u8; 9]);

impl SerialNumber {
    /// The serial number with these nine bytes.
    pub const fn from_bytes(bytes: [u8; 9]) -> Self {
        Self(bytes)
    }

    /// SN\[0:8\].
    pub const fn as_bytes(&self) -> &[u8; 9] {
        &self.0
    }

    /// Eighteen upper-case hexadecimal digits in ASCII, as certificates and labels carry them.
    pub fn to_hex(&self) -> [u8; 18] {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        let mut text = [0; 18];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 0x0f)];
        }
        text
    }
}

impl fmt::Display for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl fmt::Debug for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SerialNumber({self})")
    }
}

/// The 128 bytes of the configuration zone (section 2.1).
#[derive(Clone, PartialEq, Eq)]
pub struct Configuration([u8; CONFIGURATION_ZONE]);

impl Configuration {
    /// The zone with these bytes.
    pub const fn from_bytes(bytes: [u8; CONFIGURATION_ZONE]) -> Self {
        Self(bytes)
    }

    /// All 128 bytes.
    pub const fn as_bytes(&self) -> &[u8; CONFIGURATION_ZONE] {
        &self.0
    }

    /// SN\[0:3\] (bytes 0 to 3) and SN\[4:8\] (bytes 8 to 12).
    pub fn serial_number(&self) -> SerialNumber {
        let mut serial = [0; 9];
        serial[..4].copy_from_slice(&self.0[..4]);
        serial[4..].copy_from_slice(&self.0[8..13]);
        SerialNumber(serial)
    }

    /// RevNum, bytes 4 to 7.
    pub fn revision(&self) -> Revision {
        Revision([self.0[4], self.0[5], self.0[6], self.0[7]])
    }

    /// The seven-bit I2C address, from I2C_Address (byte 16), whose lowest bit is not used.
    pub fn i2c_address(&self) -> u8 {
        self.0[16] >> 1
    }

    /// The execution-time class of bits 7:3 of ChipMode (byte 19).
    pub fn clock_divider(&self) -> ClockDivider {
        match self.0[19] >> 3 {
            0x00 => ClockDivider::M0,
            0x05 => ClockDivider::M1,
            _ => ClockDivider::M2,
        }
    }

    /// SlotConfig of `slot` (bytes 20 to 51), little-endian on the chip.
    pub fn slot_config(&self, slot: Slot) -> u16 {
        self.word(20 + 2 * usize::from(slot.0))
    }

    /// KeyConfig of `slot` (bytes 96 to 127), little-endian on the chip.
    pub fn key_config(&self, slot: Slot) -> u16 {
        self.word(96 + 2 * usize::from(slot.0))
    }

    /// Whether the configuration zone is locked: LockConfig (byte 87) is no longer 0x55.
    pub fn is_configuration_locked(&self) -> bool {
        self.0[87] != UNLOCKED
    }

    /// Whether the data and OTP zones are locked: LockValue (byte 86) is no longer 0x55.
    pub fn is_data_locked(&self) -> bool {
        self.0[86] != UNLOCKED
    }

    /// Whether `slot` was locked by itself: its bit in SlotLocked (bytes 88 and 89) is cleared.
    pub fn is_slot_locked(&self, slot: Slot) -> bool {
        self.word(88) >> slot.0 & 1 == 0
    }

    /// SlotConfig of `slot` as typed fields.
    pub fn slot_rules(&self, slot: Slot) -> SlotConfig {
        SlotConfig::from_bits(self.slot_config(slot))
    }

    /// KeyConfig of `slot` as typed fields.
    pub fn key_properties(&self, slot: Slot) -> KeyConfig {
        KeyConfig::from_bits(self.key_config(slot))
    }

    /// What `slot` holds and may do, in one line.
    pub const fn slot_summary(&self, slot: Slot) -> SlotSummary<'_> {
        SlotSummary { configuration: self, slot }
    }

    /// AES_Enable, bit 0 of byte 13: whether the AES command works.
    pub fn is_aes_enabled(&self) -> bool {
        self.0[13] & 0x01 != 0
    }

    /// I2C_Enable, bit 0 of byte 14: whether the interface is I2C and not the single wire.
    pub fn is_i2c_enabled(&self) -> bool {
        self.0[14] & 0x01 != 0
    }

    /// CountMatch, byte 18: the slot whose first bytes hold the last count for keys of limited use, if enabled.
    pub fn count_match(&self) -> Option<Slot> {
        (self.0[18] & 0x01 != 0).then(|| Slot::from_low_bits(u16::from(self.0[18] >> 4)))
    }

    /// ChipMode, byte 19.
    pub fn chip_mode(&self) -> ChipMode {
        ChipMode(self.0[19])
    }

    /// Counter\[0\] or Counter\[1\], bytes 52 to 59 or 60 to 67, as they lie in the zone.
    pub fn counter(&self, counter: CounterId) -> CounterField {
        let start = 52 + 8 * counter as usize;
        let mut field = [0; 8];
        field.copy_from_slice(&self.0[start..start + 8]);
        CounterField(field)
    }

    /// UseLock, byte 68: the slot whose key has to be used before others, if enabled (0xA in bits 3:0).
    pub fn use_lock(&self) -> Option<Slot> {
        (self.0[68] & 0x0f == 0x0a).then(|| Slot::from_low_bits(u16::from(self.0[68] >> 4)))
    }

    /// VolatileKeyPermission, byte 69: the slot whose key sets the persistent latch, if bit 7 enables it.
    pub fn volatile_key_permission(&self) -> Option<Slot> {
        (self.0[69] & 0x80 != 0).then(|| Slot::from_low_bits(u16::from(self.0[69])))
    }

    /// SecureBoot, bytes 70 and 71.
    pub fn secure_boot(&self) -> SecureBootConfig {
        SecureBootConfig(self.word(70))
    }

    /// KdfIvLoc and KdfIvStr, bytes 72 to 74.
    pub fn kdf_iv(&self) -> KdfIv {
        KdfIv { location: self.0[72], string: [self.0[73], self.0[74]] }
    }

    /// UserExtra, byte 84; can be set once while it is zero.
    pub fn user_extra(&self) -> u8 {
        self.0[84]
    }

    /// UserExtraAdd, byte 85; can be set once while it is zero. See [`ChipMode::alternate_address`].
    pub fn user_extra_add(&self) -> u8 {
        self.0[85]
    }

    /// ChipOptions, bytes 90 and 91.
    pub fn chip_options(&self) -> ChipOptions {
        ChipOptions(self.word(90))
    }

    /// X509format, bytes 92 to 95: how public keys are checked for certificates; zero is not at all.
    pub fn x509_format(&self) -> [u8; 4] {
        [self.0[92], self.0[93], self.0[94], self.0[95]]
    }

    /// The seven-bit I2C address that the chip answers at: UserExtraAdd where ChipMode says so and it is set,
    /// else I2C_Address (section 2.1.1).
    pub fn effective_i2c_address(&self) -> u8 {
        if self.chip_mode().alternate_address() && self.user_extra_add() != 0 {
            self.user_extra_add() >> 1
        } else {
            self.i2c_address()
        }
    }

    /// The CRC-16 of the whole zone, which locks it with
    /// [`Device::lock_configuration`](crate::Device::lock_configuration).
    pub fn summary(&self) -> u16 {
        u16::from_le_bytes(crate::packet::crc16(&self.0))
    }

    fn word(&self, index: usize) -> u16 {
        u16::from_le_bytes([self.0[index], self.0[index + 1]])
    }
}

impl fmt::Debug for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Configuration(")?;
        crate::crypto::hex(&self.0, f)?;
        f.write_str(")")
    }
}

/// The value of LockConfig and LockValue in a part that is not locked.
const UNLOCKED: u8 = 0x55;

/// The silicon revision: what Info answers and RevNum holds (sections 2.1 and 5.1.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revision(pub [u8; 4]);

impl Revision {
    /// The name of the part; 0x60 in the third byte is the ATECC608 and the last byte tells A from B.
    pub fn part(self) -> &'static str {
        match self.0[2..] {
            [0x60, 0x00..=0x02] => "ATECC608A",
            [0x60, _] => "ATECC608B",
            _ => "unknown part",
        }
    }
}

/// Speed class of the chip's clock, set in ChipMode\[7:3\]: how long commands take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClockDivider {
    /// 0x00: the fastest, and what Trust&GO parts have.
    #[default]
    M0,
    /// 0x05.
    M1,
    /// 0x0D: the slowest.
    M2,
}
