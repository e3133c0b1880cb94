//! Signs digests in a loop and prints, per line, the digest and the signature in hexadecimal.
//!
//! `sign-many DEVICE COUNT SEED` goes through the token: the production driver and lock.
//! `sign-many --no-lock SOCKET COUNT SEED` drives the bus on the socket without any lock, which is wrong; it
//! shows what the lock is for. A signature that failed is printed as `error: REASON`.

use std::{path::Path, process::ExitCode};

use atecc::{
    Device, Slot,
    i2c::{I2cTransport, TRUST_AND_GO_ADDRESS},
};
use atecc_emulator::{Clock, socket::SocketBus};
use atecc_token::Token;
use clap::Parser;

/// Signs digests in a loop and prints, per line, the digest and the signature in hexadecimal.
#[derive(Debug, Parser)]
#[command(name = "sign-many")]
struct Arguments {
    /// Drives the bus on the socket DEVICE without any lock, which is wrong; it shows what the lock is for.
    #[arg(long = "no-lock")]
    is_unlocked: bool,
    /// The device's name for the token, or the socket.
    device: String,
    /// How many digests.
    count: u32,
    /// Another one gives other digests.
    seed: u32,
}

fn main() -> ExitCode {
    let Arguments { is_unlocked, device, count, seed } = Arguments::parse();
    let sign = if is_unlocked { unlocked } else { locked };
    match sign(&device, count, seed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sign-many: {error}");
            ExitCode::FAILURE
        }
    }
}

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn locked(device: &str, count: u32, seed: u32) -> Result<()> {
    let token = Token::open(&device.parse()?)?;
    for digest in digests(count, seed) {
        print(&digest, token.sign(Slot::PRIMARY_KEY, &digest));
    }
    Ok(())
}

fn unlocked(socket: &str, count: u32, seed: u32) -> Result<()> {
    let bus = SocketBus::connect(Path::new(socket))?;
    let mut device = Device::new(I2cTransport::new(bus, Clock::real(), TRUST_AND_GO_ADDRESS));
    for digest in digests(count, seed) {
        print(&digest, device.sign(Slot::PRIMARY_KEY, &digest));
    }
    Ok(())
}

/// As many different digests as asked for; another seed gives others.
fn digests(count: u32, seed: u32) -> impl Iterator<Item = [u8; 32]> {
    (0..count).map(move |index| {
        let mut digest = [0x3c; 32];
        digest[..4].copy_from_slice(&seed.to_be_bytes());
        digest[4..8].copy_from_slice(&index.to_be_bytes());
        digest
    })
}

fn print<E: std::fmt::Display>(digest: &[u8; 32], signature: std::result::Result<atecc::Signature, E>) {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    match signature {
        Ok(signature) => println!("{} {}", hex(digest), hex(signature.as_bytes())),
        Err(error) => println!("error: {error}"),
    }
}
