//! What the token shows.

use std::borrow::Cow;

use atecc::{Configuration, Slot, certificate::key_identifier, zone::CounterId};

use super::{
    Token,
    data::is_open_data,
    identity::holds_private_key,
    keys::allows_ecdh,
    secrets::{aes_keys, allows_hmac, is_users_secret},
};
use crate::{CertificateRole, Error, Object, ObjectKind, SecretAlgorithm, Uses, identity::Layout};

impl Token {
    /// Everything that the token shows: the [`key_pairs`](Self::key_pairs), the certificates of the primary key, its
    /// signer and the root, symmetric keys, data and counters.
    ///
    /// Certificates are read from the chip once; what symmetric keys, data and counters hold is not read at all. A
    /// chip without certificates shows the rest.
    ///
    /// # Errors
    /// When the chip does not answer, or has no primary key.
    pub fn objects(&self) -> Result<Vec<Object>, Error> {
        let mut objects = self.key_pairs()?;
        objects.extend(self.certificate_objects()?);
        let configuration = self.configuration()?;
        let layout = Layout::of(self.primary_key()?);
        for slot in (0..16).filter_map(Slot::new) {
            objects.extend(self.secret_keys(&configuration, slot));
            if is_open_data(&configuration, slot) && !layout.uses(slot) {
                let label = self.label_of(slot).unwrap_or_else(|| format!("data-{slot}").into());
                objects.push(Object { label, id: vec![slot.number()], kind: ObjectKind::Data { slot } });
            }
        }
        for (number, counter) in [(0, CounterId::Counter0), (1, CounterId::Counter1)] {
            let label = format!("counter-{number}").into();
            objects.push(Object { label, id: vec![number], kind: ObjectKind::Counter { counter } });
        }
        Ok(objects)
    }

    /// The private and public keys that the token shows, the primary one first: two objects each.
    ///
    /// Of the other slots those that a rule lists, if they may hold a private key and do. The rest is not shown: the
    /// keys of a new part are the factory's, and each would cost a wake and a tenth of a second at every start.
    ///
    /// # Errors
    /// When the chip does not answer, or has no primary key.
    pub fn key_pairs(&self) -> Result<Vec<Object>, Error> {
        let primary = self.primary_key()?;
        let mut objects = self.key_pair(primary, "device".into())?.to_vec();
        let mut shown = vec![primary];
        for slot in self.rules.iter().map(|rule| rule.slot) {
            if shown.contains(&slot) || !holds_private_key(&self.configuration_of(slot)?, slot) {
                continue;
            }
            shown.push(slot);
            let label = self.label_of(slot).unwrap_or_else(|| format!("slot-{slot}").into());
            match self.key_pair(slot, label) {
                Ok(pair) => objects.extend(pair),
                Err(error) if error.chip_status().is_some() => {
                    tracing::info!(%slot, %error, "the slot shows no key");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(objects)
    }

    fn key_pair(&self, slot: Slot, label: Cow<'static, str>) -> Result<[Object; 2], Error> {
        let public_key = self.public_key(slot)?;
        let id = key_identifier(&public_key).to_vec();
        let may = self.uses(slot)?;
        Ok([
            Object {
                label: label.clone(),
                id: id.clone(),
                kind: ObjectKind::PrivateKey { slot, public_key, may },
            },
            Object { label, id, kind: ObjectKind::PublicKey { slot, public_key } },
        ])
    }

    /// What the private key in `slot` may be used for.
    fn uses(&self, slot: Slot) -> Result<Uses, Error> {
        let configuration = self.configuration_of(slot)?;
        let rules = configuration.slot_rules(slot);
        Ok(Uses {
            sign: rules.private_key_use().signs_external(),
            ecdh: allows_ecdh(rules),
            overwrite: self.may_overwrite(slot) && rules.write_config().allows_genkey(),
        })
    }

    fn certificate_objects(&self) -> Result<Vec<Object>, Error> {
        let certificates = match self.certificates() {
            Ok(certificates) => certificates,
            Err(error) if error.is_without_certificates() => {
                tracing::info!(%error, "the token shows no certificates");
                return Ok(Vec::new());
            }
            Err(error) => return Err(error),
        };
        let device_key = self.public_key(self.primary_key()?)?;
        Ok([
            ("device", &device_key, &certificates.device, CertificateRole::Device),
            ("signer", &certificates.signer_public_key, &certificates.signer, CertificateRole::Signer),
            ("root", &certificates.root_public_key, &certificates.root, CertificateRole::Root),
        ]
        .map(|(label, key, der, role)| Object {
            label: label.into(),
            id: key_identifier(key).to_vec(),
            kind: ObjectKind::Certificate { der: der.clone(), role },
        })
        .to_vec())
    }

    /// The symmetric keys that `slot` has room for.
    fn secret_keys(&self, configuration: &Configuration, slot: Slot) -> Vec<Object> {
        let is_listed = self.rules.iter().any(|rule| rule.slot == slot);
        if !is_listed && !is_users_secret(configuration, slot) {
            return Vec::new();
        }
        let hmac = allows_hmac(configuration, slot).then_some(SecretAlgorithm::HmacSha256);
        let aes = (0..aes_keys(configuration, slot)).map(|key_block| SecretAlgorithm::Aes128 { key_block });
        aes.chain(hmac)
            .map(|algorithm| {
                let (name, place) = match algorithm {
                    SecretAlgorithm::Aes128 { key_block } => (format!("aes-{slot}-{key_block}"), key_block),
                    SecretAlgorithm::HmacSha256 => (format!("hmac-{slot}"), u8::MAX),
                };
                Object {
                    label: self.label_of(slot).unwrap_or_else(|| name.into()),
                    id: vec![slot.number(), place],
                    kind: ObjectKind::SecretKey { slot, algorithm },
                }
            })
            .collect()
    }

    /// The label that a rule gives to what is in `slot`.
    fn label_of(&self, slot: Slot) -> Option<Cow<'static, str>> {
        self.rules.iter().filter(|rule| rule.slot == slot).find_map(|rule| rule.label.clone()).map(Cow::Owned)
    }
}
