//! The device waits, and says what it is.

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
    layout::{Ink, Line, MARGIN, header, line, panel},
    theme,
};
use crate::{session::Session, touch::TouchPolicy};

/// Where the values begin.
const VALUES: i32 = 116;

pub(super) fn draw<D: DrawTarget<Color = Rgb565>>(
    session: &Session,
    now: Duration,
    display: &mut D,
) -> Result<(), D::Error> {
    match session.unlocked(now) {
        Some(left) => {
            header("Unlocked", theme::RED, display)?;
            let seconds = line(format_args!("{} s", left.as_secs() + 1));
            Ink::new(&fonts::TITLE, theme::RED).aligned(Alignment::Right).write(
                &seconds,
                Point::new(320 - MARGIN, 45),
                display,
            )?;
        }
        None => header("Ready", theme::GREEN, display)?,
    }
    identity(session, display)?;
    let rows = [
        ("Signatures", line(format_args!("{} since start", session.signatures()))),
        ("Last", last(session)),
        ("Touch", touch(session, now)),
    ];
    for (row, (name, value)) in (0..).zip(rows) {
        let y = 166 + 28 * row;
        Ink::new(&fonts::SMALL, theme::QUIET).write(name, Point::new(MARGIN, y), display)?;
        Ink::new(&fonts::BODY, theme::TEXT).write(&value, Point::new(VALUES, y), display)?;
    }
    Ok(())
}

fn identity<D: DrawTarget<Color = Rgb565>>(session: &Session, display: &mut D) -> Result<(), D::Error> {
    panel(Rectangle::new(Point::new(MARGIN - 6, 60), Size::new(300, 80)), theme::PANEL, display)?;
    let Some(identity) = session.identity() else { return Ok(()) };
    let name = Ink::new(&fonts::SMALL, theme::QUIET).on(theme::PANEL);
    let part = line(format_args!("{} \u{b7} serial number", identity.part));
    name.write(&part, Point::new(MARGIN + 6, 80), display)?;
    let digits = identity.serial_number.to_hex();
    let digits = core::str::from_utf8(&digits).unwrap_or_default();
    Ink::new(&fonts::CODE, theme::TEXT).on(theme::PANEL).write(
        digits,
        Point::new(MARGIN + 6, 104),
        display,
    )?;
    let signer = match identity.signer {
        Some(signer) => line(format_args!("certificate by signer {signer:04X}")),
        None => line(format_args!("no certificate on the chip")),
    };
    name.write(&signer, Point::new(MARGIN + 6, 128), display)
}

fn last(session: &Session) -> Line {
    match session.last() {
        Some(request) => line(format_args!("{request}")),
        None => line(format_args!("nothing yet")),
    }
}

fn touch(session: &Session, now: Duration) -> Line {
    if session.unlocked(now).is_some() {
        return line(format_args!("each change asks"));
    }
    match session.touch() {
        TouchPolicy::Always => line(format_args!("for every signature")),
        TouchPolicy::Every(period) => line(format_args!("every {} min", period.as_secs() / 60)),
        TouchPolicy::Never => line(format_args!("not asked for")),
    }
}
