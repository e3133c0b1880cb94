//! SlotConfig: who may read, write and use a slot.
//!
//! Section 2.2 gives the values of each slot and what they allow; the meaning of the single bits is that of the
//! family, as the vendor's driver names them.

use core::fmt;

use crate::Slot;

/// The two bytes of SlotConfig of one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotConfig(u16);

impl SlotConfig {
    /// The rules with this value, low byte first on the chip.
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// The value.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// ReadKey, bits 3:0: the slot of the key for encrypted reads. In a slot with a private key the same bits
    /// are [`PrivateKeyUse`].
    pub const fn read_key(self) -> Slot {
        Slot::from_low_bits(self.0)
    }

    /// What a private key may be used for: bits 3:0 of a slot with a private key.
    pub const fn private_key_use(self) -> PrivateKeyUse {
        PrivateKeyUse((self.0 & 0x0f) as u8)
    }

    /// NoMac, bit 4: MAC may not use this key, and CheckMac may not copy it.
    pub const fn no_mac(self) -> bool {
        self.bit(4)
    }

    /// LimitedUse, bit 5: each use counts on a monotonic counter until its match value.
    pub const fn limited_use(self) -> bool {
        self.bit(5)
    }

    /// EncryptRead, bit 6: reads are encrypted with ReadKey.
    pub const fn encrypt_read(self) -> bool {
        self.bit(6)
    }

    /// IsSecret, bit 7: no reads in clear text.
    pub const fn is_secret(self) -> bool {
        self.bit(7)
    }

    /// WriteKey, bits 11:8: the slot of the key for encrypted writes and the parent for DeriveKey.
    pub const fn write_key(self) -> Slot {
        Slot::from_low_bits(self.0 >> 8)
    }

    /// WriteConfig, bits 15:12.
    pub const fn write_config(self) -> WriteConfig {
        WriteConfig((self.0 >> 12) as u8)
    }

    /// How the data of the slot may be read once the data zone is locked.
    pub const fn reads(self) -> ReadAccess {
        match (self.is_secret(), self.encrypt_read()) {
            (false, _) => ReadAccess::Clear,
            (true, true) => ReadAccess::Encrypted,
            (true, false) => ReadAccess::Never,
        }
    }

    const fn bit(self, bit: u8) -> bool {
        self.0 >> bit & 1 == 1
    }
}

impl fmt::Display for SlotConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "read {}", self.reads().describe())?;
        if self.reads() == ReadAccess::Encrypted {
            write!(f, " with the key in slot {}", self.read_key())?;
        }
        write!(f, "; write {}", self.write_config().writes().describe())?;
        if self.write_config().writes() == WriteAccess::Encrypted {
            write!(f, " with the key in slot {}", self.write_key())?;
        }
        f.write_str(if self.limited_use() { "; limited use" } else { "" })?;
        f.write_str(if self.no_mac() { "; not for MAC" } else { "" })
    }
}

/// How a slot may be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadAccess {
    /// In clear text.
    Clear,
    /// Encrypted with ReadKey.
    Encrypted,
    /// Not at all.
    Never,
}

impl ReadAccess {
    /// One word for a table.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Encrypted => "encrypted",
            Self::Never => "never",
        }
    }
}

/// How a slot may be written by Write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteAccess {
    /// In clear text.
    Clear,
    /// In clear text while the public key in it is invalid (PubInvalid).
    ClearWhileInvalid,
    /// Encrypted with WriteKey.
    Encrypted,
    /// Not at all.
    Never,
}

impl WriteAccess {
    /// A few words for a table.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::ClearWhileInvalid => "clear while invalid",
            Self::Encrypted => "encrypted",
            Self::Never => "never",
        }
    }
}

/// WriteConfig: one value that Write, GenKey, PrivWrite and DeriveKey each read in their own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteConfig(u8);

impl WriteConfig {
    /// The four bits.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// What Write may do: 0000 always, 0001 while invalid, x1xx encrypted, the rest never.
    pub const fn writes(self) -> WriteAccess {
        match self.0 {
            0b0000 => WriteAccess::Clear,
            0b0001 => WriteAccess::ClearWhileInvalid,
            bits if bits & 0b0100 != 0 => WriteAccess::Encrypted,
            _ => WriteAccess::Never,
        }
    }

    /// Whether GenKey may make a new private key here: bit 1. (Slots 2 to 4 of Trust&GO have 0x2.)
    pub const fn allows_genkey(self) -> bool {
        self.0 & 0b0010 != 0
    }

    /// Whether PrivWrite may write an encrypted private key here: bit 2.
    pub const fn allows_privwrite(self) -> bool {
        self.0 & 0b0100 != 0
    }

    /// Whether DeriveKey may replace the key here: bit 1.
    pub const fn allows_derivekey(self) -> bool {
        self.0 & 0b0010 != 0
    }

    /// Whether DeriveKey wants a MAC: bit 3.
    pub const fn derivekey_needs_mac(self) -> bool {
        self.0 & 0b1000 != 0
    }

    /// Whether DeriveKey takes WriteKey as the parent, and not the slot itself: bit 0.
    pub const fn derivekey_from_parent(self) -> bool {
        self.0 & 0b0001 != 0
    }
}

/// What the private key in a slot may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrivateKeyUse(u8);

impl PrivateKeyUse {
    /// Bit 0: Sign of messages from outside.
    pub const fn signs_external(self) -> bool {
        self.0 & 0b0001 != 0
    }

    /// Bit 1: Sign of messages that GenKey or GenDig made.
    pub const fn signs_internal(self) -> bool {
        self.0 & 0b0010 != 0
    }

    /// Bit 2: ECDH.
    pub const fn allows_ecdh(self) -> bool {
        self.0 & 0b0100 != 0
    }

    /// Bit 3: the result of ECDH does not leave the chip in clear text.
    pub const fn keeps_ecdh_result(self) -> bool {
        self.0 & 0b1000 != 0
    }
}

impl fmt::Display for PrivateKeyUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uses = [
            (self.signs_external(), "sign"),
            (self.signs_internal(), "attest"),
            (self.allows_ecdh(), if self.keeps_ecdh_result() { "ECDH (result kept)" } else { "ECDH" }),
        ];
        let mut separator = "";
        for (_, name) in uses.iter().filter(|(allowed, _)| *allowed) {
            write!(f, "{separator}{name}")?;
            separator = ", ";
        }
        if separator.is_empty() { f.write_str("nothing") } else { Ok(()) }
    }
}
