//! The primary key and its certificates.

use std::sync::Arc;

use atecc::{
    Configuration, Responses, Slot, Transport,
    certificate::TngLora,
    command::{Command, GenKeyPublic},
    packet::Packet,
    profile::TngTls,
    zone::KeyType,
};

use super::{Token, lock, zone::Block};
use crate::{
    Certificates, Error,
    identity::{Layout, Stored},
};

impl Token {
    /// The slot of the key that identifies the chip: 1 in parts for LoRaWAN, 0 in all others.
    ///
    /// # Errors
    /// When the chip has to be asked, and does not answer.
    pub fn primary_key(&self) -> Result<Slot, Error> {
        self.look_at_primary_key()?;
        let configuration = self.zone(&[Block::Keys])?;
        let holds = |slot| holds_private_key(&configuration, slot);
        if !holds(TngTls::PRIMARY_KEY) && holds(TngLora::PRIMARY_KEY) {
            Ok(TngLora::PRIMARY_KEY)
        } else {
            Ok(TngTls::PRIMARY_KEY)
        }
    }

    /// Reads KeyConfig if it is not known, and in the same wake the public key of slot 0, which most parts have and
    /// most callers want next. A refusal of the latter says nothing yet.
    fn look_at_primary_key(&self) -> Result<(), Error> {
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
        let mut known = lock(&self.certificates);
        if let Some(certificates) = &*known {
            return Ok(Arc::clone(certificates));
        }
        let slot = self.primary_key()?;
        let public_key = self.public_key(slot)?;
        let stored = self.read_identity(Layout::of(slot))?;
        let certificates = stored.certificates(self.serial_number, public_key, self.is_emulated)?;
        Ok(Arc::clone(known.insert(Arc::new(certificates))))
    }

    /// Reads what certificates are made of, and in the same wake what is not known of the configuration zone.
    fn read_identity(&self, layout: Layout) -> Result<Stored, Error> {
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

/// Whether `slot` is for a private key of the curve whose public key may be known.
pub(super) fn holds_private_key(configuration: &Configuration, slot: Slot) -> bool {
    let key = configuration.key_properties(slot);
    key.private() && key.key_type() == KeyType::P256 && key.pub_info()
}
