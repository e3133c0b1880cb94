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
    link::{About, BASE_RATE},
};
use embedded_hal_bus::{i2c::RefCellDevice, spi::ExclusiveDevice};
use esp_bridge::{
    firmware::Firmware,
    ft6336u::Finger,
    gate::WATCHDOG,
    leds::{SPI_HERTZ, SpiLeds},
    pmic::Pmic,
    recovery::free_bus,
    session::Session,
    touch::TouchPolicy,
};
use esp_hal::{
    delay::Delay,
    gpio::{DriveMode, Flex, Level, Output, OutputConfig, Pull},
    i2c::master::{Config as I2cConfig, I2c},
    rng::Rng,
    rtc_cntl::{Rtc, RwdtStage},
    spi::master::{Config as SpiConfig, Spi},
    time::{Duration, Rate},
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

    // Values that the hardware cannot do would be a mistake in this file; a reset shows it at once.
    let Ok(uart) = Uart::new(parts.UART0, UartConfig::default().with_baudrate(BASE_RATE)) else { restart() };
    let mut stream = Line(uart.with_rx(parts.GPIO3).with_tx(parts.GPIO1));

    let display_spi = SpiConfig::default().with_frequency(Rate::from_mhz(40));
    let Ok(spi) = Spi::new(parts.SPI2, display_spi) else { restart() };
    let chip_select = Output::new(parts.GPIO5, Level::High, OutputConfig::default());
    let mut command = Output::new(parts.GPIO15, Level::Low, OutputConfig::default());
    // An output that cannot fail leaves no other case.
    let Ok(mut display_bus) =
        ExclusiveDevice::new(spi.with_sck(parts.GPIO18).with_mosi(parts.GPIO23), chip_select, Delay::new());
    let mut lights = Spi::new(parts.SPI3, SpiConfig::default().with_frequency(Rate::from_hz(SPI_HERTZ)))
        .ok()
        .map(|spi| SpiLeds::new(spi.with_mosi(parts.GPIO25)));

    let run = Rng::new().random();
    let about =
        About { name: "esp-bridge Core2", may_ask: TOUCH != TouchPolicy::Never, run, ..About::default() };
    let mut session = Session::new(TOUCH);

    loop {
        {
            let mut scl = open_drain(Flex::new(parts.GPIO22.reborrow()));
            let mut sda = open_drain(Flex::new(parts.GPIO21.reborrow()));
            // If it stays held, the chip is not found and the host is told why.
            let _ = free_bus(&mut scl, &mut sda, &mut Delay::new());
        }
        // 100 kHz is the default, and what the wake pulse needs.
        let Ok(i2c) = I2c::new(parts.I2C0.reborrow(), I2cConfig::default()) else { restart() };
        let bus = RefCell::new(i2c.with_sda(parts.GPIO21.reborrow()).with_scl(parts.GPIO22.reborrow()));

        // Without its power chip the board has no light, but it signs where the policy asks nobody.
        let mut power = RefCellDevice::new(&bus);
        if let Ok(pmic) = Pmic::detect(&mut power) {
            let _ = pmic.power_up(&mut power, &mut Delay::new());
        }
        rtc.rwdt.feed();
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
            shown: None,
            rtc: &mut rtc,
        };
        let chip = I2cTransport::new(RefCellDevice::new(&bus), Delay::new(), TRUST_AND_GO_ADDRESS);
        (session, _) = Firmware::new(about, chip, session, face).run(&mut stream);
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

fn restart() -> ! {
    esp_hal::system::software_reset()
}
