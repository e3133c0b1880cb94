//! An ATECC608 made of software: the chip from inside, on an emulated I2C bus.
//!
//! It is a product, not a mock: whoever has no hardware tries everything with it, and every test stands on it.
//! So it refuses what the chip refuses, with the chip's status codes; it is asleep until it is woken, deaf
//! while it is busy, and forgets when its watchdog expires. It executes commands with code of its own; with the
//! driver `atecc` it shares the types of packets, statuses and zones and the certificate templates, which
//! vectors from real chips guard.
//!
//! It cannot be taken for hardware: its certificates are issued by a test CA whose names say EMULATOR and
//! whose key is public ([`authority`]), and what is opened through it says so in its label.
//!
//! Way in: [`provision`] makes an [`Eeprom`], [`EepromFile`] keeps it in a file, [`Chip`] runs on it, [`Bus`]
//! puts the chip on an I2C bus, [`socket`] shares that bus between processes.
//!
//! Of the chip's commands this version knows Info, Read, Random, Nonce, GenKey (public), Sign (external) and
//! Verify (external); the others are answered with a parse error.
#![forbid(unsafe_code)]

pub mod authority;
pub mod provision;
pub mod socket;

mod bus;
mod chip;
mod clock;
mod command;
mod eeprom;
mod file;

pub use bus::{Bus, BusError};
pub use chip::{Chip, Pace};
pub use clock::Clock;
pub use eeprom::Eeprom;
pub use file::{EepromFile, FileError};
