//! The PIN that an administrator may ask for (docs/pkcs11.md says what it protects from, and what not).

use std::fmt;

use serde::Deserialize;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use crate::{error::Error, store::unhex};

/// The table `[pkcs11.pin]` of the configuration file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PinTable {
    salt: String,
    iterations: u32,
    hash: String,
    #[serde(default = "ten")]
    tries: u32,
}

/// A PIN, of which only PBKDF2-HMAC-SHA256 is known (RFC 8018, section 5.2).
pub(crate) struct Pin {
    salt: Vec<u8>,
    iterations: u32,
    hash: [u8; HASH],
    tries: u32,
}

/// Bytes of the hash.
const HASH: usize = 32;
/// Fewest bytes of salt (NIST SP 800-132, section 5.1).
const SALT: usize = 16;
/// What a login may cost: a fraction of a second at the lower end, some seconds on a small machine at the upper.
const ITERATIONS: std::ops::RangeInclusive<u32> = 10_000..=10_000_000;

const fn ten() -> u32 {
    10
}

impl Pin {
    /// The PIN of a table.
    pub(crate) fn new(table: PinTable) -> Result<Self, String> {
        // `openssl kdf` writes colons between bytes.
        let bytes = |text: &str| unhex(&text.replace(':', ""));
        let salt = bytes(&table.salt).filter(|salt| salt.len() >= SALT);
        let hash = bytes(&table.hash).and_then(|hash| hash.try_into().ok());
        if !ITERATIONS.contains(&table.iterations) {
            let (least, most) = (ITERATIONS.start(), ITERATIONS.end());
            return Err(format!("iterations in [pkcs11.pin] must be {least} to {most}"));
        }
        if table.tries == 0 {
            return Err("tries in [pkcs11.pin] must be at least 1".into());
        }
        Ok(Self {
            salt: salt
                .ok_or(format!("salt in [pkcs11.pin] must be {SALT} bytes or more in hexadecimal digits"))?,
            iterations: table.iterations,
            hash: hash.ok_or(format!("hash in [pkcs11.pin] must be {HASH} bytes in hexadecimal digits"))?,
            tries: table.tries,
        })
    }

    /// How many wrong PINs in a row lock it.
    pub(crate) const fn tries(&self) -> u32 {
        self.tries
    }

    /// One try, after so many wrong ones in a row.
    pub(crate) fn check(&self, pin: &[u8], wrong: u32) -> Result<(), Error> {
        if wrong >= self.tries {
            Err(Error::PinLocked)
        } else if self.is(pin) {
            Ok(())
        } else {
            Err(Error::PinIncorrect)
        }
    }

    fn is(&self, pin: &[u8]) -> bool {
        let hash = pbkdf2::pbkdf2_hmac_array::<Sha256, HASH>(pin, &self.salt, self.iterations);
        hash.ct_eq(&self.hash).into()
    }
}

impl fmt::Debug for PinTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt pass:1234 -kdfopt hexsalt:000102030405060708090a0b0c0d0e0f
    /// -kdfopt iter:10000 PBKDF2`
    const HASH_OF_1234: &str =
        "91:EA:05:9B:AE:03:33:A2:96:9F:C8:CC:D7:C7:78:51:DD:A4:3F:5A:DB:96:BA:EE:A2:46:A6:24:CD:F4:89:EC";

    fn table(iterations: u32, hash: &str) -> PinTable {
        PinTable { salt: "000102030405060708090a0b0c0d0e0f".into(), iterations, hash: hash.into(), tries: 3 }
    }

    #[test]
    fn a_pin_that_openssl_hashed_is_known_again() {
        let pin = Pin::new(table(10_000, HASH_OF_1234)).unwrap();
        assert!(pin.is(b"1234"));
        assert!(!pin.is(b"12345"));
        assert!(!pin.is(b""));
    }

    #[test]
    fn values_that_protect_nothing_are_refused() {
        assert!(Pin::new(table(9_999, HASH_OF_1234)).is_err());
        assert!(Pin::new(table(10_000, "00")).is_err());
        assert!(Pin::new(PinTable { tries: 0, ..table(10_000, HASH_OF_1234) }).is_err());
        assert!(Pin::new(PinTable { salt: "00".into(), ..table(10_000, HASH_OF_1234) }).is_err());
    }
}
