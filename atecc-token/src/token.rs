//! A chip that threads and processes share.

mod administration;
mod objects;
mod verify;

use std::{
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::Instant,
};

use atecc::{
    Configuration, Device, Digest, PublicKey, Responses, SerialNumber, Signature, Slot, Transport,
    i2c::I2cTransport,
    packet::{Packet, Response},
    profile::TngTls,
    zone::Revision,
};
use atecc_emulator::Clock;

use crate::{
    Certificates, DeviceSpec, Error, Statistics,
    bus::{AnyBus, TransportError, Way},
    identity,
    lock::BusLock,
};

/// An open chip. Calls block while the chip works: about 80 ms for a signature.
///
/// Dropping an idle token only closes what it has open; it sends nothing and unlocks nothing. So a forked child
/// may drop the one that it inherited without disturbing its parent.
#[derive(Debug)]
pub struct Token {
    device: Mutex<Device<SharedBus>>,
    configuration: Configuration,
    is_emulated: bool,
    /// The key of slot 0, which is permanent.
    primary_key: OnceLock<PublicKey>,
    certificates: OnceLock<Certificates>,
}

impl Token {
    /// Opens the chip that `spec` names, and reads its configuration zone.
    ///
    /// # Errors
    /// When there is no such device, or no chip answers.
    pub fn open(spec: &DeviceSpec) -> Result<Self, Error> {
        let way = Way::open(spec)?;
        let is_emulated = way.is_emulated;
        let mut device = Device::new(SharedBus {
            transport: way.transport,
            lock: way.lock,
            statistics: Statistics::default(),
        });
        let configuration = device.configuration()?;
        device.transport_mut().transport.set_clock_divider(configuration.clock_divider());
        let serial_number = configuration.serial_number();
        if is_emulated {
            tracing::warn!(%spec, %serial_number, "EMULATOR: this chip is software, for trials and tests only");
        } else {
            tracing::info!(%spec, %serial_number, part = configuration.revision().part(), "chip opened");
        }
        Ok(Self {
            device: Mutex::new(device),
            configuration,
            is_emulated,
            primary_key: OnceLock::new(),
            certificates: OnceLock::new(),
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
    pub fn serial_number(&self) -> SerialNumber {
        self.configuration.serial_number()
    }

    /// The silicon revision.
    pub fn revision(&self) -> Revision {
        self.configuration.revision()
    }

    /// The configuration zone, as it was when the token was opened.
    pub const fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// The public key of the private key in `slot`.
    ///
    /// # Errors
    /// When the chip does not answer, or the slot holds no key.
    pub fn public_key(&self, slot: Slot) -> Result<PublicKey, Error> {
        if slot != TngTls::PRIMARY_KEY {
            return Ok(self.device().public_key(slot)?);
        }
        if let Some(key) = self.primary_key.get() {
            return Ok(*key);
        }
        let key = self.device().public_key(slot)?;
        Ok(*self.primary_key.get_or_init(|| key))
    }

    /// The certificate of the key in slot 0 and those above it, verified up to the root.
    ///
    /// # Errors
    /// When the chip does not answer, stores no certificates, or they do not verify.
    pub fn certificates(&self) -> Result<&Certificates, Error> {
        if let Some(certificates) = self.certificates.get() {
            return Ok(certificates);
        }
        let public_key = self.public_key(TngTls::PRIMARY_KEY)?;
        let certificates =
            identity::read(&mut self.device(), self.serial_number(), public_key, self.is_emulated)?;
        Ok(self.certificates.get_or_init(|| certificates))
    }

    /// Signs `digest`, 32 bytes, with the private key in `slot`, and verifies the signature.
    ///
    /// # Errors
    /// When the chip does not answer or may not sign with this slot, or the signature is wrong.
    pub fn sign(&self, slot: Slot, digest: &Digest) -> Result<Signature, Error> {
        let public_key = self.public_key(slot)?;
        let mut device = self.device();
        let signature = device.sign(slot, digest)?;
        if !public_key.verify(digest, &signature) {
            return Err(Error::WrongSignature { slot });
        }
        device.transport_mut().statistics.signatures += 1;
        Ok(signature)
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
        let device = self.device();
        let shared = device.transport();
        Statistics { bus: shared.transport.statistics(), ..shared.statistics }
    }

    fn device(&self) -> MutexGuard<'_, Device<SharedBus>> {
        // A thread that panicked left no state behind that the next transaction would not begin anew.
        self.device.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bus with its lock around every transaction.
#[derive(Debug)]
struct SharedBus {
    transport: I2cTransport<AnyBus, Clock>,
    lock: Option<BusLock>,
    statistics: Statistics,
}

impl Transport for SharedBus {
    type Error = TransportError;

    fn transact(&mut self, commands: &[Packet], responses: &mut Responses) -> Result<(), TransportError> {
        let _guard = self.lock.as_ref().map(BusLock::acquire).transpose()?;
        let start = Instant::now();
        let result = self.transport.transact(commands, responses);
        self.statistics.busy += start.elapsed();
        Ok(result?)
    }

    fn converse(
        &mut self,
        next: &mut dyn FnMut(Option<&Response>) -> Option<Packet>,
    ) -> Result<(), TransportError> {
        let _guard = self.lock.as_ref().map(BusLock::acquire).transpose()?;
        let start = Instant::now();
        let result = self.transport.converse(next);
        self.statistics.busy += start.elapsed();
        Ok(result?)
    }
}
