//! Colours. Dark, since the device lies on desks at night; one accent per meaning, and never colour alone.

use embedded_graphics::pixelcolor::Rgb565;

/// The nearest colour of the display to 24 bits.
const fn rgb(red: u8, green: u8, blue: u8) -> Rgb565 {
    Rgb565::new(red >> 3, green >> 2, blue >> 3)
}

/// Behind everything.
pub(super) const GROUND: Rgb565 = rgb(0x10, 0x16, 0x20);
/// Behind what belongs together.
pub(super) const PANEL: Rgb565 = rgb(0x1b, 0x25, 0x34);
/// Lines between.
pub(super) const LINE: Rgb565 = rgb(0x34, 0x42, 0x57);
/// What is read first.
pub(super) const TEXT: Rgb565 = rgb(0xf2, 0xf5, 0xf8);
/// What names it.
pub(super) const QUIET: Rgb565 = rgb(0x98, 0xa6, 0xb8);
/// All is well; yes.
pub(super) const GREEN: Rgb565 = rgb(0x3f, 0xc3, 0x80);
/// Somebody must decide.
pub(super) const AMBER: Rgb565 = rgb(0xff, 0xb5, 0x3d);
/// The chip works.
pub(super) const BLUE: Rgb565 = rgb(0x57, 0xa5, 0xff);
/// No; and what cannot be taken back.
pub(super) const RED: Rgb565 = rgb(0xff, 0x62, 0x5f);
