//! The product from outside: real programs as processes, real data, and the rules of the house.
//!
//! Everything here sees the workspace as a user does. Programs that are not Rust come from Debian;
//! `tests/run` installs them.

mod house;
mod mistakes;
mod mosquitto;
mod openssl;
mod pkcs11_tool;
mod real_chips;
mod shared_bus;
mod support;
