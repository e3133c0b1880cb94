//! Fails to compile (E0152, duplicate lang item `panic_impl`) as soon as `atecc` links std.
#![no_std]

use core::panic::PanicInfo;

use atecc::{Device, Slot, i2c::I2cTransport};
use embedded_hal::{delay::DelayNs, i2c::I2c};

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}

/// Uses the driver, so that it is not left out.
pub fn sign(bus: impl I2c, delay: impl DelayNs) -> Option<[u8; 64]> {
    let mut chip = Device::new(I2cTransport::new(bus, delay, atecc::i2c::TRUST_AND_GO_ADDRESS));
    chip.sign(Slot::PRIMARY_KEY, &[0; 32]).ok().map(|signature| *signature.as_bytes())
}
