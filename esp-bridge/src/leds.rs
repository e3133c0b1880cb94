//! Light bars: SK6812, three colours of eight bits each, green first.

use core::time::Duration;

use embedded_hal::spi::SpiBus;

use crate::{session::Session, state::State};

/// One light.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rgb {
    /// Red.
    pub red: u8,
    /// Green.
    pub green: u8,
    /// Blue.
    pub blue: u8,
}

impl Rgb {
    /// Dark.
    pub const OFF: Self = Self::new(0, 0, 0);

    /// A colour.
    pub const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self { red, green, blue }
    }

    /// The colour with `share` of 255 of its brightness.
    pub const fn dimmed(self, share: u8) -> Self {
        const fn part(value: u8, share: u8) -> u8 {
            (value as u16 * share as u16 / 255) as u8
        }
        Self::new(part(self.red, share), part(self.green, share), part(self.blue, share))
    }
}

/// Something with lights.
pub trait Leds {
    /// What can fail.
    type Error;

    /// Shows `lights`, the first one next to the wire.
    ///
    /// # Errors
    /// When they cannot be reached.
    fn show(&mut self, lights: &[Rgb]) -> Result<(), Self::Error>;
}

/// How often the lights change while something blinks.
pub const FRAME: Duration = Duration::from_millis(50);

/// What all lights show while `session` is in its state.
///
/// Nobody has to tell colours apart: a question breathes, a fault blinks, a refusal stands still, work is bright.
pub fn light(session: &Session, now: Duration) -> Rgb {
    let since = now.saturating_sub(session.changed());
    match session.state() {
        State::Boot => Rgb::new(12, 12, 12),
        State::Ready if session.unlocked(now).is_some() => blink(Rgb::new(48, 0, 0), since, 1_000),
        State::Ready => Rgb::new(0, 6, 2),
        State::Asking(_) => Rgb::new(96, 56, 0).dimmed(breath(since)),
        State::Signing(_) => Rgb::new(0, 24, 96),
        State::Refused(_) => Rgb::new(64, 0, 0),
        State::ChipMissing => blink(Rgb::new(64, 0, 0), since, 1_000),
        State::BusFault => blink(Rgb::new(64, 0, 0), since, 300),
    }
}

/// Up and down once in 1.2 s, never quite dark.
fn breath(since: Duration) -> u8 {
    let phase = (since.as_millis() % 1_200) as u32;
    let triangle = if phase < 600 { phase } else { 1_200 - phase };
    (40 + 215 * triangle / 600) as u8
}

fn blink(colour: Rgb, since: Duration, period: u128) -> Rgb {
    if since.as_millis() % period < period / 2 { colour } else { Rgb::OFF }
}

/// SPI clock at which four bits are one bit of an SK6812: 312.5 ns each.
pub const SPI_HERTZ: u32 = 3_200_000;
/// Bytes on SPI for one light.
const BYTES: usize = 12;
/// The line is low this long before and after: 80 µs are 32 bytes.
const RESET: usize = 32;

/// SK6812 on the data line of an SPI bus that does nothing else, at [`SPI_HERTZ`], mode 0. `N` lights.
///
/// A zero is 312 ns high and 938 ns low, a one 625 ns each (SK6812: 300 and 900 ns, 600 and 600 ns, each ±150 ns).
#[derive(Debug)]
pub struct SpiLeds<S, const N: usize> {
    spi: S,
}

impl<S: SpiBus, const N: usize> SpiLeds<S, N> {
    /// The lights on `spi`.
    pub const fn new(spi: S) -> Self {
        Self { spi }
    }
}

impl<S: SpiBus, const N: usize> Leds for SpiLeds<S, N> {
    type Error = S::Error;

    fn show(&mut self, lights: &[Rgb]) -> Result<(), S::Error> {
        self.spi.write(&[0; RESET])?;
        for light in lights.iter().take(N) {
            self.spi.write(&encode(*light))?;
        }
        self.spi.write(&[0; RESET])?;
        self.spi.flush()
    }
}

/// The bits of one light, most significant first, two to a byte.
fn encode(light: Rgb) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    let bits = u32::from_be_bytes([0, light.green, light.red, light.blue]);
    for (index, byte) in bytes.iter_mut().enumerate() {
        let two = bits >> (22 - 2 * index) & 0b11;
        let wave = |bit: u32| if bit == 1 { 0b1100 } else { 0b1000 };
        *byte = wave(two >> 1) << 4 | wave(two & 1);
    }
    bytes
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use embedded_hal_mock::eh1::spi::{Mock, Transaction};

    use super::*;
    use crate::{state::Event, touch::TouchPolicy};

    #[test]
    fn green_goes_first_and_the_highest_bit_of_it() {
        assert_eq!(encode(Rgb::new(0, 0x80, 0))[..2], [0b1100_1000, 0b1000_1000]);
        assert_eq!(encode(Rgb::new(0xff, 0, 0))[4..8], [0b1100_1100; 4]);
        assert_eq!(encode(Rgb::new(0, 0, 1))[11], 0b1000_1100);
        assert_eq!(encode(Rgb::OFF), [0b1000_1000; 12]);
    }

    #[test]
    fn a_bar_is_framed_by_silence_and_no_longer_than_it_is() {
        let lights = [Rgb::new(1, 2, 3), Rgb::OFF, Rgb::new(9, 9, 9)];
        let expected: Vec<_> = [
            Transaction::write_vec(std::vec![0; RESET]),
            Transaction::write_vec(encode(lights[0]).to_vec()),
            Transaction::write_vec(encode(lights[1]).to_vec()),
            Transaction::write_vec(std::vec![0; RESET]),
            Transaction::flush(),
        ]
        .into();
        let mut spi = Mock::new(&expected);
        SpiLeds::<_, 2>::new(&mut spi).show(&lights).unwrap();
        spi.done();
    }

    #[test]
    fn faults_blink_and_rest_is_still() {
        let at =
            |session: &Session| -> Vec<Rgb> { (0..40).map(|frame| light(session, FRAME * frame)).collect() };
        let mut session = Session::new(TouchPolicy::Always);
        assert!(at(&session).windows(2).all(|two| two[0] == two[1]));
        for event in [Event::ChipLost, Event::BusFailed] {
            session.chip_lost(event, Duration::ZERO);
            let lights = at(&session);
            assert!(lights.contains(&Rgb::OFF) && lights.iter().any(|light| *light != Rgb::OFF));
        }
    }

    #[test]
    fn a_breath_has_no_jump_and_is_never_dark() {
        let shares: Vec<_> = (0..2_400).map(|ms| breath(Duration::from_millis(ms))).collect();
        assert!(shares.windows(2).all(|two| two[0].abs_diff(two[1]) <= 1));
        assert_eq!((shares.iter().min(), shares.iter().max()), (Some(&40), Some(&255)));
    }
}
