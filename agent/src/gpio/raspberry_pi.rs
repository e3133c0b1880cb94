//! Lines of a Raspberry Pi through the crate rppal: for kernels without the character device, and for those who know
//! it. rppal is no longer maintained, so it is a feature, and nothing else depends on it.

use std::io;
use std::thread;
use std::time::Duration;

use rppal::gpio::{Gpio, InputPin, OutputPin};

use super::Line;
use super::error::Error;
use super::input::{Input, Level};

/// How often an input is read.
const POLL: Duration = Duration::from_millis(20);

/// BCM line `number` as an output, in the state `on` from the beginning.
pub(super) fn output(
    property: &str,
    number: u8,
    active_low: bool,
    on: bool,
) -> Result<impl Line + 'static, Error> {
    let pin = get(property, number)?;
    let mut pin = if on != active_low { pin.into_output_high() } else { pin.into_output_low() };
    // Left as it is when the agent ends, as the kernel's lines are.
    pin.set_reset_on_drop(false);
    Ok(Output { pin, active_low, on })
}

/// BCM line `number` as an input.
pub(super) fn input(
    property: &str,
    number: u8,
    active_low: bool,
    debounce: Duration,
    changed: impl Fn() + Send + 'static,
) -> Result<Input, Error> {
    let pin = Pin { pin: get(property, number)?.into_input(), active_low };
    Input::watch(property, pin, None, debounce, changed)
        .map_err(|source| refused(property, "cannot watch it", source))
}

struct Output {
    pin: OutputPin,
    active_low: bool,
    on: bool,
}

impl Line for Output {
    fn set(&mut self, on: bool) -> io::Result<()> {
        self.pin.write((on != self.active_low).into());
        self.on = on;
        Ok(())
    }

    fn is_on(&self) -> bool {
        self.on
    }
}

struct Pin {
    pin: InputPin,
    active_low: bool,
}

impl Level for Pin {
    fn wait(&mut self, limit: Duration) -> io::Result<()> {
        thread::sleep(POLL.min(limit));
        Ok(())
    }

    fn is_on(&mut self) -> io::Result<bool> {
        Ok(self.pin.is_high() != self.active_low)
    }
}

fn get(property: &str, number: u8) -> Result<rppal::gpio::Pin, Error> {
    let action = format!("cannot get GPIO {number} of a Raspberry Pi");
    let gpio = Gpio::new().map_err(|error| refused(property, &action, io::Error::other(error)))?;
    gpio.get(number).map_err(|error| refused(property, &action, io::Error::other(error)))
}

fn refused(property: &str, action: &str, source: io::Error) -> Error {
    Error::Refused { property: property.to_owned(), action: action.to_owned(), source }
}
