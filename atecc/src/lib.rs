//! Driver of the Microchip ATECC608A/B secure element, without `std`, allocation or a clock of its own.
//!
//! Data flows one way: a typed [`command`] becomes a [`packet::Packet`]; a list of packets goes through a
//! [`Transport`] as one transaction, from sleep to sleep; the responses become typed again. [`Device`] names
//! the sequences that a caller wants ("sign this digest") and knows which packets they take.
//!
//! ```
//! # fn sign<I: embedded_hal::i2c::I2c, D: embedded_hal::delay::DelayNs>(bus: I, delay: D) -> Result<(), atecc::Error<atecc::i2c::Error<I::Error>>> {
//! use atecc::{Device, Slot, i2c::I2cTransport};
//!
//! // The address of Trust&GO parts; the bus at 100 kHz or slower, so that its zero byte wakes the chip.
//! let mut chip = Device::new(I2cTransport::new(bus, delay, atecc::i2c::TRUST_AND_GO_ADDRESS));
//! let digest = [0x5a; 32];
//! let signature = chip.sign(Slot::PRIMARY_KEY, &digest)?;
//! let key = chip.public_key(Slot::PRIMARY_KEY)?;
//! assert!(key.verify(&digest, &signature));
//! # Ok(()) }
//! ```
//!
//! Section and table numbers in the documentation are those of the data sheet of the ATECC608A-TNGTLS,
//! DS40002112B, unless another document is named.
#![no_std]
#![forbid(unsafe_code)]

pub mod certificate;
pub mod command;
pub mod host;
pub mod i2c;
pub mod irreversible;
pub mod kit;
pub mod link;
pub mod packet;
pub mod profile;
pub mod request;
pub mod transport;
pub mod zone;

mod crypto;
mod device;
mod error;
mod secret;
mod status;

pub use crypto::{Digest, PublicKey, Signature};
pub use device::{Attestation, Device, SharedKey};
pub use error::{Error, ResponseError};
pub use irreversible::Irreversible;
pub use secret::Secret;
pub use status::Status;
pub use transport::{Responses, Transport, Wanted};
pub use zone::{Configuration, SerialNumber, Slot};
