//! A chip that threads and processes share.

mod administration;
mod data;
mod identity;
mod keys;
mod objects;
mod secrets;
mod shared;
#[cfg(test)]
mod tests;
mod verify;
mod zone;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, Once, PoisonError},
};

use atecc::{Device, PublicKey, SerialNumber, Slot, Status, command::Zone, zone::Revision};
use atecc_emulator::EepromFile;

use crate::{Certificates, DeviceSpec, Error, SlotRule, Statistics, TransportError, bus::Way, cache::Cache};
pub(crate) use shared::SharedBus;
use zone::KnownZone;

/// An open chip. Calls block while the chip works: about 80 ms for a signature.
///
/// Dropping an idle token only closes what it has open; it sends nothing and unlocks nothing. So a forked child
/// may drop the one that it inherited without disturbing its parent.
#[derive(Debug)]
pub struct Token {
    device: Mutex<Device<SharedBus>>,
    zone: Mutex<KnownZone>,
    serial_number: SerialNumber,
    revision: Revision,
    kind: &'static str,
    is_emulated: bool,
    /// The EEPROM of a chip in this process.
    file: Option<PathBuf>,
    cache: Option<Cache>,
    /// Whether the cache was asked.
    is_recalled: Once,
    /// Those that speak of this chip.
    rules: Vec<SlotRule>,
    /// Public keys that were read. Who else may use the chip may make new ones; a signature shows it.
    public_keys: Mutex<BTreeMap<Slot, PublicKey>>,
    certificates: Mutex<Option<Arc<Certificates>>>,
}

impl Token {
    /// Opens the chip that `spec` names, without rules: of its keys only the first is shown, and none is
    /// generated.
    ///
    /// # Errors
    /// When there is no such device, or no chip answers.
    pub fn open(spec: &DeviceSpec) -> Result<Self, Error> {
        Self::open_with(spec, &[])
    }

    /// Opens the chip that `spec` names. Of `rules` those count that speak of it.
    ///
    /// # Errors
    /// When there is no such device, or no chip answers.
    pub fn open_with(spec: &DeviceSpec, rules: &[SlotRule]) -> Result<Self, Error> {
        Self::open_in(spec, rules, Cache::of_user())
    }

    /// Opens the chip that `spec` names, without rules, and without what the cache on the disk says of it: for those
    /// who examine the chip itself.
    ///
    /// # Errors
    /// When there is no such device, or no chip answers.
    pub fn open_uncached(spec: &DeviceSpec) -> Result<Self, Error> {
        Self::open_in(spec, &[], None)
    }

    fn open_in(spec: &DeviceSpec, rules: &[SlotRule], cache: Option<Cache>) -> Result<Self, Error> {
        let way = Way::open(spec)?;
        let is_emulated = way.is_emulated;
        let mut device = Device::new(SharedBus::new(spec, way));
        let mut start = [0; 32];
        device.read(&[Zone::Configuration], &mut [&mut start])?;
        let zone = KnownZone::new(&start);
        let configuration = zone.configuration();
        device.transport_mut().learn(&configuration);
        let (serial_number, revision) = (configuration.serial_number(), configuration.revision());
        if is_emulated {
            tracing::warn!(%spec, %serial_number, "EMULATOR: this chip is software, for trials and tests only");
        } else {
            tracing::info!(%spec, %serial_number, part = revision.part(), "chip opened");
        }
        Ok(Self {
            device: Mutex::new(device),
            rules: rules.iter().filter(|rule| rule.is_for(spec, &serial_number)).cloned().collect(),
            zone: Mutex::new(zone),
            serial_number,
            revision,
            // An emulated chip is the same one however long the way.
            kind: if is_emulated { "emulator" } else { spec.kind() },
            is_emulated,
            file: if let DeviceSpec::Emulator { path, .. } = spec { Some(path.clone()) } else { None },
            cache,
            is_recalled: Once::new(),
            public_keys: Mutex::default(),
            certificates: Mutex::default(),
        })
    }

    /// Whether the chip is software, however long the way to it is.
    pub const fn is_emulated(&self) -> bool {
        self.is_emulated
    }

    /// The name of the token, at most 32 bytes. It says EMULATOR if the chip is software.
    pub const fn label(&self) -> &'static str {
        if self.is_emulated { "ATECC608 EMULATOR" } else { "ATECC608" }
    }

    /// The model, at most 16 bytes. It says EMULATOR if the chip is software.
    pub fn model(&self) -> &'static str {
        if self.is_emulated { "EMULATOR 608" } else { self.revision().part() }
    }

    /// The serial number of the chip.
    pub const fn serial_number(&self) -> SerialNumber {
        self.serial_number
    }

    /// The silicon revision.
    pub const fn revision(&self) -> Revision {
        self.revision
    }

    /// Fills `buffer` from the chip's random number generator.
    ///
    /// # Errors
    /// When the chip does not answer, or its generator failed its health test.
    pub fn random(&self, buffer: &mut [u8]) -> Result<(), Error> {
        let mut device = self.device();
        for chunk in buffer.chunks_mut(32) {
            let random = device.random()?;
            chunk.copy_from_slice(&random[..chunk.len()]);
        }
        Ok(())
    }

    /// What this token has cost so far.
    pub fn statistics(&self) -> Statistics {
        self.device().transport().statistics()
    }

    fn device(&self) -> MutexGuard<'_, Device<SharedBus>> {
        lock(&self.device)
    }

    /// Runs `call` with the chip that was opened and no other: its serial number is read in the same
    /// transaction, before anything else.
    fn with_this_chip<T>(
        &self,
        call: impl FnOnce(&mut Device<SharedBus>) -> Result<T, atecc::Error<TransportError>>,
    ) -> Result<T, Error> {
        let mut device = self.device();
        device.transport_mut().expect(Some(self.serial_number));
        let result = call(&mut device);
        device.transport_mut().expect(None);
        Ok(result?)
    }

    /// What was behind the refusal of a command that writes: an emulated chip that cannot save has no status for
    /// that, and its file tells.
    fn explain_write(&self, error: Error) -> Error {
        match (&self.file, error.chip_status()) {
            (Some(file), Some(Status::ExecutionError)) => {
                EepromFile::check_saving(file).err().map_or(error, Error::EmulatorFile)
            }
            _ => error,
        }
    }
}

/// A thread that panicked left no state behind that the next transaction would not begin anew, nor half a key.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
