//! A bus on which one transfer goes wrong, behind adapters that tell of it in different ways.

use atecc::i2c::TRUST_AND_GO_ADDRESS;
use atecc_emulator::{Bus, BusError};
use embedded_hal::{
    delay::DelayNs,
    i2c::{ErrorType, I2c, Operation},
};

/// What an adapter makes of an address that nobody acknowledges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Adapter {
    /// An error, as it should be.
    Tells,
    /// It leaves this in the buffer of a read, and says that all went well; of a write it tells.
    Fills(u8),
    /// The same, and of a write it says that all went well too.
    IsBlind(u8),
}

impl Adapter {
    pub(crate) const ALL: [Self; 5] =
        [Self::Tells, Self::Fills(0x00), Self::Fills(0xff), Self::IsBlind(0x00), Self::IsBlind(0xff)];
}

/// What goes wrong, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nobody acknowledges the address.
    NoAcknowledge,
    /// This byte of a write is not acknowledged. It and those behind it do not reach the chip.
    RefusedAt(usize),
    /// The same, and the adapter reports the short count to somebody who does not look.
    ShortWrite(usize),
    /// The chip gives its answer, and the adapter loses it.
    LostRead,
    /// The bytes from the first on do not arrive; the buffer has the second there.
    ShortRead(usize, u8),
    /// A bit is flipped in this byte of what is read, or of what is written.
    BitFlip(usize, u8),
    /// The chip loses power for a moment just before.
    PowerLoss,
    /// Nobody acknowledges this transfer and as many after it.
    Stuck(u32),
    /// Somebody else does this just before.
    Other(Other),
}

/// What another program does that has no lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Other {
    Wake,
    Sleep,
    Idle,
    /// Sends this group.
    Command(&'static [u8]),
    /// Reads the answer that was meant for us.
    Read,
    /// All of it: wakes the chip, sends this group, reads the answer, puts the chip to sleep.
    Transaction(&'static [u8]),
}

/// The bus with its fault.
pub(crate) struct FaultyBus {
    pub(crate) bus: Bus,
    pub(crate) adapter: Adapter,
    pub(crate) fault: Fault,
    /// Transfers until the fault.
    pub(crate) countdown: u32,
}

impl FaultyBus {
    fn transfer(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), BusError> {
        let is_now = self.countdown == 0;
        if let (true, Fault::Stuck(left @ 1..)) = (is_now, self.fault) {
            self.fault = Fault::Stuck(left - 1);
            return Err(BusError::NoAcknowledge);
        }
        self.countdown = self.countdown.wrapping_sub(1);
        if !is_now {
            return self.bus.transaction(address, operations);
        }
        match (self.fault, operations) {
            (Fault::NoAcknowledge, _) => Err(BusError::NoAcknowledge),
            (Fault::PowerLoss, operations) => {
                self.bus.chip_mut().lose_power();
                self.bus.transaction(address, operations)
            }
            (Fault::Other(other), operations) => {
                self.interfere(other);
                self.bus.transaction(address, operations)
            }
            (Fault::RefusedAt(at), [Operation::Write(bytes)]) if at < bytes.len() => {
                let _ = self.bus.write(address, &bytes[..at]);
                Err(BusError::NoAcknowledge)
            }
            (Fault::ShortWrite(at), [Operation::Write(bytes)]) if at < bytes.len() => {
                self.bus.write(address, &bytes[..at])
            }
            (Fault::BitFlip(at, bit), [Operation::Write(bytes)]) if at < bytes.len() => {
                let mut damaged = bytes.to_vec();
                damaged[at] ^= 1 << bit;
                self.bus.write(address, &damaged)
            }
            (fault, operations) => {
                self.bus.transaction(address, operations)?;
                if let [Operation::Read(buffer)] = operations {
                    match fault {
                        Fault::LostRead => return Err(BusError::NoAcknowledge),
                        Fault::BitFlip(at, bit) if at < buffer.len() => buffer[at] ^= 1 << bit,
                        Fault::ShortRead(at, fill) if at < buffer.len() => buffer[at..].fill(fill),
                        _ => {}
                    }
                }
                Ok(())
            }
        }
    }

    /// What the other program does takes its time; a busy or sleeping chip does not hear it.
    fn interfere(&mut self, other: Other) {
        let chip = TRUST_AND_GO_ADDRESS;
        let mut clock = self.bus.clock();
        let mut wake = |bus: &mut Bus| {
            let _ = bus.write(0x00, &[0x00]);
            clock.delay_us(1_500);
        };
        let command = |bus: &mut Bus, group: &[u8]| {
            let _ = bus.write(chip, &[&[0x03], group].concat());
        };
        match other {
            Other::Wake => wake(&mut self.bus),
            Other::Sleep => drop(self.bus.write(chip, &[0x01])),
            Other::Idle => drop(self.bus.write(chip, &[0x02])),
            Other::Command(group) => command(&mut self.bus, group),
            Other::Read => drop(self.bus.read(chip, &mut [0; 35])),
            Other::Transaction(group) => {
                wake(&mut self.bus);
                command(&mut self.bus, group);
                self.bus.clock().delay_us(120_000);
                let _ = self.bus.read(chip, &mut [0; 67]);
                let _ = self.bus.write(chip, &[0x01]);
            }
        }
    }
}

impl ErrorType for FaultyBus {
    type Error = BusError;
}

impl I2c for FaultyBus {
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), BusError> {
        let result = self.transfer(address, operations);
        match (self.adapter, result, operations) {
            (Adapter::Fills(fill) | Adapter::IsBlind(fill), Err(_), [Operation::Read(buffer)]) => {
                buffer.fill(fill);
                Ok(())
            }
            (Adapter::IsBlind(_), Err(_), [Operation::Write(_)]) => Ok(()),
            (_, result, _) => result,
        }
    }
}
