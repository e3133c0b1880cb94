//! DeriveKey. Longest times: 50 ms at every clock divider.
//!
//! The data sheets of the pre-configured parts leave this command out; its parameters are those that the
//! vendor's driver documents for the family.

use super::{Command, ExecutionTime, NonceOrigin, success};
use crate::{
    ResponseError, Slot,
    irreversible::{Irreversible, OverwritesKey},
    packet::{Packet, Response},
};

/// DeriveKey: replaces the key in a slot by the SHA-256 of its parent (or of itself) and TempKey, as the
/// slot's WriteConfig says.
#[derive(Debug)]
pub struct DeriveKey<'a> {
    /// The slot of the new key.
    pub target: Slot,
    /// Where TempKey's value comes from.
    pub origin: NonceOrigin,
    /// Proof that the caller knows the parent key, if the slot's WriteConfig wants it: see
    /// [`crate::host::derive_key::authorizing_mac`].
    pub mac: Option<&'a [u8; 32]>,
    /// Consent.
    pub consent: Irreversible<OverwritesKey>,
}

impl Command for DeriveKey<'_> {
    const NAME: &'static str = "DeriveKey";
    const OPCODE: u8 = 0x1c;
    const EXECUTION_TIME: ExecutionTime = ExecutionTime { typical_us: 15_000, longest_ms: [50, 50, 50] };
    type Output = ();

    fn packet(&self) -> Packet {
        let mac: &[u8] = match self.mac {
            Some(mac) => mac,
            None => &[],
        };
        Packet::new(Self::OPCODE, self.origin.mode_bit(), u16::from(self.target.number()), &[mac], 1)
    }

    fn output(&self, response: &Response) -> Result<(), ResponseError> {
        success(response)
    }
}
