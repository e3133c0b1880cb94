//! Frames: a delimiter, the payload and its CRC-32 in COBS, a delimiter.
//!
//! COBS (Cheshire and Baker, "Consistent Overhead Byte Stuffing", 1999) takes all zeros out of the bytes, so that
//! a zero is a delimiter wherever it stands. Whatever came before it, the next frame is whole.

use core::{ops::Range, time::Duration};

use heapless::Vec;
use zeroize::Zeroize;

use super::{SILENCE, Stream};
use crate::{packet::MAX_GROUP, transport::MAX_COMMANDS};

/// Longest payload: kind, sequence number, flags, and as many commands as a transaction may have.
pub const MAX_PAYLOAD: usize = 6 + MAX_COMMANDS * MAX_GROUP;

/// Longest frame: payload and CRC with one byte of COBS for each 254 begun, between two delimiters.
pub const MAX_FRAME: usize = (MAX_PAYLOAD + CRC) + (MAX_PAYLOAD + CRC) / RUN + 1 + 2;

/// Stands between frames, and in none.
const DELIMITER: u8 = 0x00;
/// Bytes of the CRC-32.
const CRC: usize = 4;
/// Shortest payload: kind and sequence number.
const MIN_PAYLOAD: usize = 5;
/// Bytes that one code byte of COBS can announce.
const RUN: usize = 254;

/// The CRC-32 of ISO 3309 (the one of Ethernet and zip) over `bytes`.
pub fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |register, byte| step(register, *byte))
}

/// Bit by bit: a frame has some hundred bytes, which take longer on the line.
const fn step(register: u32, byte: u8) -> u32 {
    let mut register = register ^ byte as u32;
    let mut bit = 0;
    while bit < 8 {
        register = register >> 1 ^ if register & 1 == 1 { 0xedb8_8320 } else { 0 };
        bit += 1;
    }
    register
}

/// Writes one frame, encoding as it goes.
pub struct FrameWriter {
    frame: Vec<u8, MAX_FRAME>,
    /// Where the code byte of the present run stands.
    code: usize,
    crc: u32,
    is_whole: bool,
}

impl FrameWriter {
    /// Without a frame.
    pub const fn new() -> Self {
        Self { frame: Vec::new(), code: 0, crc: u32::MAX, is_whole: false }
    }

    /// Begins a frame. The delimiter in front ends whatever garbage is on the line.
    pub fn begin(&mut self) {
        self.clear();
        // Room for two of MAX_FRAME bytes.
        let _ = self.frame.extend_from_slice(&[DELIMITER, 1]);
        self.code = 1;
        self.crc = u32::MAX;
        self.is_whole = true;
    }

    /// Appends to the payload.
    pub fn put(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.crc = step(self.crc, *byte);
            self.encode(*byte);
        }
    }

    /// Appends CRC and delimiter. A payload that was too long leaves no frame.
    pub fn end(&mut self) {
        for byte in (!self.crc).to_le_bytes() {
            self.encode(byte);
        }
        self.push(DELIMITER);
        if !self.is_whole {
            self.clear();
        }
    }

    /// The frame, once it has ended; empty if there is none.
    pub fn frame(&self) -> &[u8] {
        &self.frame
    }

    /// Forgets the frame, which may hold secrets.
    pub fn clear(&mut self) {
        self.frame.as_mut_slice().zeroize();
        self.frame.clear();
    }

    fn encode(&mut self, byte: u8) {
        if byte == 0 {
            self.run();
            return;
        }
        self.push(byte);
        let Some(code) = self.frame.get_mut(self.code) else { return };
        *code += 1;
        if usize::from(*code) == RUN + 1 {
            self.run();
        }
    }

    fn run(&mut self) {
        self.code = self.frame.len();
        self.push(1);
    }

    fn push(&mut self, byte: u8) {
        self.is_whole &= self.frame.push(byte).is_ok();
    }
}

