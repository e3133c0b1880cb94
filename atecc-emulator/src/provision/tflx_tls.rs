//! TrustFLEX for TLS: ATECC608B-TFLXTLS.

use atecc::certificate::Template;

use super::{ProvisionError, tng_tls, zone::Layout};
use crate::Eeprom;

/// DS40002138A, tables 2-3 to 2-17, as prototype units have it: whatever may be lockable is. The revision is
/// that of the B, whose template the code below stands for.
pub(super) const LAYOUT: Layout = {
    let mut layout = tng_tls::TEMPLATE_2;
    layout.revision = 0x03;
    layout.i2c_address = 0x6c;
    layout.slots[10] = (0x0f0f, 0x003c);
    layout.slots[11] = (0x0f0f, 0x0030);
    layout.slots[12] = (0x0f0f, 0x003c);
    layout
};

/// The OTP code of parts with a template of their own, by the vendor's library.
pub(super) const CODE: &[u8; 8] = b"MKMwyhP1";

/// A new ATECC608B-TFLXTLS prototype under the test CA: the slots of Trust&GO, but certificates can still be
/// replaced, slot 5 takes a secret under the IO protection key, and SecureBoot is enabled.
///
/// # Errors
/// As with [`tng_tls`](super::tng_tls()).
pub fn tflx_tls() -> Result<Eeprom, ProvisionError> {
    tng_tls::tls(&LAYOUT, CODE, Template::TflxTls)
}
