//! The FT6336U touch controller, and what a finger on it means.

use core::time::Duration;

use embedded_graphics::{geometry::Point, primitives::ContainsPoint};
use embedded_hal::i2c::I2c;

use crate::{
    screens::{ALLOW, REFUSE},
    touch::{Meaning, Press},
};

/// Its seven-bit address.
pub const ADDRESS: u8 = 0x38;
/// TD_STATUS, the number of fingers, and behind it the first one's X and Y, high bytes first.
const TD_STATUS: u8 = 0x02;

/// Where the first finger is, if one is.
///
/// # Errors
/// When the controller does not answer.
fn finger<I: I2c>(bus: &mut I) -> Result<Option<Point>, I::Error> {
    let mut registers = [0; 5];
    bus.write_read(ADDRESS, &[TD_STATUS], &mut registers)?;
    let [count, x_high, x_low, y_high, y_low] = registers;
    // The upper half of the high bytes holds event and finger number; a count above 2 is noise after reset.
    let value = |high: u8, low: u8| i32::from(high & 0x0f) << 8 | i32::from(low);
    Ok(matches!(count & 0x0f, 1 | 2).then(|| Point::new(value(x_high, x_low), value(y_high, y_low))))
}

/// How long the middle button is held to unlock.
const UNLOCK: Duration = Duration::from_secs(3);

/// Below the picture are three round buttons; this one unlocks.
fn is_middle_button(at: Point) -> bool {
    at.y >= 240 && (106..212).contains(&at.x)
}

/// Makes presses out of a finger that is looked for now and then.
#[derive(Clone, Copy, Debug, Default)]
pub struct Finger {
    down: Option<(Point, Duration)>,
    last: Point,
    is_told: bool,
}

impl Finger {
    /// Looks where the finger is at `now`. A controller that does not answer has seen nothing: what was touched before
    /// is forgotten, and not taken for a press.
    pub fn look<I: I2c>(&mut self, bus: &mut I, now: Duration) -> Option<Press> {
        match finger(bus) {
            Ok(at) => self.poll(at, now),
            Err(_) => {
                *self = Self::default();
                None
            }
        }
    }

    /// Takes where the finger is at `now`. A press is told when the finger is lifted where it came down, so that one
    /// can slide off a button that was touched by mistake.
    pub fn poll(&mut self, at: Option<Point>, now: Duration) -> Option<Press> {
        match (self.down, at) {
            (None, Some(at)) => {
                *self = Self { down: Some((at, now)), last: at, is_told: false };
                None
            }
            (Some((start, since)), Some(at)) => {
                self.last = at;
                let is_held = is_middle_button(start) && is_middle_button(at);
                if !self.is_told && is_held && now.saturating_sub(since) >= UNLOCK {
                    self.is_told = true;
                    return Some(Press { meaning: Meaning::Unlock, since });
                }
                None
            }
            (Some((start, since)), None) => {
                self.down = None;
                let on = |area: &dyn ContainsPoint| area.contains(start) && area.contains(self.last);
                let meaning = if on(&ALLOW) {
                    Meaning::Allow
                } else if on(&REFUSE) {
                    Meaning::Refuse
                } else {
                    return None;
                };
                Some(Press { meaning, since })
            }
            (None, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use embedded_hal::i2c::ErrorKind;
    use embedded_hal_mock::eh1::i2c::{Mock, Transaction};

    use super::*;

    const YES: Point = Point::new(240, 200);
    const NO: Point = Point::new(60, 200);
    const MIDDLE: Point = Point::new(160, 260);

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn registers_become_a_point() {
        let mut bus = Mock::new(&[
            Transaction::write_read(0x38, [0x02].into(), [0x01, 0x81, 0x3f, 0x00, 0xef].into()),
            Transaction::write_read(0x38, [0x02].into(), [0x00, 0xff, 0xff, 0xff, 0xff].into()),
            Transaction::write_read(0x38, [0x02].into(), [0xff, 0x00, 0x00, 0x00, 0x00].into()),
        ]);
        assert_eq!(finger(&mut bus).unwrap(), Some(Point::new(0x13f, 0xef)));
        assert_eq!(finger(&mut bus).unwrap(), None);
        assert_eq!(finger(&mut bus).unwrap(), None);
        bus.done();
    }

    #[test]
    fn a_controller_that_fails_lifts_no_finger() {
        let on_allow = || Transaction::write_read(0x38, [0x02].into(), [0x01, 0x00, 0xf0, 0x00, 0xc8].into());
        let no_finger = || Transaction::write_read(0x38, [0x02].into(), [0; 5].into());
        let mut bus = Mock::new(&[
            on_allow(),
            no_finger(),
            on_allow(),
            no_finger().with_error(ErrorKind::Other),
            no_finger(),
        ]);
        let mut finger = Finger::default();
        let mut look = |at| finger.look(&mut bus, ms(at));
        assert_eq!(look(0), None);
        assert_eq!(look(20), Some(Press { meaning: Meaning::Allow, since: ms(0) }));
        for at in [40, 60, 80] {
            assert_eq!(look(at), None);
        }
        bus.done();
    }

    #[test]
    fn a_button_is_pressed_where_the_finger_came_down_and_left() {
        for (down, up, meaning) in [
            (YES, YES, Some(Meaning::Allow)),
            (NO, NO, Some(Meaning::Refuse)),
            (YES, NO, None),
            (NO, YES, None),
            (YES, Point::new(240, 100), None),
            (Point::new(160, 200), YES, None),
            (Point::zero(), Point::zero(), None),
            (MIDDLE, MIDDLE, None),
        ] {
            let mut finger = Finger::default();
            assert_eq!(finger.poll(Some(down), ms(10)), None);
            assert_eq!(finger.poll(Some(up), ms(30)), None);
            let press = finger.poll(None, ms(50));
            assert_eq!(press, meaning.map(|meaning| Press { meaning, since: ms(10) }), "{down} to {up}");
            assert_eq!(finger.poll(None, ms(70)), None);
        }
    }

    #[test]
    fn the_middle_button_held_unlocks_once() {
        let mut finger = Finger::default();
        finger.poll(Some(MIDDLE), ms(0));
        assert_eq!(finger.poll(Some(MIDDLE), ms(2_999)), None);
        let press = finger.poll(Some(MIDDLE), ms(3_000));
        assert_eq!(press, Some(Press { meaning: Meaning::Unlock, since: ms(0) }));
        assert_eq!(finger.poll(Some(MIDDLE), ms(6_000)), None);
        assert_eq!(finger.poll(None, ms(6_020)), None);
    }

    #[test]
    fn a_finger_that_slides_to_the_middle_button_unlocks_nothing() {
        let mut finger = Finger::default();
        finger.poll(Some(NO), ms(0));
        assert_eq!(finger.poll(Some(MIDDLE), ms(5_000)), None);
        // And none that slides away from it.
        let mut finger = Finger::default();
        finger.poll(Some(MIDDLE), ms(0));
        assert_eq!(finger.poll(Some(NO), ms(5_000)), None);
    }
}
