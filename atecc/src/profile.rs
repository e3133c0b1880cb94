//! What the factory put where, per product of the family.

use crate::{Slot, command::Zone};

/// Where a Trust&GO or TrustFLEX TLS part keeps its identity (section 2.2).
///
/// All parts of the family that this version knows share the layout, so it is a set of constants.
#[derive(Clone, Copy, Debug)]
pub struct TngTls;

impl TngTls {
    /// The permanent private key.
    pub const PRIMARY_KEY: Slot = Slot::PRIMARY_KEY;
    /// Slot 5 of parts with an EUI-48: twelve ASCII hexadecimal digits at offset 0.
    pub const EUI48: Zone = Zone::Data(slot(5));
    /// The compressed device certificate, 72 bytes.
    pub const DEVICE_CERTIFICATE: Zone = Zone::Data(slot(10));
    /// The public key of the signer, 72 bytes: X and Y, each behind four zero bytes.
    pub const SIGNER_PUBLIC_KEY: Zone = Zone::Data(slot(11));
    /// The compressed signer certificate, 72 bytes.
    pub const SIGNER_CERTIFICATE: Zone = Zone::Data(slot(12));
}

/// A slot number that is right by construction; a wrong one does not compile.
const fn slot(number: u8) -> Slot {
    match Slot::new(number) {
        Some(slot) => slot,
        None => Slot::PRIMARY_KEY,
    }
}

const _: () = assert!(matches!(TngTls::SIGNER_CERTIFICATE, Zone::Data(slot) if slot.number() == 12));