impl Default for FrameWriter {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for FrameWriter {
    fn drop(&mut self) {
        self.clear();
    }
}

/// What a [`Receiver`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A frame; its [`payload`](Receiver::payload) has at least a kind and a sequence number.
    Frame,
    /// A line of printable text without its end; it is the [`payload`](Receiver::payload).
    Line,
}

/// Finds frames, and lines of text, in what comes in.
pub struct Receiver {
    buffer: Vec<u8, MAX_FRAME>,
    /// The payload stands at the beginning of the buffer until the next byte.
    payload: Option<usize>,
    /// What came with one read and was not looked at yet.
    chunk: [u8; 64],
    next: usize,
    end: usize,
    /// When something came last.
    heard: Duration,
    /// More came than fits: nothing counts until the next delimiter.
    is_deaf: bool,
    broken: u32,
}

impl Receiver {
    /// With nothing received.
    pub const fn new() -> Self {
        Self {
            buffer: Vec::new(),
            payload: None,
            chunk: [0; 64],
            next: 0,
            end: 0,
            heard: Duration::ZERO,
            is_deaf: false,
            broken: 0,
        }
    }

    /// What the last [`receive`](Self::receive) found.
    pub fn payload(&self) -> &[u8] {
        self.payload.and_then(|length| self.buffer.get(..length)).unwrap_or_default()
    }

    /// How often something came that was neither a frame nor text.
    pub const fn broken(&self) -> u32 {
        self.broken
    }

    /// The next frame or line, or nothing when `limit` has passed.
    ///
    /// # Errors
    /// When the stream fails.
    pub fn receive<S: Stream>(
        &mut self,
        stream: &mut S,
        limit: Duration,
    ) -> Result<Option<Incoming>, S::Error> {
        let end = stream.now() + limit;
        let mut has_looked = false;
        loop {
            while self.next < self.end {
                let byte = self.chunk[self.next];
                self.chunk[self.next] = 0;
                self.next += 1;
                if let Some(incoming) = self.push(byte) {
                    return Ok(Some(incoming));
                }
            }
            let left = end.saturating_sub(stream.now());
            if has_looked && left.is_zero() {
                return Ok(None);
            }
            has_looked = true;
            let wait = if self.is_pending() { left.min(SILENCE) } else { left };
            (self.next, self.end) = (0, 0);
            self.end = stream.read(&mut self.chunk, wait)?.min(self.chunk.len());
            let now = stream.now();
            if self.end > 0 {
                self.heard = now;
            } else if self.is_pending() && now.saturating_sub(self.heard) >= SILENCE {
                self.silence();
            }
        }
    }

    /// Takes one byte.
    pub fn push(&mut self, byte: u8) -> Option<Incoming> {
        if self.payload.take().is_some() {
            self.clear();
        }
        match byte {
            DELIMITER => {
                let incoming = self.decode();
                if incoming.is_none() {
                    self.clear();
                }
                self.is_deaf = false;
                incoming
            }
            // A frame may hold this byte and even begin with it, but then its second byte, the kind, is not text.
            b'\n' if self.line().is_some() => self.take_line(),
            // Text that was damaged on its way. What follows is a line of its own.
            b'\n' if self.is_no_frame() => {
                self.broken = self.broken.wrapping_add(u32::from(!self.buffer.trim_ascii().is_empty()));
                self.clear();
                None
            }
            _ => {
                if !self.is_deaf && self.buffer.push(byte).is_err() {
                    self.clear();
                    self.is_deaf = true;
                    self.broken = self.broken.wrapping_add(1);
                }
                None
            }
        }
    }

    /// Forgets the payload, which may hold secrets.
    pub fn clear(&mut self) {
        self.buffer.as_mut_slice().zeroize();
        self.buffer.clear();
        self.payload = None;
    }

