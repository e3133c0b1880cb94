//! The primary key and its certificates.

use std::sync::Arc;

use atecc::{
    Configuration, PublicKey, Responses, Slot, Transport,
    certificate::TngLora,
    command::{Command, GenKeyPublic},
    packet::Packet,
    profile::TngTls,
    zone::KeyType,
};

use super::{Token, lock, zone::Block};
use crate::{
    Certificates, Error,
    cache::Entry,
    identity::{Layout, Stored},
};

impl Token {
    /// The slot of the key that identifies the chip: 1 in parts for LoRaWAN, 0 in all others.
    ///
    /// # Errors
    /// When the chip has to be asked, and does not answer.
    pub fn primary_key(&self) -> Result<Slot, Error> {
        self.look_at_primary_key()?;
        Ok(primary_key(&self.zone(&[Block::Keys])?))
    }

    /// Reads KeyConfig if it is not known, and in the same wake the public key of slot 0, which most parts have and
    /// most callers want next. A refusal of the latter says nothing yet.
    pub(super) fn look_at_primary_key(&self) -> Result<(), Error> {
        self.recall();
        if lock(&self.zone).missing(&[Block::Keys]).is_empty() {
            return Ok(());
        }
        let genkey = GenKeyPublic { key: TngTls::PRIMARY_KEY };
        let packets: [Packet; 2] = [Block::Keys.read().packet(), genkey.packet()];
        let mut responses = Responses::new();
        self.device().transport_mut().transact(&packets, &mut responses).map_err(atecc::Error::Transport)?;
        lock(&self.zone).learn_all(&[Block::Keys], &responses)?;
        if let Some(Ok(key)) = responses.get(1).map(|response| genkey.output(response)) {
            lock(&self.public_keys).insert(TngTls::PRIMARY_KEY, key);
        }
        Ok(())
    }

    /// The certificate of the primary key and those above it, verified up to the root. The chip is read once.
    ///
    /// # Errors
    /// When the chip does not answer, stores no certificates, or they do not verify.
    pub fn certificates(&self) -> Result<Arc<Certificates>, Error> {
        self.recall();
        let mut known = lock(&self.certificates);
        if let Some(certificates) = &*known {
            return Ok(Arc::clone(certificates));
        }
        let slot = self.primary_key()?;
        let public_key = self.public_key(slot)?;
        let stored = self.read_identity(Layout::of(slot))?;
        let certificates = stored.certificates(self.serial_number, public_key, self.is_emulated)?;
        self.remember(slot, public_key, stored);
        Ok(Arc::clone(known.insert(Arc::new(certificates))))
    }

    /// Takes over what the cache knows of this chip, once, if it verifies.
    pub(super) fn recall(&self) {
        self.is_recalled.call_once_force(|_| {
            let Some(cache) = &self.cache else { return };
            let mut zone = lock(&self.zone);
            let Some(entry) = cache.load(self.kind, self.serial_number, zone.start()) else { return };
            let Entry { public_key, stored, .. } = &entry;
            let primary = primary_key(&Configuration::from_bytes(entry.zone));
            if stored.layout != Layout::of(primary) || !entry.is_permanent(primary) {
                return;
            }
            match stored.certificates(self.serial_number, *public_key, self.is_emulated) {
                Ok(certificates) => {
                    zone.recall(&entry.zone);
                    lock(&self.public_keys).insert(primary, *public_key);
                    *lock(&self.certificates) = Some(Arc::new(certificates));
                }
                Err(error) => tracing::warn!(%error, "what the cache says of this chip does not verify"),
            }
        });
    }

    /// Gives to the cache what is worth it.
    fn remember(&self, primary: Slot, public_key: PublicKey, stored: Stored) {
        let (Some(cache), Some(zone)) = (&self.cache, lock(&self.zone).whole()) else { return };
        let entry = Entry { zone, public_key, stored };
        if entry.is_permanent(primary) {
            cache.save(self.kind, self.serial_number, &entry);
        }
    }

    /// Forgets what was known because of the old primary key.
    pub(super) fn forget_identity(&self) {
        *lock(&self.certificates) = None;
        if let Some(cache) = &self.cache {
            cache.forget(self.kind, self.serial_number);
        }
    }

    /// Reads what certificates are made of, and in the same wake what is not known of the configuration zone.
    pub(super) fn read_identity(&self, layout: Layout) -> Result<Stored, Error> {
        let missing = lock(&self.zone).missing(&Block::ALL);
        let reads = missing.iter().map(|block| block.read()).chain(Stored::reads(layout));
        let packets: Vec<Packet> = reads.map(|read| read.packet()).collect();
        let mut responses = Responses::new();
        self.device().transport_mut().transact(&packets, &mut responses).map_err(atecc::Error::Transport)?;
        lock(&self.zone).learn_all(&missing, &responses)?;
        let responses = responses.into_iter().skip(missing.len()).collect();
        Stored::from_responses(layout, &responses)
    }
}

/// The slot that KeyConfig makes the first with a private key: 0, or 1 in parts for LoRaWAN.
fn primary_key(configuration: &Configuration) -> Slot {
    let holds = |slot| holds_private_key(configuration, slot);
    if !holds(TngTls::PRIMARY_KEY) && holds(TngLora::PRIMARY_KEY) {
        TngLora::PRIMARY_KEY
    } else {
        TngTls::PRIMARY_KEY
    }
}

/// Whether `slot` is for a private key of the curve whose public key may be known.
pub(super) fn holds_private_key(configuration: &Configuration, slot: Slot) -> bool {
    let key = configuration.key_properties(slot);
    key.private() && key.key_type() == KeyType::P256 && key.pub_info()
}
