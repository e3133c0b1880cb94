//! A display, a finger and two bars of lights.

use core::time::Duration;

use embedded_graphics::{draw_target::DrawTarget, pixelcolor::Rgb565};
use embedded_hal::i2c::I2c;
use esp_bridge::{ft6336u::Finger, gate::Face, screens, session::Session, touch::Press};
use esp_bridge_esp::{Lights, Supervisor, now};

/// Lights on both sides.
pub(crate) const LIGHTS: usize = 10;

pub(crate) struct Glass<'a, I, D> {
    pub(crate) touch: I,
    pub(crate) finger: Finger,
    pub(crate) display: Option<D>,
    pub(crate) lights: &'a mut Lights<LIGHTS>,
    pub(crate) supervisor: &'a mut Supervisor,
}

impl<I: I2c, D: DrawTarget<Color = Rgb565>> Face for Glass<'_, I, D> {
    fn now(&mut self) -> Duration {
        now()
    }

    fn press(&mut self) -> Option<Press> {
        self.finger.look(&mut self.touch, now())
    }

    fn show(&mut self, session: &Session, now: Duration) {
        if let Some(display) = &mut self.display {
            // A display that cannot be reached shows nothing; the lights still do.
            let _ = screens::draw(session, now, display);
        }
    }

    fn animate(&mut self, session: &Session, now: Duration) {
        self.lights.animate(session, now);
    }

    fn feed(&mut self) {
        self.supervisor.feed();
    }
}
