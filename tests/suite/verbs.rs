//! Each verb of `atecc` with an emulated chip; openssl says whether the result is right.

mod administration;
mod descriptions;
mod emulator;
mod generators;
mod keys;
mod random;
mod signatures;
mod verification;
