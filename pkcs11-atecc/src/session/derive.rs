//! CKM_ECDH1_DERIVE (section 5.14 and mechanisms, section 2.3.8): the shared secret from the chip, the key made of it
//! on the host.

use cryptoki_sys::*;
use zeroize::Zeroizing;

use super::Session;
use crate::{
    error::Error,
    hash::Hash,
    mechanism::{Mechanism, Parameter, Request},
    object::{self, Key, no_duplicates},
    template::Template,
};

/// Bytes of the X coordinate.
const SECRET: usize = 32;
/// Longest key: the chip's secret is worth no more, whatever is made of it.
const LONGEST: usize = 4096;

impl Session {
    /// C_DeriveKey. The key is a session object.
    pub(crate) fn derive_key(
        &self,
        request: &Request<'_>,
        base: CK_OBJECT_HANDLE,
        template: &Template<'_>,
    ) -> Result<CK_OBJECT_HANDLE, Error> {
        let (Mechanism::Ecdh1Derive, parameter) = request.mechanism()? else {
            return Err(Error::MechanismInvalid);
        };
        let Parameter::Ecdh1 { kdf, shared, public } = parameter else {
            return Err(Error::MechanismParamInvalid);
        };
        let kdf = Kdf::new(kdf, shared)?;
        let peer = object::point(public).map_err(|_| Error::MechanismParamInvalid)?;
        no_duplicates(template)?;
        let (key_type, length) = wanted(template, kdf)?;
        let slot = match self.token.key_for(base, CKA_DERIVE)?.key()? {
            Key::Private { slot } => *slot,
            _ => return Err(Error::KeyTypeInconsistent),
        };
        // Whatever could be wrong with the template is found before the chip works.
        let make = |value: &[u8], unique_id: &str| {
            let (class, key_type) = (CKO_SECRET_KEY.to_ne_bytes(), key_type.to_ne_bytes());
            let mut whole = Template::default();
            whole.push(CKA_CLASS, &class);
            whole.push(CKA_KEY_TYPE, &key_type);
            whole.push(CKA_VALUE, value);
            let mut rest = template
                .iter()
                .filter(|(attribute, _)| !matches!(*attribute, CKA_CLASS | CKA_KEY_TYPE | CKA_VALUE_LEN));
            rest.try_for_each(|(attribute, value)| match attribute {
                CKA_VALUE => Err(Error::TemplateInconsistent),
                _ => {
                    whole.push(attribute, value);
                    Ok(())
                }
            })?;
            Ok(object::create(&whole, unique_id)?.derived_from_the_chip())
        };
        make(&Zeroizing::new(vec![0; length]), "trial")?;
        let secret = self.token.ecdh(slot, &peer)?;
        let value = kdf.key(secret.as_bytes(), length);
        self.token.keep(self.owner, |unique_id| make(&value, unique_id))
    }
}

/// The type of the key, and its length: that of CKA_VALUE_LEN, else the longest that the type and the secret have.
fn wanted(template: &Template<'_>, kdf: Kdf<'_>) -> Result<(CK_KEY_TYPE, usize), Error> {
    let number = |attribute| {
        let bytes = template.get(attribute).map(|value| value.try_into().map(CK_ULONG::from_ne_bytes));
        bytes.transpose().map_err(|_| Error::AttributeValueInvalid)
    };
    if number(CKA_CLASS)?.is_some_and(|class| class != CKO_SECRET_KEY) {
        return Err(Error::TemplateInconsistent);
    }
    let key_type = number(CKA_KEY_TYPE)?.unwrap_or(CKK_GENERIC_SECRET);
    let length = match number(CKA_VALUE_LEN)? {
        None | Some(0) => SECRET,
        Some(length) => usize::try_from(length).map_err(|_| Error::KeySizeRange)?,
    };
    let longest = if kdf.hash.is_none() { SECRET } else { LONGEST };
    if length > longest { Err(Error::KeySizeRange) } else { Ok((key_type, length)) }
}

/// How the key is made of the secret.
#[derive(Clone, Copy)]
struct Kdf<'a> {
    /// None: the secret is the key.
    hash: Option<Hash>,
    shared: &'a [u8],
}

