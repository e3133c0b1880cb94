//! What the chip says of itself, read once when it is found.

use atecc::{
    Device, Error, SerialNumber, Transport,
    certificate::{COMPRESSED_CERTIFICATE, Compressed},
    profile::TngTls,
};

use crate::policy::KeySlots;

/// What a person can compare with a label, a list or the output of `atecc info`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Nine bytes that no other chip has.
    pub serial_number: SerialNumber,
    /// The part's name, from the silicon revision.
    pub part: &'static str,
    /// The number of the signer in the certificate of slot 10, if there is one.
    pub signer: Option<u16>,
}

/// Asks the chip who it is and which keys it has. Three transactions, the last of which may fail: a blank chip has
/// no certificate to read.
///
/// # Errors
/// When the chip cannot be reached.
pub fn read<T: Transport>(chip: &mut Device<T>) -> Result<(Identity, KeySlots), Error<T::Error>> {
    let configuration = chip.configuration()?;
    let signer = signer(chip)?;
    let identity = Identity {
        serial_number: configuration.serial_number(),
        part: configuration.revision().part(),
        signer,
    };
    Ok((identity, KeySlots::from_configuration(&configuration)))
}

fn signer<T: Transport>(chip: &mut Device<T>) -> Result<Option<u16>, Error<T::Error>> {
    let mut slot = [0; COMPRESSED_CERTIFICATE];
    match chip.read(&[TngTls::DEVICE_CERTIFICATE], &mut [&mut slot]) {
        Ok(()) => Ok(Compressed::parse(&slot).ok().map(|certificate| certificate.signer_id)),
        // Another layout, or not locked yet: no certificate there.
        Err(Error::Response { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
