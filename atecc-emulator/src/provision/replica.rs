//! The public side of a real part.

use atecc::{
    Configuration,
    certificate::{StoredIdentity, Template},
    profile::TngTls,
    zone::CONFIGURATION_ZONE,
};

use super::{
    ProvisionError,
    factory::{make_keys, store},
    tflx_tls, tng_tls,
};
use crate::Eeprom;

/// The EEPROM of a TLS part with the serial number, certificates and EUI-48 of a real one, to test what reads
/// them. Slot 0 is empty, for nobody outside of the real part knows its key; slots 1 to 4 have keys of their
/// own. [`Chip::replaying`](crate::Chip::replaying) shows the public key of slot 0 nevertheless.
///
/// # Errors
/// When the template is not one of a TLS part, or the operating system gives no random numbers.
pub fn replica(identity: &StoredIdentity, template: Template) -> Result<Eeprom, ProvisionError> {
    let (layout, code) = match template {
        Template::TngTls2 => (tng_tls::TEMPLATE_2, tng_tls::TEMPLATE_2_CODE),
        Template::TngTls3 => (tng_tls::TEMPLATE_3, tng_tls::TEMPLATE_3_CODE),
        Template::TflxTls => (tflx_tls::LAYOUT, tflx_tls::CODE),
        _ => return Err(ProvisionError::Template),
    };
    let mut zone: [u8; CONFIGURATION_ZONE] = layout.zone();
    let serial_number = identity.serial_number.as_bytes();
    zone[..4].copy_from_slice(&serial_number[..4]);
    zone[8..13].copy_from_slice(&serial_number[4..]);
    let mut eeprom = Eeprom::new(&Configuration::from_bytes(zone));
    eeprom.otp_mut()[..code.len()].copy_from_slice(code);
    make_keys(&mut eeprom, &tng_tls::KEYS[1..])?;
    store(&mut eeprom, TngTls::DEVICE_CERTIFICATE, 0, &identity.device);
    store(&mut eeprom, TngTls::SIGNER_PUBLIC_KEY, 0, &identity.signer_public_key);
    store(&mut eeprom, TngTls::SIGNER_CERTIFICATE, 0, &identity.signer);
    if let Some(eui48) = &identity.eui48 {
        store(&mut eeprom, TngTls::EUI48, 0, eui48);
    }
    Ok(eeprom)
}
