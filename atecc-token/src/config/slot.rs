//! What the administrator decided about a slot.

use std::path::PathBuf;

use atecc::{SerialNumber, Slot};

use crate::DeviceSpec;

/// A table `[[slot]]` of the configuration: a key slot beside the first that is to be shown, and perhaps to be
/// generated over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotRule {
    /// The slot.
    pub slot: Slot,
    /// The label of its key, instead of `slot-N`.
    pub label: Option<String>,
    /// Whether a new key may be made over the one that is there. On Trust&GO parts that one may be named in a
    /// manifest; it cannot come back.
    pub overwrite: bool,
    /// A file with the 32 bytes that are in the slot, as 64 hexadecimal digits, which nobody but its owner may read. Of
    /// the slot of the IO protection key: the result of ECDH then crosses the bus encrypted.
    pub secret_file: Option<PathBuf>,
    /// The chip that is meant; without it any.
    pub serial: Option<SerialNumber>,
    /// The device that is meant; without it any.
    pub device: Option<DeviceSpec>,
}

impl SlotRule {
    /// Whether it speaks of the chip `serial` behind `device`.
    pub fn is_for(&self, device: &DeviceSpec, serial: &SerialNumber) -> bool {
        self.device.as_ref().is_none_or(|meant| meant == device)
            && self.serial.as_ref().is_none_or(|meant| meant == serial)
    }
}
