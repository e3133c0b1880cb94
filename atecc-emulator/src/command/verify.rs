//! Verify (section 5.2.4).

use atecc::{PublicKey, Signature, Status, packet::Packet};

use super::{Data, success, volatile::Volatile};

/// KeyID of P-256 (table 5-51).
const P256: u16 = 0x0004;

pub(super) fn execute(packet: &Packet, volatile: &mut Volatile) -> Result<Data, Status> {
    // External mode without a MAC; the other modes need keys that this version does not keep.
    let mode = packet.param1();
    if mode & !0x20 != 0x02 || packet.param2() != P256 {
        return Err(Status::ParseError);
    }
    let (signature, key) = packet.data().split_first_chunk::<64>().ok_or(Status::ParseError)?;
    let key: &[u8; 64] = key.try_into().map_err(|_| Status::ParseError)?;
    let digest = volatile.take_digest(mode).ok_or(Status::ExecutionError)?;
    let key = PublicKey::from_bytes(*key);
    if p256::PublicKey::from_sec1_bytes(&key.to_sec1()).is_err() {
        return Err(Status::EccFault);
    }
    if key.verify(&digest, &Signature::from_bytes(*signature)) { success() } else { Err(Status::Miscompare) }
}
