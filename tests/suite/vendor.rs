//! Microchip's own library, as it is on PyPI, on the emulated chip: what it takes for a chip is one.
//!
//! It opens /dev/i2c-1, which the preload library puts in front of the emulated bus. It is required: where it is
//! missing, these tests fail and say that `tests/run` installs it.

mod aes_modes;
mod algorithms;
mod certificates;
mod derivation;
mod i2c_dev;
mod identity;
mod library;
mod memory;
mod openssl;
mod personalities;
mod private_keys;
mod replica;
mod secrets;
mod signatures;
mod statements;
mod test_part;
mod transcripts;

pub(crate) use library::python;
