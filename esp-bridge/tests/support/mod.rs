//! A display without glass, and the scenes that it shows.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{convert::Infallible, fs, io::BufWriter, path::Path, sync::OnceLock, time::Duration};

use atecc::{SerialNumber, packet::Packet};
use atecc_emulator::provision::Personality;
use embedded_graphics::{pixelcolor::Rgb565, prelude::*, primitives::Rectangle};
use esp_bridge::{
    identity::Identity,
    policy::{KeySlots, Refusal},
    screens,
    session::{Origin, Session},
    state::Event,
    touch::{Meaning, Press, TouchPolicy},
};

/// When every scene begins.
pub(crate) const START: Duration = Duration::from_secs(100);

/// 320 × 240 pixels in memory.
pub(crate) struct Framebuffer(Vec<Rgb565>);

impl Framebuffer {
    pub(crate) fn new() -> Self {
        // A colour that no screen has: what is not drawn shows.
        Self(vec![Rgb565::MAGENTA; (screens::SIZE.width * screens::SIZE.height) as usize])
    }

    pub(crate) fn pixels(&self) -> &[Rgb565] {
        &self.0
    }

    /// The pixels with eight bits for each colour, as a display shows them.
    pub(crate) fn to_rgb(&self) -> Vec<u8> {
        let wide = |value: u8, bits: u8| (u32::from(value) * 255 / ((1 << bits) - 1)) as u8;
        self.0.iter().flat_map(|pixel| [wide(pixel.r(), 5), wide(pixel.g(), 6), wide(pixel.b(), 5)]).collect()
    }

    pub(crate) fn write_png(&self, path: &Path) {
        let file = BufWriter::new(fs::File::create(path).unwrap());
        let mut encoder = png::Encoder::new(file, screens::SIZE.width, screens::SIZE.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_compression(png::Compression::High);
        encoder.write_header().unwrap().write_image_data(&self.to_rgb()).unwrap();
    }
}

/// The pixels of a file that `write_png` made.
pub(crate) fn read_png(path: &Path) -> Option<Vec<u8>> {
    let file = std::io::BufReader::new(fs::File::open(path).ok()?);
    let mut reader = png::Decoder::new(file).read_info().ok()?;
    let mut pixels = vec![0; reader.output_buffer_size()?];
    reader.next_frame(&mut pixels).ok()?;
    Some(pixels)
}

impl OriginDimensions for Framebuffer {
    fn size(&self) -> Size {
        screens::SIZE
    }
}

impl DrawTarget for Framebuffer {
    type Color = Rgb565;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb565>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        let area = Rectangle::new(Point::zero(), screens::SIZE);
        for Pixel(at, colour) in pixels {
            assert!(area.contains(at), "drawn beside the display, at {at}");
            self.0[(at.y as u32 * screens::SIZE.width + at.x as u32) as usize] = colour;
        }
        Ok(())
    }
}

/// A screen with the name of its picture, and the time that it shows.
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    pub(crate) session: Session,
    pub(crate) now: Duration,
}

impl Scene {
    pub(crate) fn draw(&self) -> Framebuffer {
        let mut display = Framebuffer::new();
        screens::draw(&self.session, self.now, &mut display).unwrap();
        display
    }
}

pub(crate) fn sign(slot: u16, digest: [u8; 32]) -> [Packet; 3] {
    [
        Packet::new(0x1b, 0x00, 0, &[], 32),
        Packet::new(0x16, 0x43, 0, &[&digest], 1),
        Packet::new(0x41, 0xa0, slot, &[], 64),
    ]
}

/// SHA-256 of nothing, which everybody knows by its beginning.
const DIGEST: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
    0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

pub(crate) fn with_chip(touch: TouchPolicy, signer: Option<u16>) -> Session {
    let mut session = Session::new(touch);
    let identity = Identity {
        serial_number: SerialNumber::from_bytes([0x01, 0x23, 0xa4, 0x5b, 0xc6, 0x7d, 0xe8, 0x9f, 0x01]),
        part: "ATECC608B",
        signer,
    };
    // Making a chip takes a while.
    static KEYS: OnceLock<KeySlots> = OnceLock::new();
    let keys = KEYS
        .get_or_init(|| KeySlots::from_configuration(&Personality::TngTls3.make().unwrap().configuration()));
    session.chip_found(identity, *keys, START);
    session
}

