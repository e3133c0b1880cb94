//! The emulated bus on a Unix socket: what `atecc emulator serve` offers and `emulator:unix:SOCKET` uses.
//!
//! It is the bus that is shared, not the chip: a transfer is atomic, a sequence of them is not. As on a real
//! bus, users need a lock between them.

mod client;
mod server;
mod wire;

pub use client::SocketBus;
pub use server::{MAX_CLIENTS, ServeError, Server};
