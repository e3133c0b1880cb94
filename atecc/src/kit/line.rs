//! Lines: what a host may say, and how it is answered.

use core::fmt::Write;

use heapless::String;

use crate::packet::{MAX_GROUP, Packet, Response};

/// Longest reply: status, parentheses and a whole group in hexadecimal.
pub const MAX_REPLY: usize = 2 + 2 + 2 * MAX_GROUP + 1;

/// A reply with its line end.
pub type Reply = String<MAX_REPLY>;

/// How the kit names the chip: eight-bit I2C address.
const IDENTITY: u8 = 0x6a;

/// What the vendor's library takes the two digits in front of the parentheses for (its `ATCA_STATUS`).
mod code {
    pub(super) const SUCCESS: u8 = 0x00;
    pub(super) const INVALID_ID: u8 = 0xe3;
    pub(super) const UNIMPLEMENTED: u8 = 0xf5;
}

/// One line of a host.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Line {
    /// `board:version()`.
    Version,
    /// `board:device(NN)`: what is the device with this index?
    Device {
        /// The index.
        index: u8,
    },
    /// `E:physical:interface:i2c`: use this interface from now on.
    Interface,
    /// `E:physical:select(NN)`: talk to this one.
    Select {
        /// Whether it is the chip.
        is_known: bool,
    },
    /// `E:w()`: wake it.
    Wake,
    /// `E:i()`: idle.
    Idle,
    /// `E:s()`: sleep.
    Sleep,
    /// `E:t(HEX)`: one command.
    Talk(Packet),
    /// `E:t(HEX)` with a group whose length or CRC is wrong.
    Damaged,
    /// Another line of this protocol.
    Unknown,
}

/// What `line` says, or nothing if it is not of this protocol: a console, a modem manager that looks for modems.
pub fn parse(line: &[u8]) -> Option<Line> {
    let line = line.trim_ascii();
    let (target, rest) = split(line, b':')?;
    let (name, argument) = match split(rest, b'(') {
        Some((name, argument)) => (name, argument.strip_suffix(b")")?),
        None => (rest, &b""[..]),
    };
    let is = |word: &str| name.eq_ignore_ascii_case(word.as_bytes());
    if target.eq_ignore_ascii_case(b"board") {
        return Some(match hex_byte(argument) {
            _ if is("version") => Line::Version,
            Some(index) if is("device") => Line::Device { index },
            _ => Line::Unknown,
        });
    }
    if !target.eq_ignore_ascii_case(b"e") && !target.eq_ignore_ascii_case(b"ecc") {
        return None;
    }
    Some(if is("w") || is("wake") {
        Line::Wake
    } else if is("i") || is("idle") {
        Line::Idle
    } else if is("s") || is("sleep") {
        Line::Sleep
    } else if is("t") || is("talk") {
        talk(argument)
    } else if is("physical:select") {
        Line::Select { is_known: hex_byte(argument) == Some(IDENTITY) }
    } else if is("physical:interface:i2c") {
        Line::Interface
    } else {
        Line::Unknown
    })
}

/// The answer to [`Line::Device`]. The host stops looking at the first that is the chip it wants; a line of
/// another form ends its search with an error.
pub fn device(index: u8) -> Reply {
    let mut reply = Reply::new();
    // Shorter than a reply may be.
    let _ = match index {
        0 => writeln!(reply, "ECC608A TWI {index:02X}({IDENTITY:02X})"),
        _ => writeln!(reply, "NO_DEVICE NONE {index:02X}(00)"),
    };
    reply
}

/// `00(` data `)` in hexadecimal.
pub fn reply(data: &[u8]) -> Reply {
    coded(code::SUCCESS, data)
}

/// The answer to everything that needs no chip.
pub fn status_reply(line: &Line) -> Reply {
    match line {
        Line::Version => coded(code::SUCCESS, &[crate::link::VERSION]),
        Line::Device { index } => device(*index),
        Line::Select { is_known: false } => coded(code::INVALID_ID, &[]),
        Line::Unknown => coded(code::UNIMPLEMENTED, &[]),
        // What the chip says to a packet that arrived damaged.
        Line::Damaged => {
            Response::new(&[0xff]).map_or_else(|_| reply(&[]), |response| reply(&response.to_group()))
        }
        _ => reply(&[]),
    }
}

