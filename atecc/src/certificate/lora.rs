//! The identity of Trust&GO LoRaWAN parts, whose slots are taken otherwise than those of TLS parts.

use super::{
    Authority, COMPRESSED_CERTIFICATE, CertificateError, Chain, Stored,
    template::{Eui, Family, Subject},
};
use crate::{PublicKey, SerialNumber, Slot, command::Zone};

/// Where an ATECC608-TNGLORA keeps its identity (data sheet of the part, section "Certificates Dynamic Storage").
#[derive(Clone, Copy, Debug)]
pub struct TngLora;

impl TngLora {
    /// The permanent private key of the device.
    pub const PRIMARY_KEY: Slot = slot(1);
    /// Slot 8, from its first byte: the three pieces of [`StoredLora::certificates`], 72 bytes each.
    pub const CERTIFICATES: Zone = Zone::Data(slot(8));
    /// Slot 10 of parts with template 4: sixteen ASCII hexadecimal digits at offset 0.
    pub const EUI64: Zone = Zone::Data(slot(10));
}

/// What a LoRaWAN part holds of its identity.
#[derive(Clone, Debug)]
pub struct StoredLora {
    /// From the configuration zone.
    pub serial_number: SerialNumber,
    /// The public key of slot 1, from GenKey.
    pub public_key: PublicKey,
    /// The first 216 bytes of slot 8: the signer's key, the device's certificate, the signer's certificate.
    pub certificates: [[u8; COMPRESSED_CERTIFICATE]; 3],
    /// The first sixteen bytes of slot 10: the digits of an EUI-64. Parts with template 2 need none.
    pub eui64: Option<[u8; 16]>,
}

/// Whose key the device certificate of a LoRaWAN part certifies.
#[derive(Clone, Copy, Debug)]
pub struct LoraDevice {
    /// Nine bytes, in the common name.
    pub serial_number: SerialNumber,
    /// The certified key.
    pub public_key: PublicKey,
    /// Sixteen ASCII digits, in the alternative name.
    pub eui64: Option<[u8; 16]>,
}

/// Rebuilds the certificates of a Trust&GO LoRaWAN part, as [`rebuild`](super::rebuild) does for TLS.
///
/// # Errors
/// When slot 8 does not hold what such a part holds, or nothing verifies.
pub fn rebuild_lora(
    stored: &StoredLora,
    hint: &[u8; 8],
    authorities: &[&'static Authority],
) -> Result<Chain, CertificateError> {
    let [signer_public_key, device, signer] = &stored.certificates;
    let StoredLora { serial_number, public_key, eui64, .. } = *stored;
    let subject = Subject { serial_number, public_key, eui: eui64.map(Eui::Eui64) };
    Stored { subject, device, signer_public_key, signer }.rebuild(Family::Lora, hint, authorities)
}

/// A slot number that is right by construction, as the assertions below show.
const fn slot(number: u8) -> Slot {
    match Slot::new(number) {
        Some(slot) => slot,
        None => Slot::PRIMARY_KEY,
    }
}

const _: () = assert!(TngLora::PRIMARY_KEY.number() == 1);
const _: () = assert!(matches!(TngLora::CERTIFICATES, Zone::Data(slot) if slot.number() == 8));
const _: () = assert!(matches!(TngLora::EUI64, Zone::Data(slot) if slot.number() == 10));
const _: () = assert!(3 * COMPRESSED_CERTIFICATE <= TngLora::CERTIFICATES.size());
