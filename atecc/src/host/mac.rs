//! MAC and CheckMac (section 5.3.5, tables 5-95 and 5-98; section 5.3.2, table 5-65).

use super::{long_serial, sha256, short_serial};
use crate::{
    Digest, SerialNumber,
    command::{Command, Mac},
};

/// What the chip with `serial` answers to `mac`, when the first and second half of the message are `first`
/// (the key or TempKey) and `second` (TempKey or the challenge).
pub fn response(mac: &Mac<'_>, first: &[u8; 32], second: &[u8; 32], serial: &SerialNumber) -> Digest {
    let data = other_data(mac, serial);
    let [sn_8, sn_0, sn_1] = short_serial(serial);
    let (command, rest) = data.split_at(4);
    let (zeros, rest) = rest.split_at(3);
    let (sn_4_7, sn_2_3) = rest.split_at(4);
    sha256(&[first, second, command, &[0; 8], zeros, &[sn_8], sn_4_7, &[sn_0, sn_1], sn_2_3])
}

/// OtherData for [`CheckMac`](crate::command::CheckMac) of an answer to `mac` from the chip with `serial`.
pub fn other_data(mac: &Mac<'_>, serial: &SerialNumber) -> [u8; 13] {
    let [low, high] = mac.input.key_id().to_le_bytes();
    let ([sn_4, sn_5, sn_6, sn_7], [sn_2, sn_3]) =
        if mac.include_serial { long_serial(serial) } else { Default::default() };
    [Mac::OPCODE, mac.mode(), low, high, 0, 0, 0, sn_4, sn_5, sn_6, sn_7, sn_2, sn_3]
}
