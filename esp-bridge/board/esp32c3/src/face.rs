//! A button and a light.

use core::time::Duration;

use esp_bridge::{
    button::Button,
    gate::Face,
    leds::{Leds, Rgb, SpiLeds, light},
    session::Session,
    touch::Press,
};
use esp_hal::{Blocking, gpio::Input, rtc_cntl::Rtc, spi::master::Spi, time::Instant};

pub(crate) struct Buttoned {
    pub(crate) button: Input<'static>,
    pub(crate) presses: Button,
    pub(crate) lights: Option<SpiLeds<Spi<'static, Blocking>, 1>>,
    pub(crate) shown: Option<Rgb>,
    pub(crate) rtc: Rtc<'static>,
}

impl Face for Buttoned {
    fn now(&mut self) -> Duration {
        now()
    }

    fn press(&mut self) -> Option<Press> {
        // The button pulls the pin down.
        self.presses.poll(self.button.is_low(), now())
    }

    fn show(&mut self, session: &Session, now: Duration) {
        self.animate(session, now);
    }

    fn animate(&mut self, session: &Session, now: Duration) {
        let light = light(session, now);
        let Some(lights) = &mut self.lights else { return };
        if self.shown != Some(light) && lights.show(&[light]).is_ok() {
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