    /// Where in the buffer a line of text stands, if there is nothing else in it.
    fn line(&self) -> Option<Range<usize>> {
        let start = self.buffer.iter().position(|byte| !byte.is_ascii_whitespace())?;
        let end = self.buffer.trim_ascii_end().len();
        self.buffer.get(start..end)?.iter().all(|byte| is_text(*byte)).then_some(start..end)
    }

    /// Whether what has begun cannot become a frame, if a line end comes next: the second byte of a frame is its kind,
    /// which is neither printable nor a line end.
    fn is_no_frame(&self) -> bool {
        match self.buffer.as_slice() {
            [] => false,
            [_] => true,
            [_, kind, ..] => is_text(*kind) || kind.is_ascii_whitespace(),
        }
    }

    fn take_line(&mut self) -> Option<Incoming> {
        let line = self.line()?;
        self.payload = Some(line.len());
        self.buffer.copy_within(line, 0);
        Some(Incoming::Line)
    }

    /// Nothing came for a while. Text may be typed by hand; anything else was cut off.
    fn silence(&mut self) {
        if self.is_deaf || self.line().is_none() {
            self.broken = self.broken.wrapping_add(1);
            self.clear();
        }
        self.is_deaf = false;
    }

    /// Whether something has begun and not ended.
    fn is_pending(&self) -> bool {
        self.payload.is_none() && (self.is_deaf || !self.buffer.is_empty())
    }

    /// The payload of the frame in the buffer, decoded in place.
    fn decode(&mut self) -> Option<Incoming> {
        if self.buffer.is_empty() && !self.is_deaf {
            return None;
        }
        let decoded = if self.is_deaf { None } else { decode(&mut self.buffer) };
        let length = decoded.and_then(|length| {
            let (payload, crc) = self.buffer.get(..length)?.split_last_chunk::<CRC>()?;
            (payload.len() >= MIN_PAYLOAD && crc32(payload).to_le_bytes() == *crc).then_some(payload.len())
        });
        if length.is_none() {
            self.broken = self.broken.wrapping_add(1);
        }
        self.payload = length;
        length.map(|_| Incoming::Frame)
    }
}

impl Default for Receiver {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.clear();
    }
}

const fn is_text(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t')
}

