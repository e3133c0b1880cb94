//! Screens with one message and what to do about it.

use embedded_graphics::{draw_target::DrawTarget, geometry::Point, pixelcolor::Rgb565};

use super::{
    fonts,
    layout::{Ink, MARGIN, header, line},
    theme,
};
use crate::policy::{Refusal, Request};

pub(super) fn boot<D: DrawTarget<Color = Rgb565>>(display: &mut D) -> Result<(), D::Error> {
    header("Starting", theme::QUIET, display)?;
    message(&["Looking for the chip."], &[], display)?;
    footer(concat!("esp-bridge ", env!("CARGO_PKG_VERSION")), display)
}

pub(super) fn signing<D: DrawTarget<Color = Rgb565>>(
    request: &Request,
    display: &mut D,
) -> Result<(), D::Error> {
    header("Working", theme::BLUE, display)?;
    message(&[&line(format_args!("{request}"))], &[], display)?;
    if let Some(digest) = request.digest {
        let digits = line(format_args!("{digest}"));
        Ink::new(&fonts::CODE, theme::QUIET).write(&digits, Point::new(MARGIN, 134), display)?;
    }
    Ok(())
}

pub(super) fn refused<D: DrawTarget<Color = Rgb565>>(
    refusal: &Refusal,
    display: &mut D,
) -> Result<(), D::Error> {
    header("Refused", theme::RED, display)?;
    let todo: &[&str] = match refusal {
        Refusal::Locked(_) => &["To allow changes for a minute,", "hold the middle button for 3 s."],
        Refusal::NotOnTheList { .. } => {
            &["This device never passes it on.", "What it does pass on is listed", "in its README."]
        }
        Refusal::NotThisKey { .. } => {
            &["The chip's configuration gives", "this slot to another purpose.", "Choose another slot."]
        }
        Refusal::Denied | Refusal::Cancelled => &["Nothing was signed.", "If it should be, ask again."],
        Refusal::TimedOut => &["Nothing was signed.", "Ask again, and touch Allow."],
        Refusal::TooLateToAsk => &["Nothing was signed.", "Sign in one transaction."],
        Refusal::Busy | Refusal::NoChip => &["Try again."],
    };
    match refusal {
        Refusal::Locked(request) => {
            message(&[&line(format_args!("{request}")), "changes the chip."], todo, display)
        }
        _ => message(&[&line(format_args!("{refusal}."))], todo, display),
    }
}

pub(super) fn chip_missing<D: DrawTarget<Color = Rgb565>>(display: &mut D) -> Result<(), D::Error> {
    header("No chip", theme::RED, display)?;
    message(
        &["The chip does not answer."],
        &["Check its power, SDA and SCL.", "It is looked for again every", "second."],
        display,
    )
}

pub(super) fn bus_fault<D: DrawTarget<Color = Rgb565>>(display: &mut D) -> Result<(), D::Error> {
    header("Bus fault", theme::RED, display)?;
    message(
        &["SDA or SCL is held low."],
        &["Power the device off and on.", "If it stays, check the wiring", "and the pull-up resistors."],
        display,
    )
}

/// What happened, and what to do about it.
fn message<D: DrawTarget<Color = Rgb565>>(
    what: &[&str],
    todo: &[&str],
    display: &mut D,
) -> Result<(), D::Error> {
    let mut y = 98;
    for text in what {
        Ink::new(&fonts::BODY, theme::TEXT).write(text, Point::new(MARGIN, y), display)?;
        y += 28;
    }
    y += 12;
    for text in todo {
        Ink::new(&fonts::BODY, theme::QUIET).write(text, Point::new(MARGIN, y), display)?;
        y += 26;
    }
    Ok(())
}

fn footer<D: DrawTarget<Color = Rgb565>>(text: &str, display: &mut D) -> Result<(), D::Error> {
    Ink::new(&fonts::SMALL, theme::QUIET).write(text, Point::new(MARGIN, 222), display)
}
