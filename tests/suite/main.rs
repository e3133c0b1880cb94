//! The product from outside: real programs as processes, real data, and the rules of the house.
//!
//! Everything here sees the workspace as a user does. Programs that are not Rust come from Debian;
//! `tests/run` installs them.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod bench;
mod bridge;
mod c_surface;
mod cache;
mod clients;
mod cloud;
mod configuration;
mod doctor;
mod economy;
mod emulator_file;
mod gateway;
mod house;
mod kernel;
mod left_alone;
mod link;
mod load;
mod lock;
mod manifest;
mod mistakes;
mod mosquitto;
mod openssl;
mod operation;
mod pkcs11;
mod pkcs11_tool;
mod readme;
mod real_chips;
mod shared_bus;
mod shell;
mod support;
mod swap;
mod tools;
mod two_chips;
mod vendor;
mod verbs;
