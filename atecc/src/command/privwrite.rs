//! PrivWrite. Longest times: 50 ms at every clock divider.
//!
//! The data sheets of the pre-configured parts only mention this command (section 4.5.1); its parameters are
//! those that the vendor's driver documents for the family.

use super::{Command, ExecutionTime, success};
use crate::{
    ResponseError, Slot,
    irreversible::{Irreversible, OverwritesKey},
    packet::{Packet, Response},
};

/// PrivWrite in encrypted mode (0x40): a private key from outside into a slot.
#[derive(Debug)]
pub struct PrivWriteEncrypted<'a> {
    /// The slot.
    pub key: Slot,
    /// Four zeros and the key, encrypted: see [`crate::host::write::private_key`].
    pub value: &'a [u8; 36],
    /// Proof that the caller knows the write key.
    pub mac: &'a [u8; 32],
    /// Consent.
    pub consent: &'a Irreversible<OverwritesKey>,
}

impl PrivWriteEncrypted<'_> {
    /// The mode as it goes over the wire and into the MAC.
    pub(crate) const MODE: u8 = 0x40;
}

impl Command for PrivWriteEncrypted<'_> {
    const NAME: &'static str = "PrivWrite";
    const OPCODE: u8 = 0x46;
    const EXECUTION_TIME: ExecutionTime = ExecutionTime { typical_us: 20_000, longest_ms: [50, 50, 50] };
    type Output = ();

    fn packet(&self) -> Packet {
        Packet::new(Self::OPCODE, Self::MODE, u16::from(self.key.number()), &[self.value, self.mac], 1)
    }

    fn output(&self, response: &Response) -> Result<(), ResponseError> {
        success(response)
    }
}
