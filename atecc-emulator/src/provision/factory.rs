//! Keys and certificates, as the factory makes them.

use std::time::SystemTime;

use atecc::{
    PublicKey, Signature, Slot,
    certificate::{Compressed, Der, IssueDate, Signer, to_be_signed},
    command::Zone,
};
use p256::ecdsa::{SigningKey, signature::hazmat::RandomizedPrehashSigner};
use sha2::{Digest, Sha256};

use super::ProvisionError;
use crate::{
    Eeprom,
    authority::{EMULATOR, ROOT_PRIVATE_KEY},
};

/// How long the factory's device and signer certificates live.
const DEVICE_YEARS: u8 = 28;
const SIGNER_YEARS: u8 = 31;
/// The number of the signer's template.
const SIGNER_TEMPLATE: u8 = 1;

/// What a chip stores of a chain: the padded key of the signer, the device's certificate, the signer's.
pub(super) struct Certificates {
    pub(super) signer_public_key: [u8; 72],
    pub(super) device: [u8; 72],
    pub(super) signer: [u8; 72],
}

/// Issues a signer under the test CA, and under that the certificate that `device` gives for a compressed form.
pub(super) fn certify(
    template_id: u8,
    device: impl Fn(&Signer, &Compressed) -> Option<Der>,
) -> Result<Certificates, ProvisionError> {
    let root_key = SigningKey::from_slice(&ROOT_PRIVATE_KEY).map_err(|_| ProvisionError::Key)?;
    let signer_key = new_key()?;
    let signer = Signer { public_key: public_key(&signer_key)?, id: u16::from_be_bytes(random()?) };
    let signer_certificate = issue(&root_key, (SIGNER_YEARS, SIGNER_TEMPLATE), signer.id, |compressed| {
        signer.certificate(&EMULATOR, compressed)
    })?;
    let device_certificate =
        issue(&signer_key, (DEVICE_YEARS, template_id), signer.id, |compressed| device(&signer, compressed))?;
    Ok(Certificates {
        signer_public_key: padded(&signer.public_key),
        device: device_certificate.to_bytes(),
        signer: signer_certificate.to_bytes(),
    })
}

/// Makes a private key in each of these slots.
pub(super) fn make_keys(eeprom: &mut Eeprom, slots: &[u8]) -> Result<(), ProvisionError> {
    for slot in slots.iter().filter_map(|&number| Slot::new(number)) {
        let key = new_key()?;
        eeprom.slot_mut(slot)[4..].copy_from_slice(&key.to_bytes());
    }
    Ok(())
}

/// The public key of the private key in `slot`.
pub(super) fn public_key_in(eeprom: &Eeprom, slot: Slot) -> Result<PublicKey, ProvisionError> {
    let key = eeprom.slot(slot).get(4..).ok_or(ProvisionError::Key)?;
    public_key(&SigningKey::from_slice(key).map_err(|_| ProvisionError::Key)?)
}

/// Puts `content` into the slot of `zone`, from byte `start`.
pub(super) fn store(eeprom: &mut Eeprom, zone: Zone, start: usize, content: &[u8]) {
    if let Zone::Data(slot) = zone
        && let Some(place) = eeprom.slot_mut(slot).get_mut(start..start + content.len())
    {
        place.copy_from_slice(content);
    }
}

pub(super) fn random<const N: usize>() -> Result<[u8; N], ProvisionError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| ProvisionError::Randomness)?;
    Ok(bytes)
}

/// The digits of a made-up EUI: N bytes give 2 N digits.
pub(super) fn digits<const N: usize>() -> Result<[u8; N], ProvisionError> {
    let drawn: [u8; N] = random()?;
    Ok(drawn.map(|byte| b"0123456789ABCDEF"[usize::from(byte & 0x0f)]))
}

/// A public key as slots hold it: X and Y, each behind four zero bytes (section 4.5.1).
fn padded(key: &PublicKey) -> [u8; 72] {
    let mut padded = [0; 72];
    padded[4..36].copy_from_slice(&key.as_bytes()[..32]);
    padded[40..].copy_from_slice(&key.as_bytes()[32..]);
    padded
}

/// Signs the certificate that `template` makes of a compressed form; the signature is all that it lacks.
fn issue(
    key: &SigningKey,
    (years, template_id): (u8, u8),
    signer_id: u16,
    template: impl Fn(&Compressed) -> Option<Der>,
) -> Result<Compressed, ProvisionError> {
    let dates = issued(SystemTime::now(), years)?;
    let mut compressed = Compressed {
        signature: Signature::from_bytes([0xff; 64]),
        format: dates.format(),
        dates,
        signer_id,
        template_id,
        chain_id: 0,
    };
    let unsigned = template(&compressed).ok_or(ProvisionError::Template)?;
    let digest = Sha256::digest(to_be_signed(&unsigned).ok_or(ProvisionError::Template)?);
    let signature: p256::ecdsa::Signature =
        key.sign_prehash_with_rng(&mut getrandom::SysRng, &digest).map_err(|_| ProvisionError::Randomness)?;
    compressed.signature = Signature::from_bytes(signature.to_bytes().into());
    Ok(compressed)
}

/// The hour of `now`; on a 29 February whose anniversary in so many years is no day, the last hour before it.
fn issued(now: SystemTime, expire_years: u8) -> Result<IssueDate, ProvisionError> {
    let now = der::DateTime::from_system_time(now).map_err(|_| ProvisionError::Clock)?;
    let today =
        IssueDate { year: now.year(), month: now.month(), day: now.day(), hour: now.hour(), expire_years };
    let yesterday = IssueDate { day: today.day.saturating_sub(1), hour: 23, ..today };
    [today, yesterday].into_iter().find(|dates| dates.is_issuable()).ok_or(ProvisionError::Clock)
}

fn new_key() -> Result<SigningKey, ProvisionError> {
    loop {
        let scalar = zeroize::Zeroizing::new(random::<32>()?);
        // A number beyond the order of the curve is no key; draw again.
        if let Ok(key) = SigningKey::from_slice(&*scalar) {
            return Ok(key);
        }
    }
}

fn public_key(key: &SigningKey) -> Result<PublicKey, ProvisionError> {
    let point = key.verifying_key().to_sec1_point(false);
    let coordinates = point.as_bytes().get(1..).and_then(|coordinates| coordinates.try_into().ok());
    coordinates.map(PublicKey::from_bytes).ok_or(ProvisionError::Key)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_leap_day_is_dated_where_its_expiry_exists() {
        // 2028-02-29 12:34:56 UTC.
        let leap = at(1_835_440_496);
        let date = |years| issued(leap, years).map(|dates| (dates.year, dates.month, dates.day, dates.hour));
        // 2056 has a 29 February, 2059 has none.
        assert_eq!(date(DEVICE_YEARS).unwrap(), (2028, 2, 29, 12));
        assert_eq!(date(SIGNER_YEARS).unwrap(), (2028, 2, 28, 23));
    }

    #[test]
    fn a_clock_that_no_template_can_tell_is_refused() {
        // 1999-12-31 23:59:59 and 2050-01-01 00:00:00 UTC.
        for seconds in [946_684_799, 2_524_608_000] {
            assert!(matches!(issued(at(seconds), 28), Err(ProvisionError::Clock)));
        }
        assert!(issued(at(946_684_800), 28).is_ok() && issued(at(2_524_607_999), 28).is_ok());
    }
}
