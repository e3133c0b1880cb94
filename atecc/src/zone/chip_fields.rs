//! The fields of the configuration zone that concern the whole chip (section 2.1, table 2-3).

use core::fmt;

use crate::Slot;

/// ChipMode, byte 19.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChipMode(pub(super) u8);

impl ChipMode {
    /// Bit 0: UserExtraAdd, once it is not zero, is the I2C address.
    pub const fn alternate_address(self) -> bool {
        self.0 & 0x01 != 0
    }

    /// Bit 1: the levels of the inputs follow the supply (TTLenable) instead of a fixed reference.
    pub const fn supply_levels(self) -> bool {
        self.0 & 0x02 != 0
    }

    /// Bit 2: the watchdog takes about ten seconds instead of 1.3.
    pub const fn long_watchdog(self) -> bool {
        self.0 & 0x04 != 0
    }
}

impl fmt::Display for ChipMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "watchdog {}, input levels {}, I2C address {}",
            if self.long_watchdog() { "long" } else { "1.3 s" },
            if self.supply_levels() { "from the supply" } else { "fixed" },
            if self.alternate_address() { "may be changed once" } else { "fixed" },
        )
    }
}

/// ChipOptions, bytes 90 and 91.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChipOptions(pub(super) u16);

impl ChipOptions {
    /// Bit 0: self tests run at power-on and wake.
    pub const fn power_on_self_test(self) -> bool {
        self.0 & 0x0001 != 0
    }

    /// Bits 15:12, if bit 1 enables it: the slot of the IO protection key.
    pub const fn io_protection_key(self) -> Option<Slot> {
        if self.0 & 0x0002 != 0 { Some(Slot::from_low_bits(self.0 >> 12)) } else { None }
    }

    /// Bit 2: KDF may use AES.
    pub const fn kdf_aes(self) -> bool {
        self.0 & 0x0004 != 0
    }

    /// Bit 3: a failed health test is forgotten after the command that it failed.
    pub const fn clears_health_failure(self) -> bool {
        self.0 & 0x0008 != 0
    }

    /// Bits 9:8: how the result of ECDH may leave the chip.
    pub const fn ecdh_protection(self) -> OutputProtection {
        OutputProtection::from_low_bits(self.0 >> 8)
    }

    /// Bits 11:10: how the result of KDF may leave the chip.
    pub const fn kdf_protection(self) -> OutputProtection {
        OutputProtection::from_low_bits(self.0 >> 10)
    }
}

impl fmt::Display for ChipOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.io_protection_key() {
            Some(slot) => write!(f, "IO protection key in slot {slot}")?,
            None => f.write_str("no IO protection key")?,
        }
        write!(f, ", ECDH {}, KDF {}", self.ecdh_protection().describe(), self.kdf_protection().describe())?;
        f.write_str(if self.kdf_aes() { ", KDF with AES" } else { "" })?;
        f.write_str(if self.power_on_self_test() { ", self test at power-on" } else { "" })
    }
}

/// How a derived secret may leave the chip.
///
/// The data sheets explain 0 only; 1 means encrypted for ECDH (section 5.2.1.1, note), the rest is that of the
/// family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputProtection {
    /// 0: in clear text, if the command says so.
    CallersChoice,
    /// 1: encrypted with the IO protection key.
    Encrypted,
    /// 2: not at all, into a slot or TempKey only.
    Kept,
    /// 3: not at all.
    Forbidden,
}

impl OutputProtection {
    const fn from_low_bits(bits: u16) -> Self {
        match bits & 0x03 {
            0 => Self::CallersChoice,
            1 => Self::Encrypted,
            2 => Self::Kept,
            _ => Self::Forbidden,
        }
    }

    /// A few words for a table.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::CallersChoice => "output clear or encrypted",
            Self::Encrypted => "output encrypted",
            Self::Kept => "output stays in the chip",
            Self::Forbidden => "output forbidden",
        }
    }
}

/// SecureBoot, bytes 70 and 71.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecureBootConfig(pub(super) u16);

impl SecureBootConfig {
    /// Bits 1:0.
    pub const fn mode(self) -> SecureBootMode {
        match self.0 & 0x03 {
            0 => SecureBootMode::Disabled,
            1 => SecureBootMode::FullBoth,
            2 => SecureBootMode::FullSignature,
            _ => SecureBootMode::FullDigest,
        }
    }

    /// Bit 2: success sets the persistent latch. (The vendor's driver has a constant for bit 3; the data sheet
    /// of TFLXTLS, table 2-3, shows bit 2.)
    pub const fn sets_latch(self) -> bool {
        self.0 & 0x04 != 0
    }

    /// Bit 3: the nonce must be random.
    pub const fn needs_random_nonce(self) -> bool {
        self.0 & 0x08 != 0
    }

    /// Bits 11:8: the slot of the stored digest or signature.
    pub const fn digest(self) -> Slot {
        Slot::from_low_bits(self.0 >> 8)
    }

    /// Bits 15:12: the slot of the public key.
    pub const fn public_key(self) -> Slot {
        Slot::from_low_bits(self.0 >> 12)
    }
}

impl fmt::Display for SecureBootConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.mode() {
            SecureBootMode::Disabled => return f.write_str("disabled"),
            SecureBootMode::FullBoth => "digest and signature each time",
            SecureBootMode::FullSignature => "signature stored",
            SecureBootMode::FullDigest => "digest stored",
        })?;
        write!(f, " in slot {}, public key in slot {}", self.digest(), self.public_key())?;
        f.write_str(if self.sets_latch() { ", sets the latch" } else { "" })
    }
}

/// What SecureBoot wants to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecureBootMode {
    /// 0: the command is disabled.
    Disabled,
    /// 1: digest and signature each time.
    FullBoth,
    /// 2: the signature is stored.
    FullSignature,
    /// 3: the verified digest is stored.
    FullDigest,
}

/// KdfIvLoc and KdfIvStr, bytes 72 to 74: what HKDF's special message must hold, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KdfIv {
    /// Index of the string in the message.
    pub location: u8,
    /// The string.
    pub string: [u8; 2],
}

/// The two monotonic counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CounterId {
    /// Counter\[0\], which keys of limited use count on.
    Counter0 = 0,
    /// Counter\[1\].
    Counter1 = 1,
}

/// The eight bytes of a counter in the configuration zone: two 16-bit strips of ones that are shifted out, then
/// two 16-bit numbers of how often each strip was renewed, all big-endian. The even and the odd half take
/// turns, so that a power failure loses no count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CounterField(pub(super) [u8; 8]);

impl CounterField {
    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }

    /// The count, 0 to 2,097,151, if the bytes are those of one. The Counter command is the authority.
    pub const fn value(&self) -> Option<u32> {
        let [a_high, a_low, b_high, b_low, n_high, n_low, m_high, m_low] = self.0;
        let strip_a = u16::from_be_bytes([a_high, a_low]);
        let strip_b = u16::from_be_bytes([b_high, b_low]);
        let times_a = u16::from_be_bytes([n_high, n_low]) as u32;
        let times_b = u16::from_be_bytes([m_high, m_low]) as u32;
        let (shifted_a, shifted_b) = (strip_a.leading_zeros(), strip_b.leading_zeros());
        if strip_a.count_ones() + shifted_a != 16 || strip_b.count_ones() + shifted_b != 16 {
            return None;
        }
        // The first strip counts 1 to 16 of each 32, the second 17 to 32.
        let value = if shifted_a < 16 { times_a * 32 + shifted_a } else { times_a * 32 + 16 + shifted_b };
        if value > 2_097_151 || times_b > times_a { None } else { Some(value) }
    }
}
