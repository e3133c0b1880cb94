//! M5Stack Core2 for AWS.
//!
//! | pin | what |
//! |---|---|
//! | GPIO 21, 22 | SDA, SCL: the ATECC608, the power chip, the touch controller |
//! | GPIO 18, 23, 5, 15 | SCK, MOSI, CS, DC of the display, an ILI9342C; its reset is a line of the power chip |
//! | GPIO 25 | ten SK6812, five on each side |
//! | GPIO 1, 3 | TX, RX of the USB-UART |
#![no_std]
#![no_main]

mod face;
mod uart;

use core::cell::RefCell;

use atecc::{
    i2c::{I2cTransport, TRUST_AND_GO_ADDRESS},
    link::BASE_RATE,
};
use embedded_hal_bus::{i2c::RefCellDevice, spi::ExclusiveDevice};
use esp_bridge::{firmware::Firmware, ft6336u::Finger, pmic::Pmic, session::Session};
use esp_bridge_esp::{Lights, Supervisor, TOUCH, about, bus_config, free_bus, restart};
use esp_hal::{
    delay::Delay,
    gpio::{Level, Output, OutputConfig},
    i2c::master::I2c,
    spi::master::{Config as SpiConfig, Spi},
    time::Rate,
    uart::{Config as UartConfig, Uart},
};
use mipidsi::{
    Builder,
    interface::SpiInterface,
    models::ILI9342CRgb565,
    options::{ColorInversion, ColorOrder},
};

use crate::{face::Glass, uart::Line};

esp_bootloader_esp_idf::esp_app_desc!();

#[esp_hal::main]
fn main() -> ! {
    let mut parts = esp_hal::init(esp_hal::Config::default());
    let mut supervisor = Supervisor::new(parts.RTC_TIMER);

    let Ok(uart) = Uart::new(parts.UART0, UartConfig::default().with_baudrate(BASE_RATE)) else { restart() };
    let mut stream = Line(uart.with_rx(parts.GPIO3).with_tx(parts.GPIO1));

    let display_spi = SpiConfig::default().with_frequency(Rate::from_mhz(40));
    let Ok(spi) = Spi::new(parts.SPI2, display_spi) else { restart() };
    let chip_select = Output::new(parts.GPIO5, Level::High, OutputConfig::default());
    let mut command = Output::new(parts.GPIO15, Level::Low, OutputConfig::default());
    // An output that cannot fail leaves no other case.
    let Ok(mut display_bus) =
        ExclusiveDevice::new(spi.with_sck(parts.GPIO18).with_mosi(parts.GPIO23), chip_select, Delay::new());
    let mut lights = Lights::new(parts.SPI3, parts.GPIO25);
    let mut session = Session::new(TOUCH);

    loop {
        free_bus(parts.GPIO22.reborrow(), parts.GPIO21.reborrow());
        let Ok(i2c) = I2c::new(parts.I2C0.reborrow(), bus_config()) else { restart() };
        let bus = RefCell::new(i2c.with_sda(parts.GPIO21.reborrow()).with_scl(parts.GPIO22.reborrow()));

        // Without its power chip the board has no light, but it signs where the policy asks nobody.
        let mut power = RefCellDevice::new(&bus);
        if let Ok(pmic) = Pmic::detect(&mut power) {
            let _ = pmic.power_up(&mut power, &mut Delay::new());
        }
        supervisor.feed();
        let mut buffer = [0; 512];
        let interface = SpiInterface::new(&mut display_bus, &mut command, &mut buffer);
        let display = Builder::new(ILI9342CRgb565, interface)
            .color_order(ColorOrder::Bgr)
            .invert_colors(ColorInversion::Inverted)
            .init(&mut Delay::new())
            .ok();
        let face = Glass {
            touch: RefCellDevice::new(&bus),
            finger: Finger::default(),
            display,
            lights: &mut lights,
            supervisor: &mut supervisor,
        };
        let chip = I2cTransport::new(RefCellDevice::new(&bus), Delay::new(), TRUST_AND_GO_ADDRESS);
        (session, _) = Firmware::new(about("esp-bridge Core2"), chip, session, face).run(&mut stream);
    }
}
