//! A bus that remembers what our driver said on it.

use std::{cell::RefCell, path::Path, rc::Rc};

use atecc::{Device, Transport, i2c::I2cTransport};
use atecc_emulator::{BusError, Clock, socket::SocketBus};
use embedded_hal::i2c::{ErrorType, I2c, Operation};

use super::Transcript;
use crate::support::Message;

struct Recording {
    bus: SocketBus,
    messages: Rc<RefCell<Vec<Message>>>,
}

impl ErrorType for Recording {
    type Error = BusError;
}

impl I2c for Recording {
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), BusError> {
        let result = self.bus.transaction(address, operations);
        for operation in operations {
            let (is_read, bytes) = match operation {
                Operation::Read(buffer) if result.is_ok() => (true, buffer.to_vec()),
                Operation::Read(_) => (true, Vec::new()),
                Operation::Write(bytes) => (false, bytes.to_vec()),
            };
            let is_acknowledged = result.is_ok();
            self.messages.borrow_mut().push(Message { address, is_read, bytes, is_acknowledged });
        }
        result
    }
}

impl Transcript {
    /// Of what `call` makes our driver do with the chip at `address`.
    pub(super) fn of_driver<E: std::fmt::Debug>(
        socket: &Path,
        address: u8,
        call: impl FnOnce(&mut Device<&mut dyn Transport<Error = atecc::i2c::Error<BusError>>>) -> Result<(), E>,
    ) -> Self {
        let messages = Rc::default();
        let bus = Recording { bus: SocketBus::connect(socket).unwrap(), messages: Rc::clone(&messages) };
        let mut transport = I2cTransport::new(bus, Clock::real(), address);
        call(&mut Device::new(&mut transport)).unwrap();
        Self(messages.take())
    }
}
