//! KDF (section 5.3.4): where the key comes from, what is made of it, and where the result goes.

mod function;

use atecc::{Slot, Status, packet::Packet};
use zeroize::Zeroizing;

use self::function::{Function, derive};
use super::{
    Data,
    access::{require, slot, use_key},
    answer,
    chip_options::{ChipOptions, OutputRule},
    io_protection, success,
    volatile::{KeyBuffer, TempKey},
};
use crate::memory::Memory;

/// Bits 4:2 of the mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    TempKey,
    TempKeyUpper,
    Slot(Slot),
    AlternateKey,
    Output { is_masked: bool },
}

pub(super) fn execute(packet: &Packet, memory: &mut Memory) -> Result<Data, Status> {
    let (details, message) = packet.data().split_first_chunk::<4>().ok_or(Status::ParseError)?;
    let function = Function::parse(packet.param1(), u32::from_le_bytes(*details), message)?;
    let target = target(packet)?;
    let source_slot = (packet.param1() & 0x03 == 0x02).then(|| source_slot(packet)).transpose()?;

    let configuration = memory.configuration();
    require(configuration.is_configuration_locked())?;
    let rule = ChipOptions::of(&configuration).kdf_output();
    require(is_permitted(rule, target, function.has_extra_output()))?;
    check_target(memory, target, function.target_length())?;
    let key = source(packet, memory, source_slot)?;
    let derived = derive(&function, memory, &key)?;
    if let Some(slot) = source_slot {
        use_key(memory, slot)?;
    }
    let (result, extra) = derived.split_at(function.target_length());
    match target {
        Target::TempKey => memory.volatile.temp_key = Some(TempKey::new(result, true)),
        Target::TempKeyUpper => {
            let mut temp_key = memory.volatile.take_temp_key()?;
            temp_key.value[32..].copy_from_slice(&result[..32]);
            temp_key.is_64 = true;
            memory.volatile.temp_key = Some(temp_key);
        }
        Target::Slot(slot) => memory.write_slot(slot, 0, result),
        Target::AlternateKey => {
            let key = result.try_into().map_err(|_| Status::ExecutionError)?;
            memory.volatile.alternate_key = Some(KeyBuffer(key));
        }
        Target::Output { is_masked } => {
            let is_masked = is_masked || rule == OutputRule::Encrypted && !function.is_special();
            return if is_masked { io_protection::masked(memory, result) } else { answer(result) };
        }
    }
    if extra.is_empty() { success() } else { answer(extra) }
}

fn target(packet: &Packet) -> Result<Target, Status> {
    Ok(match packet.param1() >> 2 & 0x07 {
        0 => Target::TempKey,
        1 => Target::TempKeyUpper,
        2 => Target::Slot(slot(packet.param2() >> 8)?),
        3 => Target::AlternateKey,
        4 => Target::Output { is_masked: false },
        5 => Target::Output { is_masked: true },
        _ => return Err(Status::ParseError),
    })
}

fn source_slot(packet: &Packet) -> Result<Slot, Status> {
    slot(packet.param2() & 0x00ff)
}

/// KDFPROT (section 2.1). What goes to the output buffer besides the target is never masked.
fn is_permitted(rule: OutputRule, target: Target, has_extra_output: bool) -> bool {
    let is_output = matches!(target, Target::Output { .. });
    match rule {
        OutputRule::Clear | OutputRule::Encrypted => !(is_output && has_extra_output),
        OutputRule::Internal => !is_output,
        OutputRule::Volatile => !is_output && !matches!(target, Target::Slot(_)),
    }
}

/// Whether `length` bytes may go there.
fn check_target(memory: &Memory, target: Target, length: usize) -> Result<(), Status> {
    match target {
        Target::TempKey | Target::Output { .. } => Ok(()),
        Target::TempKeyUpper => {
            memory.volatile.temp_key()?;
            require(length <= 32)
        }
        Target::AlternateKey => require(length <= 32),
        Target::Slot(slot) => {
            let rules = memory.rules(slot);
            require(memory.configuration().is_data_locked())?;
            require(rules.takes_derived_keys() && !rules.is_slot_locked() && length <= slot.size())
        }
    }
}

/// The source key: all of what is valid there.
fn source(packet: &Packet, memory: &Memory, source_slot: Option<Slot>) -> Result<Zeroizing<Vec<u8>>, Status> {
    let key = match (packet.param1() & 0x03, source_slot) {
        (0x00, _) => {
            let temp_key = memory.volatile.temp_key()?;
            &temp_key.value[..if temp_key.is_64 { 64 } else { 32 }]
        }
        (0x01, _) => {
            let temp_key = memory.volatile.temp_key()?;
            require(temp_key.is_64)?;
            &temp_key.value[32..]
        }
        (_, Some(slot)) => {
            let rules = memory.rules(slot);
            require(!rules.is_marked_private() && !rules.is_public_key())?;
            memory.eeprom().slot(slot)
        }
        (_, None) => &memory.volatile.alternate_key.as_ref().ok_or(Status::ExecutionError)?.0,
    };
    Ok(Zeroizing::new(key.to_vec()))
}

#[cfg(test)]
mod tests;
