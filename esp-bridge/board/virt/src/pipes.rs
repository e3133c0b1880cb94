//! An I2C bus through two named pipes of the host.
//!
//! A transfer is asked for by direction (0 write, 1 read), address, length, and the bytes of a write; the answer is 0
//! or 1 (acknowledged or not), and after a 0 the bytes of a read.

use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation};
use semihosting::{
    fs::File,
    io::{self, Read, Write},
};

/// Longest transfer: the longest group of the chip and what goes before it.
const LONGEST: usize = 255;

pub(crate) struct Pipes {
    asks: File,
    answers: File,
}

impl Pipes {
    pub(crate) fn open() -> io::Result<Self> {
        // Writing alone would truncate, which semihosting has no other mode for.
        let asks = File::options().read(true).write(true).open(c"i2c.asks")?;
        Ok(Self { asks, answers: File::open(c"i2c.answers")? })
    }

    fn ask(&mut self, direction: u8, address: u8, length: usize, bytes: &[u8]) -> Result<(), ErrorKind> {
        let length = u8::try_from(length).map_err(|_| ErrorKind::Other)?;
        let mut frame = [0; 3 + LONGEST];
        frame[..3].copy_from_slice(&[direction, address, length]);
        let frame = frame.get_mut(..3 + bytes.len()).ok_or(ErrorKind::Other)?;
        frame[3..].copy_from_slice(bytes);
        self.asks.write_all(frame).map_err(|_| ErrorKind::Bus)?;
        let mut acknowledged = [1];
        self.answers.read_exact(&mut acknowledged).map_err(|_| ErrorKind::Bus)?;
        if acknowledged == [0] { Ok(()) } else { Err(ErrorKind::NoAcknowledge(NoAcknowledgeSource::Unknown)) }
    }
}

impl ErrorType for Pipes {
    type Error = ErrorKind;
}

impl I2c for Pipes {
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
        operations.iter_mut().try_for_each(|operation| match operation {
            Operation::Write(bytes) => self.ask(0, address, bytes.len(), bytes),
            Operation::Read(buffer) => {
                self.ask(1, address, buffer.len(), &[])?;
                self.answers.read_exact(buffer).map_err(|_| ErrorKind::Bus)
            }
        })
    }
}
