//! What the factory does before a chip is sold: keys, certificates, locks.

use std::time::SystemTime;

use atecc::{
    Configuration, PublicKey, SerialNumber, Signature, Slot,
    certificate::{Authority, Compressed, Device, IssueDate, Signer, Template, to_be_signed},
    command::Zone,
    profile::TngTls,
    zone::CONFIGURATION_ZONE,
};
use p256::ecdsa::{SigningKey, signature::hazmat::RandomizedPrehashSigner};
use sha2::{Digest, Sha256};

use crate::{
    Eeprom,
    authority::{EMULATOR, ROOT_PRIVATE_KEY},
};

/// The configuration zone of an ATECC608B-TNGTLS, template 3: that of a real TNGTLS part, with the revision of
/// the B and with slot 5 readable, where these parts keep an EUI-48. The serial number is left zero.
#[rustfmt::skip]
const TNG_TLS_CONFIGURATION: [u8; CONFIGURATION_ZONE] = [
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x60, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x29, 0x00,
    0x6a, 0x00, 0x00, 0x01, 0x85, 0x00, 0x82, 0x00, 0x85, 0x20, 0x85, 0x20, 0x85, 0x20, 0x0f, 0x8f,
    0x8f, 0x0f, 0x9f, 0x8f, 0x0f, 0x0f, 0x8f, 0x0f, 0x0f, 0x8f, 0x0f, 0x8f, 0x0f, 0x8f, 0x0f, 0x0f,
    0x0d, 0x1f, 0x0f, 0x0f, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xf7, 0x00, 0x69, 0x76, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0x0e, 0x60, 0x00, 0x00, 0x00, 0x00,
    0x53, 0x00, 0x53, 0x00, 0x73, 0x00, 0x73, 0x00, 0x73, 0x00, 0x1c, 0x00, 0x7c, 0x00, 0x1c, 0x00,
    0x3c, 0x00, 0x1a, 0x00, 0x1c, 0x00, 0x10, 0x00, 0x1c, 0x00, 0x30, 0x00, 0x12, 0x00, 0x30, 0x00,
];
/// The OTP code of TNGTLS parts with template 3.
const OTP_CODE: &[u8; 8] = b"KQp2ZkD8";
/// How long the factory's device and signer certificates live.
const DEVICE_YEARS: u8 = 28;
const SIGNER_YEARS: u8 = 31;

/// A new ATECC608B-TNGTLS under the test CA: its own serial number and keys, as the factory would sell it.
///
/// # Errors
/// When the operating system gives no random numbers, or its clock is outside of the years 2000 to 2031 that a
/// compressed certificate can carry.
pub fn tng_tls() -> Result<Eeprom, ProvisionError> {
    let mut configuration = TNG_TLS_CONFIGURATION;
    let unique: [u8; 6] = random()?;
    // 01 23 .. 01, as all parts of the family.
    configuration[..2].copy_from_slice(&[0x01, 0x23]);
    configuration[2..4].copy_from_slice(&unique[..2]);
    configuration[8..12].copy_from_slice(&unique[2..]);
    configuration[12] = 0x01;
    let configuration = Configuration::from_bytes(configuration);
    let mut eeprom = Eeprom::new(&configuration);
    eeprom.otp_mut()[..OTP_CODE.len()].copy_from_slice(OTP_CODE);

    for number in 0..=4 {
        if let Some(slot) = Slot::new(number) {
            let key = new_key()?;
            eeprom.slot_mut(slot)[4..].copy_from_slice(&key.to_bytes());
        }
    }
    let eui48 = hexadecimal(random::<6>()?);
    store(&mut eeprom, TngTls::EUI48, &eui48);
    certify(&mut eeprom, &EMULATOR, configuration.serial_number(), eui48)?;
    Ok(eeprom)
}

