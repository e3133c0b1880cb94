//! A display, a finger and two bars of lights.

use core::time::Duration;

use embedded_graphics::{draw_target::DrawTarget, pixelcolor::Rgb565};
use embedded_hal::i2c::I2c;
use esp_bridge::{
    ft6336u::{self, Finger},
    gate::Face,
    leds::{Leds, Rgb, SpiLeds, light},
    screens,
    session::Session,
    touch::Press,
};
use esp_hal::{Blocking, rtc_cntl::Rtc, spi::master::Spi, time::Instant};

/// Lights on both sides.
const LIGHTS: usize = 10;

pub(crate) struct Glass<'a, I, D> {
    pub(crate) touch: I,
    pub(crate) finger: Finger,
    pub(crate) display: Option<D>,
    pub(crate) lights: &'a mut Option<SpiLeds<Spi<'static, Blocking>, LIGHTS>>,
    pub(crate) shown: Option<Rgb>,
    pub(crate) rtc: &'a mut Rtc<'static>,
}

impl<I: I2c, D: DrawTarget<Color = Rgb565>> Face for Glass<'_, I, D> {
    fn now(&mut self) -> Duration {
        now()
    }

    fn press(&mut self) -> Option<Press> {
        // A controller that does not answer sees no finger, so nothing is allowed.
        let at = ft6336u::finger(&mut self.touch).unwrap_or_default();
        self.finger.poll(at, now())
    }

    fn show(&mut self, session: &Session, now: Duration) {
        if let Some(display) = &mut self.display {
            // A display that cannot be reached shows nothing; the lights still do.
            let _ = screens::draw(session, now, display);
        }
    }

    fn animate(&mut self, session: &Session, now: Duration) {
        let light = light(session, now);
        let Some(lights) = self.lights else { return };
        if self.shown != Some(light) && lights.show(&[light; LIGHTS]).is_ok() {
            self.shown = Some(light);
        }
    }

    fn feed(&mut self) {
        self.rtc.rwdt.feed();
    }
}

/// The time since power came on.
pub(crate) fn now() -> Duration {
    Duration::from_micros(Instant::now().duration_since_epoch().as_micros())
}
