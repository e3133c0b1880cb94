//! Lights on an SPI bus that does nothing else.

use core::time::Duration;

use esp_bridge::{
    leds::{Leds, Rgb, SPI_HERTZ, SpiLeds, light},
    session::Session,
};
use esp_hal::{
    Blocking,
    gpio::interconnect::PeripheralOutput,
    spi::master::{Config, Instance, Spi},
    time::Rate,
};

/// `N` SK6812 or WS2812 in a row, all of them the same.
pub struct Lights<const N: usize> {
    leds: Option<SpiLeds<Spi<'static, Blocking>, N>>,
    shown: Option<Rgb>,
}

impl<const N: usize> Lights<N> {
    /// The lights on `pin`. Without them the rest of a board works, so nothing here fails.
    pub fn new(spi: impl Instance + 'static, pin: impl PeripheralOutput<'static>) -> Self {
        let leds = Spi::new(spi, Config::default().with_frequency(Rate::from_hz(SPI_HERTZ)))
            .ok()
            .map(|spi| SpiLeds::new(spi.with_mosi(pin)));
        Self { leds, shown: None }
    }

    /// Shows what `session` does at `now`, if that is not shown yet.
    pub fn animate(&mut self, session: &Session, now: Duration) {
        let light = light(session, now);
        let Some(leds) = &mut self.leds else { return };
        if self.shown != Some(light) && leds.show(&[light; N]).is_ok() {
            self.shown = Some(light);
        }
    }
}