fn press(session: &mut Session, meaning: Meaning, now: Duration) {
    session.idle(Some(Press { meaning, since: now }), now);
}

/// Every screen.
pub(crate) fn scenes() -> Vec<Scene> {
    let scene = |name, session, seconds| Scene { name, session, now: START + Duration::from_secs(seconds) };
    let mut scenes = vec![scene("boot", Session::new(TouchPolicy::Always), 0)];

    scenes.push(scene("ready", with_chip(TouchPolicy::Always, Some(0x2c20)), 1));

    let mut used = with_chip(TouchPolicy::Never, Some(0x2c20));
    for _ in 0..1_024 {
        used.request(&sign(0, DIGEST), Origin::Transaction, START);
        used.done(true, START);
    }
    scenes.push(scene("ready-used", used, 1));

    let mut minutes = with_chip(TouchPolicy::Every(Duration::from_secs(300)), None);
    press(&mut minutes, Meaning::Unlock, START);
    scenes.push(scene("unlocked", minutes, 13));

    let asking = |packets: &[Packet]| {
        let mut session = with_chip(TouchPolicy::Always, Some(0x2c20));
        press(&mut session, Meaning::Unlock, START);
        session.request(packets, Origin::Transaction, START);
        session
    };
    scenes.push(scene("asking-sign", asking(&sign(0, DIGEST)), 8));
    scenes.push(scene("asking-two", asking(&[sign(0, DIGEST), sign(2, [0x11; 32])].concat()), 15));
    scenes.push(scene("asking-ecdh", asking(&[Packet::new(0x43, 0x0c, 0, &[&[0; 64]], 32)]), 2));
    scenes.push(scene("asking-write", asking(&[Packet::new(0x12, 0x82, 8 << 3, &[&[0; 32]], 1)]), 4));
    scenes.push(scene("asking-lock", asking(&[Packet::new(0x17, 0xa2, 0, &[], 1)]), 25));

    let mut signing = with_chip(TouchPolicy::Never, Some(0x2c20));
    signing.request(&sign(0, DIGEST), Origin::Transaction, START);
    scenes.push(scene("signing", signing, 0));

    let refused = |packets: &[Packet]| {
        let mut session = with_chip(TouchPolicy::Always, Some(0x2c20));
        session.request(packets, Origin::Transaction, START);
        session
    };
    scenes.push(scene("refused-locked", refused(&[Packet::new(0x12, 0x82, 8 << 3, &[&[0; 32]], 1)]), 1));
    scenes.push(scene(
        "refused-unknown",
        refused(&[Packet::new(0x77, 0x00, 0, &[], 1), Packet::new(0x41, 0x13, 0, &[], 1)]),
        1,
    ));
    scenes.push(scene("refused-slot", refused(&sign(8, DIGEST)), 1));
    let mut denied = refused(&sign(0, DIGEST));
    let now = START + Duration::from_secs(2);
    denied.answer(&sign(0, DIGEST), Some(Press { meaning: Meaning::Refuse, since: now }), now);
    scenes.push(scene("refused-denied", denied, 3));
    let mut cancelled = refused(&sign(0, DIGEST));
    cancelled.withdraw(Refusal::Cancelled, now);
    scenes.push(scene("refused-cancelled", cancelled, 3));
    let [_, nonce, sign_only] = sign(0, DIGEST);
    let mut late = with_chip(TouchPolicy::Always, Some(0x2c20));
    late.request(&[nonce], Origin::LeaseBegin, START);
    late.request(&[sign_only], Origin::LeaseNext, START);
    scenes.push(scene("refused-late", late, 1));
    let mut timed_out = refused(&sign(0, DIGEST));
    timed_out.answer(&sign(0, DIGEST), None, START + Duration::from_secs(30));
    scenes.push(scene("refused-timeout", timed_out, 31));

    for (name, event) in [("chip-missing", Event::ChipLost), ("bus-fault", Event::BusFailed)] {
        let mut session = Session::new(TouchPolicy::Always);
        session.chip_lost(event, START);
        scenes.push(scene(name, session, 1));
    }
    scenes
}
