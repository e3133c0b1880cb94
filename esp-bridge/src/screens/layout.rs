//! Pieces that several screens are made of.

use core::fmt::Write as _;

use embedded_graphics::{
    Drawable, Pixel,
    draw_target::DrawTarget,
    geometry::{Dimensions, Point, Size},
    pixelcolor::Rgb565,
    primitives::{Circle, CornerRadii, Primitive, PrimitiveStyle, Rectangle, RoundedRectangle},
    text::{Alignment, Baseline, Text, TextStyleBuilder},
};
use heapless::String;
use mplusfonts::style::BitmapFontStyleBuilder;

use super::{SIZE, fonts, fonts::Font, theme};

/// Left and right margin.
pub(super) const MARGIN: i32 = 16;
/// Longest line that is composed here; a longer one would not fit on the screen either.
pub(super) type Line = String<64>;

/// Text with what is behind it, for soft edges need to know that.
#[derive(Clone, Copy)]
pub(super) struct Ink {
    pub(super) font: &'static Font,
    pub(super) colour: Rgb565,
    pub(super) ground: Rgb565,
    pub(super) alignment: Alignment,
}

impl Ink {
    pub(super) const fn new(font: &'static Font, colour: Rgb565) -> Self {
        Self { font, colour, ground: theme::GROUND, alignment: Alignment::Left }
    }

    pub(super) const fn on(self, ground: Rgb565) -> Self {
        Self { ground, ..self }
    }

    pub(super) const fn aligned(self, alignment: Alignment) -> Self {
        Self { alignment, ..self }
    }

    /// Writes `text`; `at` is on its base line.
    pub(super) fn write<D: DrawTarget<Color = Rgb565>>(
        self,
        text: &str,
        at: Point,
        display: &mut D,
    ) -> Result<(), D::Error> {
        let letters = BitmapFontStyleBuilder::new()
            .text_color(self.colour)
            .background_color(self.ground)
            .font(self.font)
            .build();
        let style = TextStyleBuilder::new().alignment(self.alignment).baseline(Baseline::Alphabetic).build();
        let mut over = Over { display, ground: self.ground };
        Text::with_text_style(text, at, letters, style).draw(&mut over).map(|_| ())
    }
}

/// Leaves out pixels of the ground, which is there already: the boxes of letters are higher than lines are apart,
/// and would wipe out each other's edges.
struct Over<'a, D> {
    display: &'a mut D,
    ground: Rgb565,
}

impl<D: DrawTarget<Color = Rgb565>> DrawTarget for Over<'_, D> {
    type Color = Rgb565;
    type Error = D::Error;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb565>>>(&mut self, pixels: I) -> Result<(), D::Error> {
        let ground = self.ground;
        self.display.draw_iter(pixels.into_iter().filter(|Pixel(_, colour)| *colour != ground))
    }
}

impl<D: DrawTarget<Color = Rgb565>> Dimensions for Over<'_, D> {
    fn bounding_box(&self) -> Rectangle {
        self.display.bounding_box()
    }
}

/// `arguments` as a line; what does not fit is left out.
pub(super) fn line(arguments: core::fmt::Arguments<'_>) -> Line {
    let mut line = Line::new();
    let _ = line.write_fmt(arguments);
    line
}

/// An empty screen with a coloured edge on top, a mark and a title.
pub(super) fn header<D: DrawTarget<Color = Rgb565>>(
    title: &str,
    colour: Rgb565,
    display: &mut D,
) -> Result<(), D::Error> {
    display.fill_solid(&Rectangle::new(Point::zero(), SIZE), theme::GROUND)?;
    display.fill_solid(&Rectangle::new(Point::zero(), Size::new(SIZE.width, 6)), colour)?;
    Circle::new(Point::new(MARGIN, 27), 16).into_styled(PrimitiveStyle::with_fill(colour)).draw(display)?;
    Ink::new(&fonts::TITLE, theme::TEXT).write(title, Point::new(MARGIN + 28, 45), display)
}

/// A rectangle with round corners.
pub(super) fn panel<D: DrawTarget<Color = Rgb565>>(
    area: Rectangle,
    fill: Rgb565,
    display: &mut D,
) -> Result<(), D::Error> {
    RoundedRectangle::new(area, CornerRadii::new(Size::new(10, 10)))
        .into_styled(PrimitiveStyle::with_fill(fill))
        .draw(display)
}

/// A button: a panel with a word in its middle.
pub(super) fn button<D: DrawTarget<Color = Rgb565>>(
    area: Rectangle,
    word: &str,
    ink: Rgb565,
    fill: Rgb565,
    display: &mut D,
) -> Result<(), D::Error> {
    panel(area, fill, display)?;
    let middle = area.center() + Point::new(0, 7);
    Ink::new(&fonts::BODY, ink).on(fill).aligned(Alignment::Center).write(word, middle, display)
}
