//! A USB adapter with an I2C bus and an emulated chip on it, for the kernel that this runs on.
//!
//! `kernel-bus EEPROM LOG`, as root, with the modules vhci-hcd and i2c-tiny-usb loaded. The kernel's virtual host
//! controller takes the device as if it were plugged in, the kernel's own driver for the adapter makes a /dev/i2c-N of
//! it, and whoever opens that talks to the chip in EEPROM. LOG gets a line for everything that happens on the bus.

mod adapter;
mod usbip;

use std::{
    fs,
    fs::File,
    os::{fd::AsRawFd, unix::net::UnixStream},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use atecc_emulator::{Bus, Chip, Clock, EepromFile, Pace};
use clap::Parser;

use self::adapter::Adapter;

/// Where the virtual host controller takes devices: port, descriptor of the socket, device number, speed.
const ATTACH: &str = "/sys/devices/platform/vhci_hcd.0/attach";
/// Bus 1, device 1, as USB/IP writes it.
const DEVICE_NUMBER: u32 = 0x0001_0001;
/// USB_SPEED_FULL of include/uapi/linux/usb/ch9.h.
const FULL_SPEED: u32 = 2;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A USB adapter with an I2C bus and an emulated chip on it, for the kernel that this runs on.
#[derive(Debug, Parser)]
#[command(name = "kernel-bus")]
struct Arguments {
    /// The file of the chip.
    eeprom: PathBuf,
    /// Gets a line for everything that happens on the bus.
    log: PathBuf,
}

fn main() -> ExitCode {
    let Arguments { eeprom, log } = Arguments::parse();
    match serve(&eeprom, &log) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kernel-bus: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(eeprom: &Path, log: &Path) -> Result<()> {
    let chip = Chip::from_file(EepromFile::open(eeprom, Duration::ZERO)?, Pace::Typical);
    let mut bus = Bus::new(chip, Clock::real(), Bus::STANDARD_HERTZ);
    bus.log_to(File::create(log)?);
    let (kernel, mut device) = UnixStream::pair()?;
    fs::write(ATTACH, format!("0 {} {DEVICE_NUMBER} {FULL_SPEED}", kernel.as_raw_fd()))
        .map_err(|error| format!("{ATTACH}: {error}; is this root, and is vhci-hcd loaded?"))?;
    // The kernel has taken its end. Without this copy of it, the stream ends when the device is pulled.
    drop(kernel);
    usbip::serve(&mut device, &mut Adapter::new(bus))?;
    Ok(())
}
