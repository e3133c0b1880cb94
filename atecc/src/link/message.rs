//! What stands in frames. Numbers are little-endian.

use core::{fmt, ops::BitOr};

use heapless::String;

use super::{FrameWriter, VERSION};
use crate::packet::{MAX_GROUP, MIN_GROUP, Packet, Response};

/// Longest name of a far end, in bytes.
pub const MAX_NAME: usize = 32;

/// The first byte of a payload: what it is. The four bytes behind it are the sequence number.
///
/// No kind is a printable character, a line end or zero: that tells frames from text. Requests are below 0x80 and
/// answers above, so that a line that only echoes is not taken for a far end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// 0x01: version. Who are you?
    Hello,
    /// 0x02: flags, commands. One transaction.
    Transact,
    /// 0x03: flags, one command; with flag 0x04 also the commands that the lease is for, so that who is to be asked is
    /// asked before: whole, or without data where that is not known yet. Wakes the chip and keeps it for a lease.
    Lease,
    /// 0x04: flags, one command. The next of the lease.
    Next,
    /// 0x05: The lease is no longer needed.
    End,
    /// 0x06: The request with this sequence number is no longer wanted.
    Cancel,
    /// 0x07: rate in baud (4 bytes). Run the line at this rate from your answer on.
    Rate,
    /// 0x81: see [`Welcome`].
    Welcome,
    /// 0x82: how many commands were answered, answers. If only that is wanted, the last of them.
    Answer,
    /// 0x83: state, seconds left (2 bytes). The request goes on; see [`Progress`].
    Progress,
    /// 0x84: code, detail. See [`Fault`](super::Fault).
    Fault,
}

impl Kind {
    /// The byte that stands for it.
    pub const fn code(self) -> u8 {
        match self {
            Self::Hello => 0x01,
            Self::Transact => 0x02,
            Self::Lease => 0x03,
            Self::Next => 0x04,
            Self::End => 0x05,
            Self::Cancel => 0x06,
            Self::Rate => 0x07,
            Self::Welcome => 0x81,
            Self::Answer => 0x82,
            Self::Progress => 0x83,
            Self::Fault => 0x84,
        }
    }

    /// What `code` stands for, if it is known.
    pub const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0x01 => Self::Hello,
            0x02 => Self::Transact,
            0x03 => Self::Lease,
            0x04 => Self::Next,
            0x05 => Self::End,
            0x06 => Self::Cancel,
            0x07 => Self::Rate,
            0x81 => Self::Welcome,
            0x82 => Self::Answer,
            0x83 => Self::Progress,
            0x84 => Self::Fault,
            _ => return None,
        })
    }
}

/// Flag of a transaction: only the last answer is wanted.
pub(super) const LAST_ONLY: u8 = 0x01;
/// Flag of a transaction or lease: this request was sent before, and twice is not the same as once.
pub(super) const AGAIN: u8 = 0x02;
/// Flag of a lease: behind its first command stand those that it is for.
pub(super) const PLANNED: u8 = 0x04;
/// The flags of a transaction.
pub(super) const TRANSACT_FLAGS: u8 = LAST_ONLY | AGAIN;
/// The flags of a lease.
pub(super) const LEASE_FLAGS: u8 = LAST_ONLY | AGAIN | PLANNED;

/// Kind, sequence number and the rest of a payload.
pub(super) fn split(payload: &[u8]) -> Option<(u8, u32, &[u8])> {
    let (kind, rest) = payload.split_first()?;
    let (sequence, body) = rest.split_first_chunk()?;
    Some((*kind, u32::from_le_bytes(*sequence), body))
}

/// Begins a frame with `kind` and `sequence`.
pub(super) fn begin(writer: &mut FrameWriter, kind: Kind, sequence: u32) {
    writer.begin();
    writer.put(&[kind.code()]);
    writer.put(&sequence.to_le_bytes());
}

/// The group at the beginning of `bytes`, which its first byte tells the length of, and what follows.
fn split_group(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let count = usize::from(*bytes.first()?);
    if !(MIN_GROUP..=MAX_GROUP).contains(&count) {
        return None;
    }
    bytes.split_at_checked(count)
}

/// The command at the beginning of `bytes`, and what follows.
pub(super) fn split_packet(bytes: &[u8]) -> Option<(Packet, &[u8])> {
    let (group, rest) = split_group(bytes)?;
    Some((Packet::parse(group).ok()?, rest))
}

