//! What the boards with an ESP32 of any kind have in common. A board's own file wires its pins to this.
//!
//! A board chooses its processor with the feature of that name.
#![no_std]
#![forbid(unsafe_code)]

mod bus;
mod lights;
mod supervision;

use core::time::Duration;

use atecc::link::About;
use esp_bridge::touch::TouchPolicy;
use esp_hal::{rng::Rng, time::Instant};

pub use bus::{bus_config, free_bus};
pub use lights::Lights;
pub use supervision::{Supervisor, restart};

/// When a touch is asked for; a value that is not understood ends the build.
pub const TOUCH: TouchPolicy = TouchPolicy::at_build(option_env!("ATECC_TOUCH"));

/// What a board called `name` says of itself, with a new number of its run after each start.
pub fn about(name: &str) -> About<'_> {
    About {
        name,
        may_ask: !matches!(TOUCH, TouchPolicy::Never),
        run: Rng::new().random(),
        ..About::default()
    }
}

/// The time since power came on.
pub fn now() -> Duration {
    Duration::from_micros(Instant::now().duration_since_epoch().as_micros())
}
