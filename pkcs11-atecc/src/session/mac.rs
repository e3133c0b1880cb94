//! Message authentication codes as signatures: HMAC and CMAC.

use cryptoki_sys::{CK_ULONG, CKA_KEY_TYPE, CKK_AES};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::{
    aes::{Aes, BLOCK, cmac},
    error::Error,
    mechanism::{MacLength, Mechanism, Parameter},
    object::{Key, Object, SecretKey},
    token::Token,
};

/// A message that is being authenticated. It is gathered here, since the chip takes it in one wake.
pub(super) struct Mac {
    algorithm: Algorithm,
    /// Bytes of the signature.
    length: usize,
    message: Zeroizing<Vec<u8>>,
    in_parts: bool,
}

enum Algorithm {
    Hmac(SecretKey),
    Cmac(Aes),
}

/// Longest message. The chip takes far less (about 4 KiB for an HMAC).
const LONGEST: usize = 1 << 20;
/// Bytes of an HMAC-SHA256.
const HMAC: usize = 32;

impl Mac {
    /// The message of an operation with this mechanism and key.
    pub(super) fn new(mechanism: Mechanism, parameter: Parameter<'_>, key: &Object) -> Result<Self, Error> {
        let Key::Secret(secret) = key.key()? else { return Err(Error::KeyTypeInconsistent) };
        let is_aes = key.number(CKA_KEY_TYPE) == CKK_AES;
        let (algorithm, whole, wanted) = match mechanism {
            Mechanism::Hmac(length) if !is_aes => (Algorithm::Hmac(secret.clone()), HMAC, length),
            Mechanism::Cmac(length) if is_aes => (Algorithm::Cmac(Aes::new(secret)?), BLOCK, length),
            _ => return Err(Error::KeyTypeInconsistent),
        };
        let length = match (wanted, parameter) {
            (MacLength::Whole, Parameter::None) => whole,
            (MacLength::General, Parameter::Number(number)) => chosen(number, whole)?,
            _ => return Err(Error::MechanismParamInvalid),
        };
        Ok(Self { algorithm, length, message: Zeroizing::default(), in_parts: false })
    }

    /// Bytes of the signature.
    pub(super) const fn length(&self) -> usize {
        self.length
    }

    /// Takes in a part.
    pub(super) fn update(&mut self, part: &[u8]) -> Result<(), Error> {
        self.in_parts = true;
        if part.len() > LONGEST - self.message.len() {
            return Err(Error::DataLenRange);
        }
        self.message.extend_from_slice(part);
        Ok(())
    }

    /// The signature if `data` is the whole message.
    pub(super) fn whole(&self, token: &Token, data: &[u8]) -> Result<Vec<u8>, Error> {
        if self.in_parts {
            return Err(Error::OperationActive);
        }
        self.of(token, data)
    }

    /// The signature if no more parts come.
    pub(super) fn end(&self, token: &Token) -> Result<Vec<u8>, Error> {
        self.of(token, &self.message)
    }

    fn of(&self, token: &Token, message: &[u8]) -> Result<Vec<u8>, Error> {
        if message.len() > LONGEST {
            return Err(Error::DataLenRange);
        }
        let mut mac = match &self.algorithm {
            Algorithm::Hmac(SecretKey::Hmac { slot }) => token.hmac(*slot, message)?.to_vec(),
            Algorithm::Hmac(SecretKey::Host(key)) => {
                let mut hmac =
                    Hmac::<Sha256>::new_from_slice(key.as_bytes()).map_err(|_| Error::KeyTypeInconsistent)?;
                hmac.update(message);
                hmac.finalize().into_bytes().to_vec()
            }
            Algorithm::Hmac(SecretKey::Aes { .. }) => return Err(Error::KeyTypeInconsistent),
            Algorithm::Cmac(aes) => cmac(message, |block| aes.encrypt(token, block))?.to_vec(),
        };
        mac.truncate(self.length);
        Ok(mac)
    }
}

/// Compares without telling by its time where two signatures differ.
pub(super) fn check(right: &[u8], signature: &[u8]) -> Result<(), Error> {
    if right.len() != signature.len() {
        return Err(Error::SignatureLenRange);
    }
    if right.ct_eq(signature).into() { Ok(()) } else { Err(Error::SignatureInvalid) }
}

/// A length that the application chose: "1-32" for SHA-256 (mechanisms, section 2.22.3) and up to a block for CMAC.
fn chosen(length: CK_ULONG, whole: usize) -> Result<usize, Error> {
    let length = usize::try_from(length).ok().filter(|length| (1..=whole).contains(length));
    length.ok_or(Error::MechanismParamInvalid)
}
