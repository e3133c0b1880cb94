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
//! It knows all commands of the ATECC608 with the rules of SlotConfig, KeyConfig and the locks, and everything
//! that sleep and a loss of power erase. Where the public data sheets are silent it does what the vendor's
//! driver expects; such places say so.
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
mod memory;
mod meter;
mod storage;

pub use bus::{Bus, BusError};
pub use chip::{Chip, Pace, PowerCut, Watchdog};
pub use clock::Clock;
pub use eeprom::Eeprom;
pub use file::{EepromFile, FileError};
pub use meter::{Figures, Meter};
pub use storage::Storage;
