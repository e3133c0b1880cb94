//! A bus on which a part holds SDA low, since it was interrupted while it sent a zero.

use embedded_hal::{
    delay::DelayNs,
    digital::{InputPin, OutputPin},
};

/// Half a clock at 100 kHz.
const HALF_US: u32 = 5;
/// Bits that a part may still want to send: eight, and the acknowledgement.
const PULSES: u32 = 9;

/// Clocks out what a part still wants to send, and ends with a stop condition. Both pins are open-drain outputs that
/// can be read, which a board takes from its I2C controller for the while. Returns whether the bus is free now.
///
/// # Errors
/// When a pin fails.
pub fn free_bus<P, E>(scl: &mut P, sda: &mut P, delay: &mut impl DelayNs) -> Result<bool, E>
where
    P: InputPin<Error = E> + OutputPin<Error = E>,
{
    sda.set_high()?;
    for _ in 0..PULSES {
        // A part may stretch the clock, but not for ever.
        scl.set_high()?;
        delay.delay_us(HALF_US);
        if sda.is_high()? && scl.is_high()? {
            break;
        }
        scl.set_low()?;
        delay.delay_us(HALF_US);
    }
    // Stop: SDA rises while SCL is high.
    scl.set_low()?;
    delay.delay_us(HALF_US);
    sda.set_low()?;
    delay.delay_us(HALF_US);
    scl.set_high()?;
    delay.delay_us(HALF_US);
    sda.set_high()?;
    delay.delay_us(HALF_US);
    Ok(scl.is_high()? && sda.is_high()?)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use core::convert::Infallible;
    use std::{cell::RefCell, rc::Rc};

    use embedded_hal::digital::ErrorType;

    use super::*;

    /// A part that holds SDA until it has seen so many falling clocks.
    #[derive(Default)]
    struct Bus {
        scl: bool,
        sda: bool,
        held_for: u32,
        falls: u32,
        stops: u32,
        clock_stuck: bool,
    }

    impl Bus {
        fn sda_level(&self) -> bool {
            self.sda && self.falls >= self.held_for
        }
    }

    struct Pin {
        bus: Rc<RefCell<Bus>>,
        is_clock: bool,
    }

    impl ErrorType for Pin {
        type Error = Infallible;
    }

    impl Pin {
        fn set(&mut self, level: bool) {
            let mut bus = self.bus.borrow_mut();
            let before = bus.sda_level();
            if self.is_clock {
                bus.falls += u32::from(bus.scl && !level);
                bus.scl = level;
            } else {
                bus.sda = level;
                bus.stops += u32::from(bus.scl && !before && bus.sda_level());
            }
        }
    }

    impl OutputPin for Pin {
        fn set_low(&mut self) -> Result<(), Infallible> {
            self.set(false);
            Ok(())
        }

        fn set_high(&mut self) -> Result<(), Infallible> {
            self.set(true);
            Ok(())
        }
    }

    impl InputPin for Pin {
        fn is_high(&mut self) -> Result<bool, Infallible> {
            let bus = self.bus.borrow();
            Ok(if self.is_clock { bus.scl && !bus.clock_stuck } else { bus.sda_level() })
        }

        fn is_low(&mut self) -> Result<bool, Infallible> {
            self.is_high().map(|high| !high)
        }
    }

    struct NoDelay;

    impl DelayNs for NoDelay {
        fn delay_ns(&mut self, _ns: u32) {}
    }

    fn recover(bus: Bus) -> (bool, Bus) {
        let bus = Rc::new(RefCell::new(bus));
        let mut scl = Pin { bus: bus.clone(), is_clock: true };
        let mut sda = Pin { bus: bus.clone(), is_clock: false };
        let free = free_bus(&mut scl, &mut sda, &mut NoDelay).unwrap();
        (free, bus.take())
    }

    #[test]
    fn a_part_in_the_middle_of_a_byte_is_clocked_out() {
        for held_for in 0..=8 {
            let (free, bus) = recover(Bus { scl: true, held_for, ..Bus::default() });
            assert!(free, "{held_for}");
            assert_eq!(bus.stops, 1 + u32::from(held_for == 0), "{held_for}");
            assert!(bus.falls <= held_for + 2);
        }
    }

    #[test]
    fn a_line_that_stays_low_is_reported() {
        assert!(!recover(Bus { scl: true, held_for: u32::MAX, ..Bus::default() }).0);
        assert!(!recover(Bus { scl: true, clock_stuck: true, ..Bus::default() }).0);
    }
}
