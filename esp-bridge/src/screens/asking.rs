//! Somebody must decide.

use core::time::Duration;

use embedded_graphics::{
    draw_target::DrawTarget,
    geometry::{Point, Size},
    pixelcolor::Rgb565,
    primitives::Rectangle,
    text::Alignment,
};

use super::{
    fonts,
    layout::{Ink, MARGIN, button, header, line, panel},
    theme,
};
use crate::{policy::Request, session::Session, touch::QUESTION_LIMIT};

/// The button for no, on the left.
pub const REFUSE: Rectangle = Rectangle::new(Point::new(10, 178), Size::new(142, 52));
/// The button for yes, on the right.
pub const ALLOW: Rectangle = Rectangle::new(Point::new(168, 178), Size::new(142, 52));

pub(super) fn draw<D: DrawTarget<Color = Rgb565>>(
    request: &Request,
    session: &Session,
    now: Duration,
    display: &mut D,
) -> Result<(), D::Error> {
    let colour = if request.changes { theme::RED } else { theme::AMBER };
    header(&line(format_args!("{}?", request.verb())), colour, display)?;
    if let Some(slot) = request.slot {
        Ink::new(&fonts::BODY, theme::QUIET).aligned(Alignment::Right).write(
            &line(format_args!("slot {slot}")),
            Point::new(320 - MARGIN, 44),
            display,
        )?;
    }
    facts(request, session, display)?;
    time_left(session.question_left(now).unwrap_or_default(), colour, display)?;
    button(REFUSE, "Refuse", theme::TEXT, theme::LINE, display)?;
    let (word, fill) = if request.for_ever { ("For ever", theme::RED) } else { ("Allow", theme::GREEN) };
    button(ALLOW, word, theme::GROUND, fill, display)
}

/// What the firmware knows of the request, two lines.
fn facts<D: DrawTarget<Color = Rgb565>>(
    request: &Request,
    session: &Session,
    display: &mut D,
) -> Result<(), D::Error> {
    panel(Rectangle::new(Point::new(MARGIN - 6, 60), Size::new(300, 92)), theme::PANEL, display)?;
    let quiet = Ink::new(&fonts::SMALL, theme::QUIET).on(theme::PANEL);
    let body = Ink::new(&fonts::BODY, theme::TEXT).on(theme::PANEL);
    let left = MARGIN + 6;
    if let Some(digest) = request.digest {
        quiet.write("digest begins with", Point::new(left, 81), display)?;
        let digits = line(format_args!("{digest}"));
        Ink::new(&fonts::CODE, theme::TEXT).on(theme::PANEL).write(
            &digits,
            Point::new(left, 108),
            display,
        )?;
    } else {
        let what = match (request.changes, request.for_ever) {
            (_, true) => "This cannot be taken back.",
            (true, false) => "This changes the chip.",
            (false, false) => "This uses a key of the chip.",
        };
        body.write(what, Point::new(left, 94), display)?;
    }
    let count = match request.count {
        1 if request.changes => line(format_args!("one change")),
        1 => line(format_args!("number {} since start", session.signatures().saturating_add(1))),
        count => line(format_args!("and {} more in the same request", count - 1)),
    };
    let ink = if request.count > 1 { Ink { colour: theme::RED, ..quiet } } else { quiet };
    ink.write(&count, Point::new(left, 138), display)
}

/// A bar that gets shorter.
fn time_left<D: DrawTarget<Color = Rgb565>>(
    left: Duration,
    colour: Rgb565,
    display: &mut D,
) -> Result<(), D::Error> {
    let full = 300;
    let seconds = left.as_millis().div_ceil(1_000).min(QUESTION_LIMIT.as_secs().into());
    let width = (full * seconds as u32) / QUESTION_LIMIT.as_secs() as u32;
    let bar = |width| Rectangle::new(Point::new(10, 162), Size::new(width, 4));
    display.fill_solid(&bar(full), theme::LINE)?;
    display.fill_solid(&bar(width), colour)
}
