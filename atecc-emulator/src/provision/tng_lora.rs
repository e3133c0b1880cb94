//! Trust&GO for LoRaWAN: ATECC608A-TNGLORA.

use atecc::{
    Slot,
    certificate::{LoraDevice, Template, TngLora},
};

use super::{
    ProvisionError,
    factory::{certify, digits, make_keys, public_key_in, random, store},
    zone::{Layout, numbered},
};
use crate::{Eeprom, authority::EMULATOR};

/// The data sheet of the ATECC608A-TNGLORA, tables 2-3 to 2-22, for The Things Industries (SN\[8\] is 27).
/// It says nothing of slot 15; here nothing can be done with that.
pub(super) const LAYOUT: Layout = Layout {
    revision: 0x02,
    last_of_serial: 0x27,
    i2c_address: 0xb2,
    secure_boot: [0x00, 0x00],
    chip_options: [0x0e, 0xe5],
    slots: [
        (0xbd8f, 0x0018),
        (0x8f85, 0x0013),
        (0x0fce, 0x001a),
        (0x0fce, 0x001a),
        (0x0fce, 0x001a),
        (0x0fce, 0x001a),
        (0x0fce, 0x001a),
        (0x0fce, 0x001a),
        (0x0f0f, 0x0030),
        (0x0f0f, 0x001c),
        (0x0f0f, 0x003c),
        (0x0fce, 0x001a),
        (0x0fce, 0x001a),
        (0x4d9f, 0x001c),
        (0x0f8f, 0x007c),
        (0x8f8f, 0x001c),
    ],
};

/// The OTP code of that product (section 2.3).
pub(super) const CODE: &[u8; 8] = b"jsMu7iYO";

/// Slots with secrets that the factory knows: the network and application keys, the repersonalization key.
const SECRETS: [u8; 2] = [0, 13];

/// A new ATECC608A-TNGLORA under the test CA.
///
/// # Errors
/// As with [`tng_tls`](super::tng_tls()).
pub fn tng_lora() -> Result<Eeprom, ProvisionError> {
    let configuration = numbered(LAYOUT.zone())?;
    let mut eeprom = Eeprom::new(&configuration);
    eeprom.otp_mut()[..CODE.len()].copy_from_slice(CODE);
    make_keys(&mut eeprom, &[TngLora::PRIMARY_KEY.number()])?;
    for slot in SECRETS.into_iter().filter_map(Slot::new) {
        eeprom.slot_mut(slot)[..32].copy_from_slice(&random::<32>()?);
    }
    let eui64: [u8; 16] = digits()?;
    store(&mut eeprom, TngLora::EUI64, 0, &eui64);
    let device = LoraDevice {
        serial_number: configuration.serial_number(),
        public_key: public_key_in(&eeprom, TngLora::PRIMARY_KEY)?,
        eui64: Some(eui64),
    };
    let template = Template::TngLora4;
    let certificates = certify(template.id(), |signer, compressed| {
        template.lora_device(&EMULATOR, signer, &device, compressed)
    })?;
    // Table 2-6.
    store(&mut eeprom, TngLora::CERTIFICATES, 0, &certificates.signer_public_key);
    store(&mut eeprom, TngLora::CERTIFICATES, 72, &certificates.device);
    store(&mut eeprom, TngLora::CERTIFICATES, 144, &certificates.signer);
    Ok(eeprom)
}
