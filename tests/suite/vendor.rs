//! Microchip's own library, as it is on PyPI, on the emulated chip: what it takes for a chip is one.
//!
//! It opens /dev/i2c-1, which the preload library puts in front of the emulated bus. It is required: where it is
//! missing, these tests fail and say that `tests/run` installs it.

mod algorithms;
mod certificates;
mod i2c_dev;
mod identity;
mod library;
mod memory;
mod openssl;
mod personalities;
mod replica;
mod signatures;
mod transcripts;