/// Takes COBS off `bytes` and returns the length of what is left at their beginning; nothing if a code byte
/// points past the end.
fn decode(bytes: &mut [u8]) -> Option<usize> {
    let (mut from, mut to) = (0, 0);
    while from < bytes.len() {
        let run = usize::from(*bytes.get(from)?).checked_sub(1)?;
        let next = from + 1 + run;
        if next > bytes.len() {
            return None;
        }
        bytes.copy_within(from + 1..next, to);
        to += run;
        // A full run stands for no zero, and neither does the last.
        if run < RUN && next < bytes.len() {
            *bytes.get_mut(to)? = 0;
            to += 1;
        }
        from = next;
    }
    Some(to)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use super::*;

    fn frame(payload: &[u8]) -> Vec<u8> {
        let mut writer = FrameWriter::new();
        writer.begin();
        writer.put(payload);
        writer.end();
        writer.frame().to_vec()
    }

    /// All frames and lines in `bytes`.
    fn found(bytes: &[u8]) -> Vec<(Incoming, Vec<u8>)> {
        let mut receiver = Receiver::new();
        let mut found = Vec::new();
        for byte in bytes {
            if let Some(incoming) = receiver.push(*byte) {
                found.push((incoming, receiver.payload().to_vec()));
            }
        }
        found
    }

    #[test]
    fn the_crc_is_that_of_the_catalogue() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn stuffing_is_that_of_the_paper() {
        for (plain, stuffed) in [
            (&[0x00_u8][..], &[0x01_u8, 0x01][..]),
            (&[0x11, 0x22, 0x00, 0x33], &[0x03, 0x11, 0x22, 0x02, 0x33]),
            (&[0x11, 0x00, 0x00, 0x00], &[0x02, 0x11, 0x01, 0x01, 0x01]),
        ] {
            let mut bytes = stuffed.to_vec();
            let length = decode(&mut bytes).unwrap();
            assert_eq!(&bytes[..length], plain);
            let mut writer = FrameWriter::new();
            writer.begin();
            writer.put(plain);
            assert_eq!(&writer.frame()[1..], stuffed);
        }
    }

    #[test]
    fn every_length_survives_with_and_without_zeros() {
        for length in MIN_PAYLOAD..=MAX_PAYLOAD {
            for mut bytes in
                [std::vec![0x5a; length], std::vec![0; length], (0..length).map(|n| n as u8).collect()]
            {
                // A kind, which is neither text nor zero.
                bytes[0] = 0x02;
                let frame = frame(&bytes);
                assert!(frame.len() <= MAX_FRAME);
                assert_eq!(frame.iter().filter(|byte| **byte == DELIMITER).count(), 2);
                assert_eq!(found(&frame), [(Incoming::Frame, bytes)]);
            }
        }
    }

    #[test]
    fn what_is_too_long_becomes_no_frame() {
        assert!(frame(&[1; MAX_PAYLOAD + 300]).is_empty());
    }

    #[test]
    fn no_flipped_bit_and_no_lost_byte_gives_another_frame() {
        let good = frame(&[2, 0, 1, 2, 3, 0, 7, 0x30, 0, 0, 0, 9]);
        for position in 1..good.len() - 1 {
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[position] ^= 1 << bit;
                assert!(found(&bad).iter().all(|(kind, _)| *kind == Incoming::Line), "{position}, {bit}");
            }
            let mut short = good.clone();
            short.remove(position);
            assert_eq!(found(&short), []);
        }
    }

    #[test]
    fn a_frame_after_garbage_is_found() {
        let good = frame(&[2, 1, 2, 3, 4, 5]);
        let boot = b"ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x17";
        let half = &good[..good.len() / 2];
        let flood = std::vec![0x5a; 3 * MAX_FRAME];
        for garbage in [&boot[..], half, &flood, &[0xff; 5], &[0; 5], &[0x05, 0x01]] {
            let all = found(&[garbage, &good].concat());
            assert_eq!(all.last(), Some(&(Incoming::Frame, std::vec![2, 1, 2, 3, 4, 5])));
        }
    }

    #[test]
    fn a_frame_that_begins_with_the_byte_of_a_line_end_is_a_frame() {
        // Nine bytes without a zero: COBS begins with ten.
        let good = frame(&[5, 1, 2, 3, 4]);
        assert_eq!(good[1], b'\n');
        assert_eq!(found(&good), [(Incoming::Frame, std::vec![5, 1, 2, 3, 4])]);
    }

    #[test]
    fn a_line_that_was_damaged_ends_where_it_ends() {
        let line = || (Incoming::Line, b"E:w()".to_vec());
        for damaged in [&b"E:t(07\xff0)\n"[..], b"\xffE:w()\n", b"\xff\n", b"\r\n\x01E:i()\r\n", b"\n\n\n"] {
            assert_eq!(found(&[damaged, b"E:w()\n"].concat()), [line()], "{damaged:02x?}");
        }
    }

    #[test]
    fn text_is_told_from_frames() {
        let line = || (Incoming::Line, b"board:device(00)".to_vec());
        assert_eq!(found(b"board:device(00)\n"), [line()]);
        assert_eq!(found(b"\r\n\nboard:device(00)\r\n"), [line()]);
        // Behind a frame, and a frame behind it.
        let good = frame(&[2, 1, 2, 3, 4, 5]);
        let all = found(&[&good[..], b"board:device(00)\n", &good].concat());
        assert_eq!(all.len(), 3);
        assert_eq!(all[1], line());
        // Inside of a frame it is not text.
        let text = frame(b"\x02\x01\x01\x01\x01\nE:w()\nE:w()\n");
        assert_eq!(found(&text).len(), 1);
    }
}