/// Issues a signer and a device certificate and stores them in compressed form.
fn certify(
    eeprom: &mut Eeprom,
    authority: &Authority,
    serial_number: SerialNumber,
    eui48: [u8; 12],
) -> Result<(), ProvisionError> {
    let root_key = SigningKey::from_slice(&ROOT_PRIVATE_KEY).map_err(|_| ProvisionError::Key)?;
    let signer_key = new_key()?;
    let signer = Signer { public_key: public_key(&signer_key)?, id: u16::from_be_bytes(random()?) };
    let device_key = eeprom.slot(TngTls::PRIMARY_KEY).get(4..).ok_or(ProvisionError::Key)?;
    let device_key = SigningKey::from_slice(device_key).map_err(|_| ProvisionError::Key)?;
    let device = Device { serial_number, public_key: public_key(&device_key)?, eui48: Some(eui48) };

    let signer_certificate = issue(&root_key, (SIGNER_YEARS, 1), signer.id, |compressed| {
        signer.certificate(authority, compressed)
    })?;
    let device_certificate = issue(&signer_key, (DEVICE_YEARS, 3), signer.id, |compressed| {
        Template::TngTls3.device(authority, &signer, &device, compressed)
    })?;

    store(eeprom, TngTls::DEVICE_CERTIFICATE, &device_certificate.to_bytes());
    store(eeprom, TngTls::SIGNER_CERTIFICATE, &signer_certificate.to_bytes());
    let mut padded = [0; 72];
    padded[4..36].copy_from_slice(&signer.public_key.as_bytes()[..32]);
    padded[40..].copy_from_slice(&signer.public_key.as_bytes()[32..]);
    store(eeprom, TngTls::SIGNER_PUBLIC_KEY, &padded);
    Ok(())
}

/// Signs the certificate that `template` makes of a compressed form; the signature is all that it lacks.
fn issue(
    key: &SigningKey,
    (years, template_id): (u8, u8),
    signer_id: u16,
    template: impl Fn(&Compressed) -> Option<atecc::certificate::Der>,
) -> Result<Compressed, ProvisionError> {
    let mut compressed = Compressed {
        signature: Signature::from_bytes([0xff; 64]),
        dates: this_hour(years)?,
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

/// The present hour.
fn this_hour(expire_years: u8) -> Result<IssueDate, ProvisionError> {
    let now = der::DateTime::from_system_time(SystemTime::now()).map_err(|_| ProvisionError::Clock)?;
    if !(2000..=2031).contains(&now.year()) {
        return Err(ProvisionError::Clock);
    }
    Ok(IssueDate { year: now.year(), month: now.month(), day: now.day(), hour: now.hour(), expire_years })
}

fn store(eeprom: &mut Eeprom, zone: Zone, content: &[u8]) {
    if let Zone::Data(slot) = zone {
        eeprom.slot_mut(slot)[..content.len()].copy_from_slice(content);
    }
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

fn random<const N: usize>() -> Result<[u8; N], ProvisionError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| ProvisionError::Randomness)?;
    Ok(bytes)
}

fn hexadecimal(bytes: [u8; 6]) -> [u8; 12] {
    let mut digits = [0; 12];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        pair[0] = b"0123456789ABCDEF"[usize::from(byte >> 4)];
        pair[1] = b"0123456789ABCDEF"[usize::from(byte & 0x0f)];
    }
    digits
}

/// Why no chip could be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProvisionError {
    /// The system's clock cannot stand in a certificate.
    #[error(
        "the system's clock is not between 2000 and 2031; set it, since the certificate carries its date"
    )]
    Clock,
    /// A key came out invalid.
    #[error("a key could not be made")]
    Key,
    /// No random numbers.
    #[error("the operating system gives no random numbers")]
    Randomness,
    /// The certificate template did not take the names.
    #[error("the certificate template does not fit")]
    Template,
}

#[cfg(test)]
mod tests {
    use x509_cert::{Certificate, der::Decode};

    use super::*;

    #[test]
    fn two_chips_have_nothing_secret_in_common() {
        let (one, other) = (tng_tls().unwrap(), tng_tls().unwrap());
        assert_ne!(one.configuration().serial_number(), other.configuration().serial_number());
        for number in 0..=4 {
            let slot = Slot::new(number).unwrap();
            assert_ne!(one.slot(slot), other.slot(slot), "slot {number}");
        }
    }

    #[test]
    fn the_test_root_says_what_it_is() {
        let root = Certificate::from_der(EMULATOR.root_certificate).unwrap();
        assert!(root.tbs_certificate().subject().to_string().contains("EMULATOR"));
        assert!(!root.tbs_certificate().subject().to_string().contains("Microchip"));
    }
}
