//! The certificates of a chip, rebuilt from what it stores.

use atecc::{
    Device, PublicKey, ResponseError, SerialNumber, Transport,
    certificate::{self, Authority, MICROCHIP, StoredIdentity},
    command::Zone,
    profile::TngTls,
};
use atecc_emulator::authority::EMULATOR;
use pem_rfc7468::LineEnding;

use crate::{Error, bus::TransportError, error::is_refusal};

/// The certificates of a token, each in DER.
#[derive(Clone, Debug)]
pub struct Certificates {
    /// The certificate of the key in slot 0.
    pub device: Vec<u8>,
    /// The certificate of its issuer, which the chip stores too. TLS peers want it behind the device's.
    pub signer: Vec<u8>,
    /// The key in the signer's certificate.
    pub signer_public_key: PublicKey,
    /// The self-signed root above the signer, which the product carries.
    pub root: Vec<u8>,
}

impl Certificates {
    /// Device and signer certificate in PEM, in the order that TLS sends them.
    pub fn chain_pem(&self) -> String {
        self.device_pem() + &self.signer_pem()
    }

    /// The device certificate in PEM.
    pub fn device_pem(&self) -> String {
        pem(&self.device)
    }

    /// The signer certificate in PEM.
    pub fn signer_pem(&self) -> String {
        pem(&self.signer)
    }

    /// The root certificate in PEM.
    pub fn root_pem(&self) -> String {
        pem(&self.root)
    }
}

/// Reads slots 10 to 12 and rebuilds the certificates of the chip whose slot 0 has `public_key`.
pub(crate) fn read<T: Transport<Error = TransportError>>(
    device: &mut Device<T>,
    serial_number: SerialNumber,
    public_key: PublicKey,
    is_emulated: bool,
) -> Result<Certificates, Error> {
    let mut stored = StoredIdentity {
        serial_number,
        public_key,
        device: [0; 72],
        signer_public_key: [0; 72],
        signer: [0; 72],
        eui48: None,
    };
    let mut hint = [0; 8];
    device.read(
        &[TngTls::DEVICE_CERTIFICATE, TngTls::SIGNER_PUBLIC_KEY, TngTls::SIGNER_CERTIFICATE, Zone::Otp],
        &mut [&mut stored.device, &mut stored.signer_public_key, &mut stored.signer, &mut hint],
    )?;
    stored.eui48 = read_eui48(device)?;

    // The root of an emulated chip is worth nothing, so it never vouches for a real one.
    let authorities: &[&'static Authority] =
        if is_emulated { &[&EMULATOR, &MICROCHIP] } else { &[&MICROCHIP] };
    let chain = certificate::rebuild(&stored, &hint, authorities)?;
    Ok(Certificates {
        device: chain.device.to_vec(),
        signer: chain.signer.to_vec(),
        signer_public_key: chain.signer_public_key,
        root: chain.authority.root_certificate.to_vec(),
    })
}

/// The EUI-48 in slot 5; parts without one refuse the read, which says just that.
fn read_eui48<T: Transport>(device: &mut Device<T>) -> Result<Option<[u8; 12]>, atecc::Error<T::Error>> {
    let mut eui48 = [0; 12];
    match device.read(&[TngTls::EUI48], &mut [&mut eui48]) {
        Ok(()) => Ok(Some(eui48)),
        Err(atecc::Error::Response { source: ResponseError::Status(status), .. }) if is_refusal(status) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// One certificate in PEM (RFC 7468).
fn pem(der: &[u8]) -> String {
    // Fails for lengths beyond the address space only.
    pem_rfc7468::encode_string("CERTIFICATE", LineEnding::LF, der).unwrap_or_default()
}
