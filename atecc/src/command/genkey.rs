//! GenKey (section 5.2.2).

use super::{Command, ExecutionTime, data};
use crate::{
    PublicKey, ResponseError, Slot,
    packet::{Packet, Response},
};

/// GenKey in public mode (0x00): the public key of the private key in a slot (section 5.2.2.3). Changes nothing.
#[derive(Clone, Copy, Debug)]
pub struct GenKeyPublic {
    /// A slot with a private key whose KeyConfig lets its public key out.
    pub key: Slot,
}

impl Command for GenKeyPublic {
    const NAME: &'static str = "GenKey";
    const OPCODE: u8 = 0x40;
    const EXECUTION_TIME: ExecutionTime = ExecutionTime { typical_us: 50_000, longest_ms: [115, 215, 653] };
    type Output = PublicKey;

    fn packet(&self) -> Packet {
        Packet::new(Self::OPCODE, 0x00, u16::from(self.key.number()), &[], 64)
    }

    fn output(&self, response: &Response) -> Result<PublicKey, ResponseError> {
        data(response).map(PublicKey::from_bytes)
    }
}
