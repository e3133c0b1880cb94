//! Trust&GO for TLS: ATECC608A-TNGTLS with template 2, ATECC608B-TNGTLS with template 3.

use atecc::{
    Slot,
    certificate::{Device, Template},
    profile::TngTls,
};

use super::{
    ProvisionError,
    factory::{certify, digits, make_keys, public_key_in, random, store},
    zone::{Layout, numbered},
};
use crate::{Eeprom, authority::EMULATOR};

/// Private keys: primary, attestation, three secondary.
pub(super) const KEYS: &[u8] = &[0, 1, 2, 3, 4];
/// The secret of slot 5, which is reserved on parts without an EUI-48.
const RESERVED_KEY: Option<Slot> = Slot::new(5);

/// DS40002112B, tables 2-3 to 2-17, and of the reserved slots what a real part has.
pub(super) const TEMPLATE_2: Layout = Layout {
    revision: 0x02,
    last_of_serial: 0x01,
    i2c_address: 0x6a,
    secure_boot: [0x03, 0xf7],
    chip_options: [0x0e, 0x60],
    slots: [
        (0x0085, 0x0053),
        (0x0082, 0x0053),
        (0x2085, 0x0073),
        (0x2085, 0x0073),
        (0x2085, 0x0073),
        (0x468f, 0x0038),
        (0x0f8f, 0x007c),
        (0x8f9f, 0x001c),
        (0x0f0f, 0x003c),
        (0x0f8f, 0x001a),
        (0x8f0f, 0x001c),
        (0x8f0f, 0x0010),
        (0x8f0f, 0x001c),
        (0x0f0f, 0x0030),
        (0x1f0d, 0x0012),
        (0x0f0f, 0x0030),
    ],
};

/// The same with the revision of the B, and with slot 5 readable, where these parts keep an EUI-48.
pub(super) const TEMPLATE_3: Layout = {
    let mut layout = TEMPLATE_2;
    layout.revision = 0x03;
    layout.slots[5] = (0x8f0f, 0x001c);
    layout
};

/// The OTP codes (section 2.3; for template 3 the vendor's library).
pub(super) const TEMPLATE_2_CODE: &[u8; 8] = b"Rsuy5YJh";
pub(super) const TEMPLATE_3_CODE: &[u8; 8] = b"KQp2ZkD8";

/// A new ATECC608B-TNGTLS with template 3 under the test CA: its own serial number, keys and EUI-48, as the
/// factory would sell it.
///
/// # Errors
/// When the operating system gives no random numbers, or its clock is outside of the years 2000 to 2049 that a
/// compressed certificate can carry.
pub fn tng_tls() -> Result<Eeprom, ProvisionError> {
    tls(&TEMPLATE_3, TEMPLATE_3_CODE, Template::TngTls3)
}

/// A new ATECC608A-TNGTLS with template 2 under the test CA.
///
/// # Errors
/// As with [`tng_tls`].
pub fn tng_tls_2() -> Result<Eeprom, ProvisionError> {
    tls(&TEMPLATE_2, TEMPLATE_2_CODE, Template::TngTls2)
}

/// A part whose slots are those of Trust&GO for TLS.
pub(super) fn tls(layout: &Layout, code: &[u8; 8], template: Template) -> Result<Eeprom, ProvisionError> {
    let configuration = numbered(layout.zone())?;
    let serial_number = configuration.serial_number();
    let mut eeprom = Eeprom::new(&configuration);
    eeprom.otp_mut()[..code.len()].copy_from_slice(code);
    make_keys(&mut eeprom, KEYS)?;
    let eui48 = if template == Template::TngTls3 { Some(digits()?) } else { None };
    match (eui48, RESERVED_KEY) {
        (Some(eui48), _) => store(&mut eeprom, TngTls::EUI48, 0, &eui48),
        (None, Some(slot)) => eeprom.slot_mut(slot)[..32].copy_from_slice(&random::<32>()?),
        (None, None) => {}
    }
    let device = Device { serial_number, public_key: public_key_in(&eeprom, TngTls::PRIMARY_KEY)?, eui48 };
    let certificates =
        certify(template.id(), |signer, compressed| template.device(&EMULATOR, signer, &device, compressed))?;
    store(&mut eeprom, TngTls::DEVICE_CERTIFICATE, 0, &certificates.device);
    store(&mut eeprom, TngTls::SIGNER_PUBLIC_KEY, 0, &certificates.signer_public_key);
    store(&mut eeprom, TngTls::SIGNER_CERTIFICATE, 0, &certificates.signer);
    Ok(eeprom)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The zone of a real ATECC608A-TNGTLS, without its serial number.
    const REAL: &str = "0123000000006002000000000101290 06a000001850082008520852085208f468f0f9f8f0f0f8f0f\
        0f8f0f8f0f8f0f0f0d1f0f0fffffffff00000000ffffffff00000000000003f7006976000000000000000000000000\
        00ffff0e6000000000530053007300730073003800 7c001c003c001a001c0010001c00300012003000";

    #[test]
    fn the_configuration_is_that_of_a_real_part() {
        let digits: String = REAL.split_whitespace().collect();
        let zone: String = TEMPLATE_2.zone().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(zone, digits);
    }

    #[test]
    fn template_3_differs_in_revision_and_slot_5() {
        let (two, three) = (TEMPLATE_2.zone(), TEMPLATE_3.zone());
        let differing: Vec<usize> = (0..two.len()).filter(|&byte| two[byte] != three[byte]).collect();
        assert_eq!(differing, [7, 30, 31, 106]);
    }
}
