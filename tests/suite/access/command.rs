//! A command as bytes, without any type that could keep it well-formed.

use std::fmt;

use super::rules;

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) opcode: u8,
    pub(crate) mode: u8,
    pub param2: u16,
    pub(crate) data: Vec<u8>,
    /// Whether a MAC in `data` was computed from the right keys and TempKey.
    pub(crate) proves_key: bool,
}

impl Command {
    pub(crate) const fn new(opcode: u8, mode: u8, param2: u16, data: Vec<u8>) -> Self {
        Self { opcode, mode, param2, data, proves_key: false }
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { opcode, mode, param2, data, .. } = self;
        write!(f, "{}({mode:#04x}, {param2:#06x}", rules::name(*opcode))?;
        if self.data.is_empty() { f.write_str(")") } else { write!(f, ", {} bytes {data:02x?})", data.len()) }
    }
}
