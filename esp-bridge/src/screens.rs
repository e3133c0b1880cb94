//! What the device shows, on 320 × 240 pixels.
//!
//! A screen is drawn from facts that the firmware itself knows: the session, and through it the packets that were
//! decoded and what the chip says of itself. No text from a host is ever drawn.

mod asking;
mod fonts;
mod layout;
mod ready;
mod signal;
mod theme;

use core::time::Duration;

use embedded_graphics::{draw_target::DrawTarget, geometry::Size, pixelcolor::Rgb565};

use crate::{session::Session, state::State};

pub use asking::{ALLOW, REFUSE};

/// Of the display.
pub const SIZE: Size = Size::new(320, 240);

/// Draws the screen for what the session is doing at `now`.
///
/// # Errors
/// When the display cannot be reached.
pub fn draw<D: DrawTarget<Color = Rgb565>>(
    session: &Session,
    now: Duration,
    display: &mut D,
) -> Result<(), D::Error> {
    match session.state() {
        State::Boot => signal::boot(display),
        State::Ready => ready::draw(session, now, display),
        State::Asking(request) => asking::draw(&request, session, now, display),
        State::Signing(request) => signal::signing(&request, display),
        State::Refused(refusal) => signal::refused(&refusal, display),
        State::ChipMissing => signal::chip_missing(display),
        State::BusFault => signal::bus_fault(display),
    }
}

/// What of a screen changes while its state does not: draw again when this is another.
///
/// The seconds of a question or of an unlocked device, and nothing else, so that a display at rest stays at rest.
pub fn tick(session: &Session, now: Duration) -> u64 {
    session.question_left(now).or(session.unlocked(now)).map_or(0, |left| left.as_secs() + 1)
}
