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

use atecc::{
    i2c::{I2cTransport, TRUST_AND_GO_ADDRESS},
    link::About,
};
use esp_bridge::{
    button::Button, firmware::Firmware, gate::WATCHDOG, leds::SpiLeds, recovery::free_bus, session::Session,
    touch::TouchPolicy,
};
use esp_hal::{
    delay::Delay,
    gpio::{DriveMode, Flex, Input, InputConfig, OutputConfig, Pull},
    i2c::master::{Config as I2cConfig, I2c},
    rng::Rng,
    rtc_cntl::{Rtc, RwdtStage},
    spi::master::{Config as SpiConfig, Spi},
    time::{Duration, Rate},
    usb::usb_serial_jtag::UsbSerialJtag,
};

use crate::{face::Buttoned, usb::Usb};

esp_bootloader_esp_idf::esp_app_desc!();

/// When a touch is asked for; a value that is not understood ends the build.
const TOUCH: TouchPolicy = TouchPolicy::at_build(option_env!("ATECC_TOUCH"));

/// A host that waits is told by the reset that its request is gone; a firmware that hangs would not tell.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    esp_hal::system::software_reset()
}

#[esp_hal::main]
fn main() -> ! {
    let mut parts = esp_hal::init(esp_hal::Config::default());

    let mut rtc = Rtc::new(parts.RTC_TIMER);
    rtc.rwdt.set_timeout(RwdtStage::Stage0, Duration::from_millis(WATCHDOG.as_millis() as u64));
    rtc.rwdt.enable();

    // Values that the hardware cannot do would be a mistake in this file; without lights the rest works.
    let lights =
        Spi::new(parts.SPI2, SpiConfig::default().with_frequency(Rate::from_hz(esp_bridge::leds::SPI_HERTZ)))
            .ok()
            .map(|spi| SpiLeds::new(spi.with_mosi(parts.GPIO8)));
    let button = Input::new(parts.GPIO9, InputConfig::default().with_pull(Pull::Up));
    let mut face = Buttoned { button, presses: Button::default(), lights, shown: None, rtc };
    let mut stream = Usb(UsbSerialJtag::new(parts.USB_DEVICE));

    let mut session = Session::new(TOUCH);
    let run = Rng::new().random();
    let about =
        About { name: "esp-bridge ESP32-C3", may_ask: TOUCH != TouchPolicy::Never, run, ..About::default() };

    loop {
        {
            let mut scl = open_drain(Flex::new(parts.GPIO7.reborrow()));
            let mut sda = open_drain(Flex::new(parts.GPIO6.reborrow()));
            // If it stays held, the chip is not found and the host is told why.
            let _ = free_bus(&mut scl, &mut sda, &mut Delay::new());
        }
        // 100 kHz is the default, and what the wake pulse needs.
        let Ok(i2c) = I2c::new(parts.I2C0.reborrow(), I2cConfig::default()) else {
            esp_hal::system::software_reset()
        };
        let i2c = i2c.with_sda(parts.GPIO6.reborrow()).with_scl(parts.GPIO7.reborrow());
        let chip = I2cTransport::new(i2c, Delay::new(), TRUST_AND_GO_ADDRESS);
        (session, face) = Firmware::new(about, chip, session, face).run(&mut stream);
    }
}

fn open_drain(mut pin: Flex<'_>) -> Flex<'_> {
    pin.apply_output_config(
        &OutputConfig::default().with_drive_mode(DriveMode::OpenDrain).with_pull(Pull::Up),
    );
    pin.set_high();
    pin.set_input_enable(true);
    pin.set_output_enable(true);
    pin
}
