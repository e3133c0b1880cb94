//! What the token shows.

use atecc::{Slot, certificate::key_identifier, profile::TngTls};

use super::Token;
use crate::{CertificateRole, Error, Object, ObjectKind, Uses};

impl Token {
    /// What the token shows: the private and public key of slot 0, their certificate, and that of its signer.
    /// A chip without certificates shows its keys.
    ///
    /// # Errors
    /// When the chip does not answer, or slot 0 holds no key.
    pub fn objects(&self) -> Result<Vec<Object>, Error> {
        let slot = TngTls::PRIMARY_KEY;
        let public_key = self.public_key(slot)?;
        let id = key_identifier(&public_key).to_vec();
        let object =
            |label: &'static str, id: &[u8], kind| Object { label: label.into(), id: id.into(), kind };
        let mut objects = vec![
            object("device", &id, ObjectKind::PrivateKey { slot, public_key, may: self.uses(slot) }),
            object("device", &id, ObjectKind::PublicKey { slot, public_key }),
        ];
        match self.certificates() {
            Ok(certificates) => {
                let certificate = |der: &Vec<u8>, role| ObjectKind::Certificate { der: der.clone(), role };
                let signer_id = key_identifier(&certificates.signer_public_key);
                let device = certificate(&certificates.device, CertificateRole::Device);
                objects.push(object("device", &id, device));
                let signer = certificate(&certificates.signer, CertificateRole::Signer);
                objects.push(object("signer", &signer_id, signer));
            }
            Err(error) if error.is_without_certificates() => {
                tracing::info!(%error, "the token shows no certificates");
            }
            Err(error) => return Err(error),
        }
        Ok(objects)
    }

    /// What the private key in `slot` may be used for.
    fn uses(&self, slot: Slot) -> Uses {
        let allowed = self.configuration().slot_rules(slot).private_key_use();
        Uses {
            sign: allowed.signs_external(),
            ecdh: allowed.allows_ecdh() && !allowed.keeps_ecdh_result(),
            overwrite: false,
        }
    }
}
