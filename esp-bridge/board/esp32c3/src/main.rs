//! Any ESP32-C3 with native USB, and an ATECC608 on two pins.
//!
//! | pin | what |
//! |---|---|
//! | GPIO 6, 7 | SDA, SCL of the chip, each with a pull-up of 4.7 kΩ to 3.3 V |
//! | GPIO 9 | the BOOT button of the board: short for yes, a second for no, five seconds to unlock |
//! | GPIO 8 | an SK6812 or WS2812, as most boards have it |
//! | GPIO 18, 19 | USB |
#![no_std]
#![no_main]

mod face;
mod usb;

use atecc::i2c::{I2cTransport, TRUST_AND_GO_ADDRESS};
use esp_bridge::{button::Button, firmware::Firmware, session::Session};
use esp_bridge_esp::{Lights, Supervisor, TOUCH, about, bus_config, free_bus, restart};
use esp_hal::{
    delay::Delay,
    gpio::{Input, InputConfig, Pull},
    i2c::master::I2c,
    usb::usb_serial_jtag::UsbSerialJtag,
};

use crate::{face::Buttoned, usb::Usb};

esp_bootloader_esp_idf::esp_app_desc!();

#[esp_hal::main]
fn main() -> ! {
    let mut parts = esp_hal::init(esp_hal::Config::default());
    let supervisor = Supervisor::new(parts.RTC_TIMER);

    let button = Input::new(parts.GPIO9, InputConfig::default().with_pull(Pull::Up));
    let light = Lights::new(parts.SPI2, parts.GPIO8);
    let mut face = Buttoned { button, presses: Button::default(), light, supervisor };
    let mut stream = Usb(UsbSerialJtag::new(parts.USB_DEVICE));
    let mut session = Session::new(TOUCH);

    loop {
        free_bus(parts.GPIO7.reborrow(), parts.GPIO6.reborrow());
        let Ok(i2c) = I2c::new(parts.I2C0.reborrow(), bus_config()) else { restart() };
        let i2c = i2c.with_sda(parts.GPIO6.reborrow()).with_scl(parts.GPIO7.reborrow());
        let chip = I2cTransport::new(i2c, Delay::new(), TRUST_AND_GO_ADDRESS);
        (session, face) = Firmware::new(about("esp-bridge ESP32-C3"), chip, session, face).run(&mut stream);
    }
}
