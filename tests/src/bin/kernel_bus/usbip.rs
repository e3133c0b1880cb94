//! The far end of USB/IP: Documentation/usb/usbip_protocol.rst of Linux. Numbers are big-endian.
//!
//! Only control transfers, and one after the other: a request that is to be unlinked has been answered already.

use std::io::{self, ErrorKind, Read, Write};

/// Bytes of every header.
const HEADER: usize = 48;
/// Longest transfer that is taken: that of i2c-dev's longest message.
const LONGEST: usize = 8_192;

const SUBMIT: u32 = 1;
const UNLINK: u32 = 2;
const SUBMITTED: u32 = 3;
const UNLINKED: u32 = 4;
/// The direction of a transfer from the device.
const IN: u32 = 1;
/// -EPIPE: the device stalls, as USB has it for a request that it does not know.
const STALLED: u32 = 32_u32.wrapping_neg();

/// The eight bytes before a control transfer: USB 2.0, section 9.3. Little-endian on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Setup {
    /// Direction, type and recipient.
    pub(crate) kind: u8,
    /// bRequest.
    pub(crate) request: u8,
    /// wValue.
    pub(crate) value: u16,
    /// wIndex.
    pub(crate) index: u16,
    /// wLength.
    pub(crate) length: u16,
}

/// What is plugged in.
pub(crate) trait Device {
    /// A control transfer: `data` came with it, and what is given back answers it. `None` is a stall.
    fn control(&mut self, setup: Setup, data: &[u8]) -> Option<Vec<u8>>;
}

/// Answers the kernel until it lets the device go.
///
/// # Errors
/// When the stream breaks, or the kernel asks for something that no device of this kind has.
pub(crate) fn serve(kernel: &mut (impl Read + Write), device: &mut impl Device) -> io::Result<()> {
    let mut header = [0; HEADER];
    loop {
        match kernel.read_exact(&mut header) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            result => result?,
        }
        let [command, sequence, _device, direction, _endpoint, _flags, length] =
            [0, 4, 8, 12, 16, 20, 24].map(|at| word(&header, at));
        match command {
            SUBMIT => {
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                if length > LONGEST {
                    return Err(invalid("a transfer longer than any message"));
                }
                let mut data = vec![0; if direction == IN { 0 } else { length }];
                kernel.read_exact(&mut data)?;
                let answer = device.control(setup(&header), &data);
                let status = if answer.is_some() { 0 } else { STALLED };
                let mut answer = answer.unwrap_or_default();
                answer.truncate(if direction == IN { length } else { 0 });
                let done = if direction == IN { answer.len() } else { data.len() };
                let done = u32::try_from(done).unwrap_or(u32::MAX);
                let mut bytes = reply(SUBMITTED, sequence, status, done).to_vec();
                bytes.append(&mut answer);
                kernel.write_all(&bytes)?;
            }
            UNLINK => kernel.write_all(&reply(UNLINKED, sequence, 0, 0))?,
            _ => return Err(invalid("a command that USB/IP does not have")),
        }
    }
}

fn reply(command: u32, sequence: u32, status: u32, length: u32) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    for (at, number) in [(0, command), (4, sequence), (20, status), (24, length)] {
        header[at..at + 4].copy_from_slice(&number.to_be_bytes());
    }
    header
}

fn word(header: &[u8; HEADER], at: usize) -> u32 {
    u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
}

fn setup(header: &[u8; HEADER]) -> Setup {
    let half = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
    Setup { kind: header[40], request: header[41], value: half(42), index: half(44), length: half(46) }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("the kernel sent {what}"))
}
