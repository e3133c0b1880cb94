//! A button and a light.

use core::time::Duration;

use esp_bridge::{button::Button, gate::Face, session::Session, touch::Press};
use esp_bridge_esp::{Lights, Supervisor, now};
use esp_hal::gpio::Input;

pub(crate) struct Buttoned {
    pub(crate) button: Input<'static>,
    pub(crate) presses: Button,
    pub(crate) light: Lights<1>,
    pub(crate) supervisor: Supervisor,
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
        self.light.animate(session, now);
    }

    fn feed(&mut self) {
        self.supervisor.feed();
    }
}
