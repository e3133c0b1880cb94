//! The letters, drawn at compile time.

use embedded_graphics::pixelcolor::Gray4;
use mplusfonts::{BitmapFont, mplus};

/// A font of this project: sixteen shades, no kerning tables.
pub(super) type Font = BitmapFont<'static, Gray4, 1>;

/// For the one thing that a screen says.
pub(super) static TITLE: Font = mplus!(1, 700, 30, true, 1, 4, ' '..='~');
/// For what is read.
pub(super) static BODY: Font = mplus!(1, 500, 19, true, 1, 4, ' '..='~');
/// For what names it.
pub(super) static SMALL: Font = mplus!(1, 500, 15, true, 1, 4, ' '..='~', ["·"]);
/// For digits that are compared.
pub(super) static CODE: Font = mplus!(code(115), 500, 21, true, 1, 4, ' '..='~');
