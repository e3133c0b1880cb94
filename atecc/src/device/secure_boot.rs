//! Secure boot: the chip decides whether code may run.

use super::{Step, output};
use crate::{
    Device, Digest, Error, Secret, Signature, Transport,
    command::{Command, NonceRandom, SecureBoot, SecureBootCheck, SecureBootProtected},
    host::{self, secure_boot::SecureBootKey},
};

impl<T: Transport> Device<T> {
    /// Whether the chip finds that code with this digest may run. Who sits on the bus can forge the answer; see
    /// [`secure_boot_protected`](Self::secure_boot_protected).
    ///
    /// # Errors
    /// When the chip cannot be reached, or its configuration does not allow this check.
    pub fn secure_boot(
        &mut self,
        check: SecureBootCheck<'_>,
        digest: &Digest,
    ) -> Result<bool, Error<T::Error>> {
        self.run(&(SecureBoot { check, digest },)).map(|(good,)| good)
    }

    /// As [`secure_boot`](Self::secure_boot), with an encrypted digest and an answer that nobody can forge.
    /// `input` is the caller's own randomness; `stored` the signature that the chip has stored, where it stores
    /// signatures and the check is [`SecureBootCheck::Stored`].
    ///
    /// # Errors
    /// As that, and [`Error::WrongMac`].
    pub fn secure_boot_protected(
        &mut self,
        check: &SecureBootCheck<'_>,
        digest: &Digest,
        stored: Option<&Signature>,
        input: &[u8; 20],
        io_protection_key: &Secret<32>,
    ) -> Result<bool, Error<T::Error>> {
        let nonce = NonceRandom { input };
        let mut key = None;
        let plan = SecureBootProtected { check, encrypted_digest: digest }.packet().without_data();
        self.converse(&[plan], |sent, answer| {
            if sent == 0 {
                return Ok(Step::Send(nonce.packet()));
            }
            if sent == 1 {
                let temp_key = host::nonce::random(&nonce, &output(&nonce, answer)?);
                let made = SecureBootKey::new(io_protection_key, &temp_key);
                let packet = SecureBootProtected { check, encrypted_digest: &made.encrypt(digest) }.packet();
                key = Some(made);
                return Ok(Step::Send(packet));
            }
            let command = SecureBootProtected { check, encrypted_digest: digest };
            match (output(&command, answer)?, &key) {
                (None, _) => Ok(Step::Done(false)),
                (Some(mac), Some(key)) if host::is_equal(&mac, &key.mac(&command, digest, stored)) => {
                    Ok(Step::Done(true))
                }
                _ => Err(Error::WrongMac { command: SecureBootProtected::NAME }),
            }
        })
    }
}
