//! ChipOptions, bytes 90 and 91 of the configuration zone (section 2.1).

use atecc::{Configuration, Slot};

/// The options of the whole chip.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChipOptions(u16);

/// Where a derived secret may go: ECDHPROT and KDFPROT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OutputRule {
    /// 0: anywhere.
    Clear,
    /// 1: out of the chip only encrypted.
    Encrypted,
    /// 2: not out of the chip.
    Internal,
    /// 3: not out of the volatile memory.
    Volatile,
}

impl ChipOptions {
    pub(super) fn of(configuration: &Configuration) -> Self {
        let bytes = configuration.as_bytes();
        Self(u16::from_le_bytes([bytes[90], bytes[91]]))
    }

    /// The slot of the IO protection key (bits 15:12), if that is enabled (bit 1).
    pub(super) fn io_protection_key(self) -> Option<Slot> {
        if self.0 & 0x0002 == 0 { None } else { Slot::new((self.0 >> 12) as u8) }
    }

    /// Bit 2: KDF in AES mode.
    pub(super) const fn is_kdf_aes_enabled(self) -> bool {
        self.0 & 0x0004 != 0
    }

    /// Bit 3: a health test failure is forgotten once it was told.
    pub(super) const fn clears_health_failure(self) -> bool {
        self.0 & 0x0008 != 0
    }

    /// ECDHPROT, bits 9:8.
    pub(super) const fn ecdh_output(self) -> OutputRule {
        output_rule(self.0 >> 8)
    }

    /// KDFPROT, bits 11:10.
    pub(super) const fn kdf_output(self) -> OutputRule {
        output_rule(self.0 >> 10)
    }
}

const fn output_rule(bits: u16) -> OutputRule {
    match bits & 0x03 {
        0 => OutputRule::Clear,
        1 => OutputRule::Encrypted,
        2 => OutputRule::Internal,
        _ => OutputRule::Volatile,
    }
}
