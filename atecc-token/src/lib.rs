//! "Give me the token this string names."
//!
//! A [`DeviceSpec`] says where a chip is; [`Token::open`] opens the way there. A token is shared by any number
//! of threads, and the chip behind it by any number of processes: each transaction takes the lock of the bus.
//! What the chip cannot change (its serial number, the primary key, its certificates) is read once, and kept in the
//! user's cache for the next process. Every signature is checked against the public key before it is handed out.
//!
//! [`Config`] is the file atecc.toml: which devices there are, and which [slots](SlotRule) beside the first are shown
//! or may get new keys. Without a rule [`Token::objects`] shows the primary key with its certificates, symmetric keys,
//! data and counters.
//!
//! ```no_run
//! # fn main() -> Result<(), atecc_token::Error> {
//! use atecc::Slot;
//! use atecc_token::{Token, default_device};
//!
//! // --device, ATECC_DEVICE or /etc/atecc/atecc.toml.
//! let token = Token::open(&default_device(None)?)?;
//! let signature = token.sign(Slot::PRIMARY_KEY, &[0x5a; 32])?;
//! # Ok(()) }
//! ```
#![forbid(unsafe_code)]

mod bus;
mod cache;
mod config;
mod error;
mod identity;
mod lock;
mod object;
mod probe;
mod refusal;
mod serial;
mod spec;
mod statistics;
mod token;

pub use bus::{BusFault, LinuxFault, TransportError};
pub use config::{
    CONFIG_FILE, CONFIG_VARIABLE, Config, DEVICE_VARIABLE, SlotRule, default_device, default_devices,
    trusted_variable,
};
pub use error::Error;
pub use identity::Certificates;
pub use lock::LockError;
pub use object::{CertificateRole, Object, ObjectKind, SecretAlgorithm, Uses};
pub use probe::{Probe, VENDOR_ADDRESSES, probe};
pub use refusal::Refusal;
pub use serial::{BridgeServer, DEFAULT_RATE, ServeError};
pub use spec::{DeviceSpec, SpecError};
pub use statistics::Statistics;
pub use token::Token;
