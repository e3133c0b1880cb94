//! Fails to compile (E0152, duplicate lang item `panic_impl`) as soon as `atecc` links std.
#![no_std]

use core::panic::PanicInfo;

use atecc::{
    Device, Slot,
    i2c::I2cTransport,
    link::{About, Client, Open, Stream, serve},
};
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

/// Both ends of a link, as firmware serves it and as other firmware would use it.
pub fn bridge(uart: impl Stream, bus: impl I2c, delay: impl DelayNs) {
    let chip = I2cTransport::new(bus, delay, atecc::i2c::TRUST_AND_GO_ADDRESS);
    let _gone = serve(uart, chip, Open, About::default());
}

/// Signs over a link.
pub fn sign_far_away(uart: impl Stream) -> Option<[u8; 64]> {
    let mut chip = Device::new(Client::new(uart, 1));
    chip.sign(Slot::PRIMARY_KEY, &[0; 32]).ok().map(|signature| *signature.as_bytes())
}
