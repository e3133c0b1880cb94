//! An open private key.

mod chip;
mod file;
mod memory;

use std::fmt;
use std::sync::Arc;

use atecc::{SerialNumber, Slot};
use atecc_token::Token;
use rustls::SignatureScheme;

use crate::scheme::{Kind, PublicKey};
use crate::{Error, KeySource, pkcs11};

/// An open private key: signs, and shows nothing of itself.
pub struct Key {
    public: PublicKey,
    holder: Box<dyn Sign>,
}

/// What holds a private key and signs with it. Printed, it says what it is in a few words, without secrets.
pub trait Sign: fmt::Display + Send + Sync {
    /// Signs `message` in one of the ways that fit the key, in the form of TLS and X.509 (ECDSA: DER). May block for
    /// as long as a chip needs; it is not asked for what the kind of key cannot do.
    ///
    /// # Errors
    /// When the key cannot be reached or may not be used.
    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, Error>;

    /// The certificates that are kept beside the key, its own first, in DER. Empty: none.
    ///
    /// # Errors
    /// When they cannot be read.
    fn certificates(&self) -> Result<Vec<Vec<u8>>, Error> {
        Ok(Vec::new())
    }

    /// Whether this says that it is an emulation.
    fn is_emulated(&self) -> bool {
        false
    }

    /// Whether what holds the key answers and is the same as before, without a signature; `None`: it cannot be asked.
    ///
    /// # Errors
    /// When it does not answer.
    fn is_present(&self) -> Option<Result<bool, Error>> {
        None
    }

    /// The serial number of this project's chip.
    fn serial_number(&self) -> Option<SerialNumber> {
        None
    }

    /// What it is, in a word or two.
    fn model(&self) -> String {
        self.to_string()
    }
}

impl Key {
    /// Opens the key at `source`. Nothing is signed yet.
    ///
    /// # Errors
    /// When there is no such key, or it may not be used.
    pub fn open(source: &KeySource) -> Result<Self, Error> {
        match source {
            KeySource::Chip(spec) => Self::of_token(&Arc::new(Token::open(spec)?)),
            KeySource::Pkcs11(uri) => {
                let (holder, public) = pkcs11::TokenKey::open(uri)?;
                Ok(Self { public, holder: Box::new(holder) })
            }
            KeySource::File(file) => {
                let (holder, public) = file::FileKey::open(file)?;
                Ok(Self { public, holder: Box::new(holder) })
            }
        }
    }

    /// The primary key of an open chip.
    ///
    /// # Errors
    /// When the chip does not answer or has no such key.
    pub fn of_token(token: &Arc<Token>) -> Result<Self, Error> {
        let (holder, info) = chip::ChipKey::of(token)?;
        Self::held_by(&info, holder)
    }

    /// The key in `slot` of an open chip. Only the primary one has certificates in the chip.
    ///
    /// # Errors
    /// When the chip does not answer, or has no key there.
    pub fn of_slot(token: &Arc<Token>, slot: Slot) -> Result<Self, Error> {
        let (holder, info) = chip::ChipKey::in_slot(token, slot)?;
        Self::held_by(&info, holder)
    }

    /// The first private key of a PEM text (PKCS#8, SEC1 or PKCS#1, without a password), which is kept in memory only.
    /// `name` says what it is, for errors.
    ///
    /// # Errors
    /// When there is no key, or it is of a kind that is not supported.
    pub fn from_pem(pem: &str, name: &str) -> Result<Self, Error> {
        let (holder, public) = memory::MemoryKey::read(pem, name)?;
        Ok(Self { public, holder: Box::new(holder) })
    }

    /// A key that `holder` signs with, and whose SubjectPublicKeyInfo (DER) is `info`.
    ///
    /// # Errors
    /// When the key is of an unknown kind.
    pub fn held_by(info: &[u8], holder: impl Sign + 'static) -> Result<Self, Error> {
        let public = PublicKey::from_info(info).ok_or_else(|| Error::Kind { holder: holder.to_string() })?;
        Ok(Self { public, holder: Box::new(holder) })
    }

    /// The public key: SubjectPublicKeyInfo in DER (RFC 5280, section 4.1).
    pub fn public_key_info(&self) -> &[u8] {
        self.public.info()
    }

    /// What kinds of signature it makes, best first.
    pub fn schemes(&self) -> &'static [SignatureScheme] {
        self.public.kind().schemes()
    }

    /// Whether it is a key on a curve; otherwise it is an RSA key.
    pub fn is_elliptic(&self) -> bool {
        self.public.kind() != Kind::Rsa
    }

    /// Signs `message`, of any length, and verifies the signature. It has the form of TLS and X.509 (ECDSA: DER).
    /// Blocks for as long as the holder of the key needs: a chip 60 to 120 ms, more behind a serial line.
    ///
    /// # Errors
    /// When the key cannot be reached or may not be used, is of another kind, or the signature is wrong.
    pub fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, Error> {
        if !self.schemes().contains(&scheme) {
            return Err(Error::Scheme { holder: self.to_string(), scheme });
        }
        let signature = self.holder.sign(scheme, message)?;
        if !self.public.verifies(scheme, message, &signature) {
            return Err(Error::WrongSignature { holder: self.to_string() });
        }
        Ok(signature)
    }

    /// The certificates that are kept beside it, its own first, in DER.
    pub(crate) fn certificates(&self) -> Result<Vec<Vec<u8>>, Error> {
        self.holder.certificates()
    }

    /// Whether what holds the key answers and is the same as before, without a signature; `None`: it cannot be asked. May
    /// block for as long as a chip needs.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn is_present(&self) -> Option<Result<bool, Error>> {
        self.holder.is_present()
    }

    /// Whether it is in an emulated chip, as far as can be told.
    pub fn is_emulated(&self) -> bool {
        self.holder.is_emulated()
    }

    /// The serial number of this project's chip, if it is there and no module is in between.
    pub fn serial_number(&self) -> Option<SerialNumber> {
        self.holder.serial_number()
    }

    /// What holds it, in a word or two.
    pub fn model(&self) -> String {
        self.holder.model()
    }
}

/// What holds it.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.holder.fmt(f)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?} in {})", self.public.kind(), self.holder)
    }
}
