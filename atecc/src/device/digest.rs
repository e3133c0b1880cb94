//! SHA-256 and HMAC by the chip.

use heapless::Vec;

use super::{Step, output};
use crate::{
    Device, Digest, Error, Transport,
    command::{
        Command, HmacKey, SHA_BLOCK, SHA_CONTEXT, ShaChunk, ShaEnd, ShaHmacStart, ShaReadContext, ShaStart,
        ShaTarget, ShaUpdate, ShaWriteContext,
    },
    packet::Packet,
    transport::MAX_COMMANDS,
};

/// Blocks of one transaction: all but the first and the last command.
const BLOCKS: usize = MAX_COMMANDS - 2;

impl<T: Transport> Device<T> {
    /// The SHA-256 of `message`, computed by the chip.
    ///
    /// Up to 960 bytes take one wake. For each further 896 bytes the chip gives out its state, sleeps, and goes
    /// on from there (section 5.1.8.3), so no message is too long for the watchdog.
    ///
    /// # Errors
    /// When the chip cannot be reached or refuses.
    pub fn sha256(&mut self, message: &[u8]) -> Result<Digest, Error<T::Error>> {
        let mut context: Option<[u8; SHA_CONTEXT]> = None;
        let mut rest = message;
        loop {
            let mut packets: Vec<Packet, MAX_COMMANDS> = Vec::new();
            // The room is for BLOCKS updates and two more.
            let _ = packets.push(match &context {
                None => ShaStart.packet(),
                Some(context) => ShaWriteContext { context }.packet(),
            });
            while rest.len() >= SHA_BLOCK && packets.len() <= BLOCKS {
                let (chunk, behind) = ShaChunk::split(rest);
                let _ = packets.push(ShaUpdate { chunk }.packet());
                rest = behind;
            }
            if rest.len() < SHA_BLOCK {
                let (chunk, _) = ShaChunk::split(rest);
                let end = ShaEnd { chunk, target: ShaTarget::OutputOnly };
                let _ = packets.push(end.packet());
                return output(&end, self.transact(&packets)?.last());
            }
            let _ = packets.push(ShaReadContext.packet());
            context = Some(output(&ShaReadContext, self.transact(&packets)?.last())?);
        }
    }

    /// The HMAC-SHA256 of `message` with a key in the chip.
    ///
    /// # Errors
    /// When the chip cannot be reached, the slot does not allow it, or the message is too long for one wake:
    /// the state of an HMAC cannot be given out (section 5.1.8.3), so some 4 KiB at 100 kHz are the most.
    pub fn hmac(&mut self, key: HmacKey, message: &[u8]) -> Result<Digest, Error<T::Error>> {
        let mut rest = message;
        let mut has_ended = false;
        self.converse(&[ShaHmacStart { key }.packet()], |sent, answer| {
            if sent == 0 {
                return Ok(Step::Send(ShaHmacStart { key }.packet()));
            }
            if !has_ended {
                output(&ShaHmacStart { key }, answer)?;
            }
            let is_last = rest.len() < SHA_BLOCK;
            let (chunk, behind) = ShaChunk::split(rest);
            let end = ShaEnd { chunk, target: ShaTarget::OutputOnly };
            if has_ended {
                return output(&end, answer).map(Step::Done);
            }
            rest = behind;
            has_ended = is_last;
            Ok(Step::Send(if is_last { end.packet() } else { ShaUpdate { chunk }.packet() }))
        })
    }
}