impl<'a> Kdf<'a> {
    fn new(kdf: CK_EC_KDF_TYPE, shared: &'a [u8]) -> Result<Self, Error> {
        let hash = match kdf {
            // "If the KDF is CKD_NULL, pSharedData must be NULL"
            CKD_NULL if !shared.is_empty() => return Err(Error::MechanismParamInvalid),
            CKD_NULL => None,
            CKD_SHA1_KDF => Some(Hash::Sha1),
            CKD_SHA224_KDF => Some(Hash::Sha224),
            CKD_SHA256_KDF => Some(Hash::Sha256),
            CKD_SHA384_KDF => Some(Hash::Sha384),
            CKD_SHA512_KDF => Some(Hash::Sha512),
            _ => return Err(Error::MechanismParamInvalid),
        };
        Ok(Self { hash, shared })
    }

    /// The key: of the secret itself its last bytes ("the truncation removes bytes from the leading end of the
    /// secret value"), or with a hash as many as wanted of ANSI X9.63's function (SEC 1, section 3.6.1).
    fn key(self, secret: &[u8; SECRET], length: usize) -> Zeroizing<Vec<u8>> {
        let Some(hash) = self.hash else {
            return Zeroizing::new(secret[SECRET - length.min(SECRET)..].to_vec());
        };
        let mut key = Zeroizing::new(Vec::with_capacity(length + hash.length()));
        for counter in 1_u32.. {
            if key.len() >= length {
                break;
            }
            let mut hasher = hash.hasher();
            hasher.update(secret);
            hasher.update(&counter.to_be_bytes());
            hasher.update(self.shared);
            key.extend_from_slice(&Zeroizing::new(hasher.digest()));
        }
        key.truncate(length);
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::unhex;

    const SECRET_BYTES: [u8; 32] = [7; 32];

    fn key(kdf: CK_EC_KDF_TYPE, shared: &[u8], length: usize) -> Vec<u8> {
        Kdf::new(kdf, shared).unwrap().key(&SECRET_BYTES, length).to_vec()
    }

    /// `openssl kdf -keylen 40 -kdfopt digest:SHA256 -kdfopt hexsecret:0707..07 -kdfopt info:ab X963KDF`
    #[test]
    fn the_function_is_that_of_x9_63() {
        let expected = unhex(X963_SHA256).unwrap();
        assert_eq!(key(CKD_SHA256_KDF, b"ab", 40), expected);
        assert_eq!(key(CKD_SHA256_KDF, b"ab", 5), expected[..5]);
    }

    const X963_SHA256: &str =
        "c9d207f92c0a51ce3152b5feb8f2885edc4cf02217a3b082e2d7fc681185abb21a1c66a22dc9ebc5";

    #[test]
    fn without_a_function_the_leading_bytes_go() {
        let mut secret = SECRET_BYTES;
        secret[31] = 9;
        let null = Kdf::new(CKD_NULL, &[]).unwrap();
        assert_eq!(null.key(&secret, 32).to_vec(), secret);
        assert_eq!(null.key(&secret, 2).to_vec(), [7, 9]);
        assert_eq!(Kdf::new(CKD_NULL, &[1]).err(), Some(Error::MechanismParamInvalid));
        assert_eq!(Kdf::new(CKD_CPDIVERSIFY_KDF, &[]).err(), Some(Error::MechanismParamInvalid));
    }

    impl std::fmt::Debug for Kdf<'_> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "{:?}", self.hash)
        }
    }

    #[test]
    fn lengths_are_bounded() {
        let of = |kdf, length: CK_ULONG| {
            let length = length.to_ne_bytes();
            let mut template = Template::default();
            template.push(CKA_VALUE_LEN, &length);
            wanted(&template, Kdf::new(kdf, &[]).unwrap()).map(|(_, length)| length)
        };
        assert_eq!(of(CKD_NULL, 16), Ok(16));
        assert_eq!(of(CKD_NULL, 33), Err(Error::KeySizeRange));
        assert_eq!(of(CKD_SHA256_KDF, 64), Ok(64));
        assert_eq!(of(CKD_SHA256_KDF, CK_ULONG::MAX), Err(Error::KeySizeRange));
        assert_eq!(
            wanted(&Template::default(), Kdf::new(CKD_NULL, &[]).unwrap()),
            Ok((CKK_GENERIC_SECRET, 32))
        );
    }
}