fn coded(code: u8, data: &[u8]) -> Reply {
    let mut reply = Reply::new();
    // A group at most, which fits.
    let _ = write!(reply, "{code:02X}(");
    for byte in data {
        let _ = write!(reply, "{byte:02X}");
    }
    let _ = writeln!(reply, ")");
    reply
}

fn talk(hex: &[u8]) -> Line {
    let mut group = zeroize::Zeroizing::new([0; MAX_GROUP]);
    let (pairs, rest) = hex.as_chunks::<2>();
    if !rest.is_empty() || pairs.len() > group.len() {
        return Line::Damaged;
    }
    for (byte, pair) in group.iter_mut().zip(pairs) {
        let Some(value) = hex_byte(pair) else { return Line::Damaged };
        *byte = value;
    }
    Packet::parse(&group[..pairs.len()]).map_or(Line::Damaged, Line::Talk)
}

/// Exactly two hexadecimal digits.
fn hex_byte(text: &[u8]) -> Option<u8> {
    let [high, low] = text else { return None };
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    Some((digit(high)? << 4 | digit(low)?) as u8)
}

fn split(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let position = text.iter().position(|byte| *byte == at)?;
    Some((text.get(..position)?, text.get(position + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of Microchip's library, release 20260505.
    #[test]
    fn the_lines_of_the_vendors_library_are_understood() {
        assert_eq!(parse(b"board:device(00)"), Some(Line::Device { index: 0 }));
        assert_eq!(parse(b"E:physical:interface:i2c"), Some(Line::Interface));
        assert_eq!(parse(b"E:physical:select(6A)"), Some(Line::Select { is_known: true }));
        assert_eq!(parse(b"E:w()"), Some(Line::Wake));
        assert_eq!(parse(b"E:i()"), Some(Line::Idle));
        assert_eq!(parse(b"E:s()"), Some(Line::Sleep));
        let info = Packet::new(0x30, 0, 0, &[], 4);
        assert_eq!(parse(b"E:t(07300000000 35D)"), Some(Line::Damaged));
        let mut line = String::<64>::new();
        let _ = write!(line, "E:t(");
        info.as_bytes().iter().for_each(|byte| write!(line, "{byte:02X}").unwrap());
        let _ = write!(line, ")");
        let Some(Line::Talk(packet)) = parse(line.as_bytes()) else { panic!("not understood") };
        assert_eq!(packet.as_bytes(), info.as_bytes());
    }

    #[test]
    fn the_replies_are_those_that_the_vendors_library_takes() {
        assert_eq!(device(0), "ECC608A TWI 00(6A)\n");
        assert_eq!(device(3), "NO_DEVICE NONE 03(00)\n");
        assert_eq!(reply(&[0x04, 0x11, 0x33, 0x43]), "00(04113343)\n");
        assert_eq!(status_reply(&Line::Idle), "00()\n");
        assert_eq!(status_reply(&Line::Damaged), "00(04FF0142)\n");
    }

    #[test]
    fn what_is_not_of_the_protocol_is_left_alone() {
        for line in ["AT", "ATZ", "ets Jul 29 2019 12:21:46", "rst:0x1 (POWERON_RESET)", "", "e", "(", ":"] {
            assert_eq!(parse(line.as_bytes()), None, "{line}");
        }
        assert_eq!(parse(b"E:x()"), Some(Line::Unknown));
        assert_eq!(parse(b"E:t(07"), None);
    }

    #[test]
    fn no_line_makes_it_panic_or_overflow() {
        let longest = [b'A'; 2 * MAX_GROUP + 20];
        for length in 0..longest.len() {
            let mut line = heapless::Vec::<u8, 400>::from_slice(b"E:t(").unwrap();
            line.extend_from_slice(&longest[..length]).unwrap();
            line.push(b')').unwrap();
            assert_eq!(parse(&line), Some(Line::Damaged));
        }
        assert!(reply(&[0xff; MAX_GROUP]).ends_with(")\n"));
    }
}
