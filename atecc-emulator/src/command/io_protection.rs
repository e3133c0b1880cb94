//! The IO protection key: what goes over the bus is masked or answered for with it (section 2.2.1.4).

use atecc::Status;

use super::{
    Data,
    access::{random_bytes, sha256, symmetric_key},
    chip_options::ChipOptions,
};
use crate::memory::Memory;

/// The key that the chip shares with its host.
///
/// # Errors
/// When the configuration does not enable it.
pub(super) fn key(memory: &Memory) -> Result<[u8; 32], Status> {
    let slot = ChipOptions::of(&memory.configuration()).io_protection_key();
    symmetric_key(memory, slot.ok_or(Status::ExecutionError)?)
}

/// `secret` masked, and behind it the nonce that it is masked with: each half of the nonce gives the mask of
/// one block of 32 bytes (section 5.3.4.4).
pub(super) fn masked(memory: &mut Memory, secret: &[u8]) -> Result<Data, Status> {
    let key = key(memory)?;
    let nonce = random_bytes(memory)?;
    let mut output = Data::new();
    for (block, half) in secret.chunks(32).zip(nonce.chunks(16)) {
        let mask = sha256(&[&key, half]);
        output.extend(block.iter().zip(mask).map(|(byte, mask)| byte ^ mask));
    }
    output.extend_from_slice(&nonce).map_err(|_| Status::ExecutionError)?;
    Ok(output)
}