/// The answer at the beginning of `bytes`, and what follows.
pub(super) fn split_response(bytes: &[u8]) -> Option<(Response, &[u8])> {
    let (group, rest) = split_group(bytes)?;
    Some((Response::parse(group).ok()?, rest))
}

/// What a far end can do: a set of bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities(u16);

impl Capabilities {
    /// The chip is software, however long the way to it is. Never hidden: an end that serves an emulated chip, or
    /// passes on one that said so, sets it.
    pub const EMULATED: Self = Self(0x0001);
    /// A touch may be asked for.
    pub const TOUCH: Self = Self(0x0002);
    /// Leases are served.
    pub const LEASE: Self = Self(0x0004);
    /// Microchip's text protocol is understood on the same stream.
    pub const KIT: Self = Self(0x0008);
    /// The line can run at other rates.
    pub const RATE: Self = Self(0x0010);
    /// A lease may say what it is for (flag 0x04).
    pub const PLAN: Self = Self(0x0020);

    /// The set of these bits.
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// The bits.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Whether all of `other` are in it.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Capabilities {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The answer to Hello. On the wire: version (1), capabilities (2), longest request payload (2), longest answer
/// payload (2), number of this run (4), name (the rest, UTF-8, at most [`MAX_NAME`]).
///
/// Later versions put what they add behind the name, after a zero byte.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Welcome {
    /// The protocol's version at the far end.
    pub version: u8,
    /// What it can do.
    pub capabilities: Capabilities,
    /// Longest payload of a request that it takes, in bytes.
    pub max_request: u16,
    /// Longest payload of an answer that it gives, in bytes.
    pub max_answer: u16,
    /// Another number after each start of the far end.
    pub run: u32,
    /// What it calls itself, for people.
    pub name: String<MAX_NAME>,
}

impl Welcome {
    pub(super) fn write(&self, writer: &mut FrameWriter) {
        writer.put(&[self.version]);
        writer.put(&self.capabilities.bits().to_le_bytes());
        writer.put(&self.max_request.to_le_bytes());
        writer.put(&self.max_answer.to_le_bytes());
        writer.put(&self.run.to_le_bytes());
        writer.put(self.name.as_bytes());
    }

    /// What is in `body`. Absent fields are zero, as the rules of the protocol have it.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let (version, rest) = body.split_first()?;
        let (capabilities, rest) = number(rest);
        let (max_request, rest) = number(rest);
        let (max_answer, rest) = number(rest);
        let (low, rest) = number(rest);
        let (high, rest) = number(rest);
        let name = rest.split(|byte| *byte == 0).next().unwrap_or_default();
        let mut text = String::new();
        for character in name.utf8_chunks().flat_map(|chunk| chunk.valid().chars()) {
            // Nothing from a wire moves the cursor of a terminal.
            let character = if character.is_control() { '?' } else { character };
            if text.push(character).is_err() {
                break;
            }
        }
        Some(Self {
            version: *version,
            capabilities: Capabilities::from_bits(capabilities),
            max_request,
            max_answer,
            run: u32::from(high) << 16 | u32::from(low),
            name: text,
        })
    }

    /// Whether this end understands the far end.
    pub const fn fits(&self) -> bool {
        self.version == VERSION
    }
}

/// Two bytes, or zero if they are absent.
fn number(bytes: &[u8]) -> (u16, &[u8]) {
    match bytes.split_first_chunk() {
        Some((number, rest)) => (u16::from_le_bytes(*number), rest),
        None => (0, &[]),
    }
}

/// What the far end is at while a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// 1: it waits for somebody to touch the device.
    Touch {
        /// Seconds until it gives up.
        seconds_left: u16,
    },
    /// 2: it works; also every state that this version does not know.
    Working,
}

impl Progress {
    pub(super) fn write(self, writer: &mut FrameWriter) {
        let (state, seconds) = match self {
            Self::Touch { seconds_left } => (1, seconds_left),
            Self::Working => (2, 0),
        };
        writer.put(&[state]);
        writer.put(&seconds.to_le_bytes());
    }

    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let (state, rest) = body.split_first()?;
        Some(match state {
            1 => Self::Touch { seconds_left: number(rest).0 },
            _ => Self::Working,
        })
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Touch { seconds_left } => {
                write!(f, "waiting for a touch of the device, {seconds_left} s left")
            }
            Self::Working => f.write_str("the device works"),
        }
    }
}
