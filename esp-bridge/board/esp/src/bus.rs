//! The I2C bus of the chip.

use esp_bridge::recovery;
use esp_hal::{
    delay::Delay,
    gpio::{DriveMode, Flex, OutputConfig, Pin, Pull},
    i2c::master::{Config, SoftwareTimeout},
    time::Duration,
};

/// The longest transfer, 155 bytes, takes 14 ms. What takes longer is a line that is held low, at which some of these
/// controllers would wait for ever.
const LIMIT: Duration = Duration::from_millis(50);

/// How the bus of the chip is driven: 100 kHz, which is the default, is what the wake pulse needs.
pub fn bus_config() -> Config {
    Config::default().with_software_timeout(SoftwareTimeout::Transaction(LIMIT))
}

/// Has a part let go of the bus that was interrupted while it sent. If a line stays held, the chip will not be found, and
/// screen, lights and host are told why.
pub fn free_bus(scl: impl Pin, sda: impl Pin) {
    let _ = recovery::free_bus(&mut open_drain(scl), &mut open_drain(sda), &mut Delay::new());
}

fn open_drain<'a>(pin: impl Pin + 'a) -> Flex<'a> {
    let mut pin = Flex::new(pin);
    pin.apply_output_config(
        &OutputConfig::default().with_drive_mode(DriveMode::OpenDrain).with_pull(Pull::Up),
    );
    pin.set_high();
    pin.set_input_enable(true);
    pin.set_output_enable(true);
    pin
}
