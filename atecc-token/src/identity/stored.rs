//! What a chip stores of its identity, and where.

use atecc::{
    PublicKey, ResponseError, Responses, SerialNumber, Slot,
    certificate::{
        self, Authority, CertificateError, MICROCHIP, StoredIdentity, StoredLora, TngLora, rebuild_lora,
    },
    command::{Address, Command, Read, ReadSize, Zone},
    profile::TngTls,
};
use atecc_emulator::authority::EMULATOR;

use super::Certificates;
use crate::{Error, error::is_refusal};

/// Where a part keeps what its certificates are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Slots 10 to 12, and slot 5 for an EUI-48.
    Tls,
    /// Slot 8, and slot 10 for an EUI-64.
    Lora,
}

impl Layout {
    /// The layout of the part whose primary key is in `slot`.
    pub(crate) fn of(slot: Slot) -> Self {
        if slot == TngLora::PRIMARY_KEY { Self::Lora } else { Self::Tls }
    }

    /// The three pieces, 72 bytes each: device certificate, signer's key, signer's certificate; with the byte at
    /// which each begins.
    const fn pieces(self) -> [(Zone, usize); 3] {
        match self {
            Self::Tls => [
                (TngTls::DEVICE_CERTIFICATE, 0),
                (TngTls::SIGNER_PUBLIC_KEY, 0),
                (TngTls::SIGNER_CERTIFICATE, 0),
            ],
            // In the order of StoredLora.
            Self::Lora => {
                [(TngLora::CERTIFICATES, 72), (TngLora::CERTIFICATES, 0), (TngLora::CERTIFICATES, 144)]
            }
        }
    }

    const fn eui(self) -> Zone {
        match self {
            Self::Tls => TngTls::EUI48,
            Self::Lora => TngLora::EUI64,
        }
    }

    /// The slots of the pieces.
    pub(crate) fn certificate_slots(self) -> Vec<Slot> {
        let slot = |(zone, _)| if let Zone::Data(slot) = zone { Some(slot) } else { None };
        self.pieces().into_iter().filter_map(slot).collect()
    }

    /// Whether `slot` holds a part of it.
    pub(crate) fn uses(self, slot: Slot) -> bool {
        let zone = Zone::Data(slot);
        self.eui() == zone || self.pieces().iter().any(|(piece, _)| *piece == zone)
    }
}

/// What the certificates of a chip are made of, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) layout: Layout,
    /// Device certificate, signer's key, signer's certificate.
    pub(crate) pieces: [[u8; PIECE]; 3],
    /// The first bytes of the OTP zone.
    pub(crate) hint: [u8; 8],
    /// The first bytes of the slot for an EUI, 12 of which count in TLS parts. Parts without one refuse the read.
    pub(crate) eui: Option<[u8; 16]>,
}

/// Bytes of each piece.
pub(crate) const PIECE: usize = 72;

impl Stored {
    /// The reads that fetch it, at most 14: one wake. The last is that of the EUI, which may be refused.
    pub(crate) fn reads(layout: Layout) -> Vec<Read> {
        let block = |zone| Read { zone, address: Address { block: 0, word: 0 }, size: ReadSize::Block };
        let pieces: Vec<Read> = match layout {
            Layout::Tls => layout.pieces().iter().flat_map(|(zone, _)| zone.reads::<4>(0, PIECE)).collect(),
            // One behind the other, up to the end of the block.
            Layout::Lora => TngLora::CERTIFICATES.reads::<7>(0, 7 * 32).into_iter().collect(),
        };
        pieces.into_iter().chain([block(Zone::Otp), block(layout.eui())]).collect()
    }

    /// Takes it out of the answers to [`reads`](Self::reads).
    pub(crate) fn from_responses(layout: Layout, responses: &Responses) -> Result<Self, Error> {
        let reads = Self::reads(layout);
        let eui = reads.len() - 1;
        let mut answers: Vec<Option<Vec<u8>>> = Vec::new();
        for (index, read) in reads.iter().enumerate() {
            let answer = responses.get(index).ok_or(ResponseError::Missing);
            answers.push(match answer.and_then(|response| read.output(response)) {
                Ok(bytes) => Some(bytes.to_vec()),
                Err(ResponseError::Status(status)) if index == eui && is_refusal(status) => None,
                Err(source) => return Err(atecc::Error::Response { command: Read::NAME, source }.into()),
            });
        }
        let eui = answers.pop().flatten();
        let hint = answers.pop().flatten().unwrap_or_default();
        let bytes: Vec<u8> = answers.into_iter().flatten().flatten().collect();
        let starts = match layout {
            Layout::Tls => [0, PIECE, 2 * PIECE],
            Layout::Lora => layout.pieces().map(|(_, start)| start),
        };
        let piece = |start: usize| bytes.get(start..).and_then(|bytes| bytes.first_chunk()).copied();
        match (starts.map(piece), hint.first_chunk()) {
            ([Some(device), Some(key), Some(signer)], Some(hint)) => Ok(Self {
                layout,
                pieces: [device, key, signer],
                hint: *hint,
                eui: eui.and_then(|eui| eui.first_chunk().copied()),
            }),
            _ => Err(atecc::Error::Response { command: Read::NAME, source: ResponseError::Missing }.into()),
        }
    }

    /// The certificates of the chip with this serial number and public key, if they verify up to a root.
    pub(crate) fn certificates(
        &self,
        serial_number: SerialNumber,
        public_key: PublicKey,
        is_emulated: bool,
    ) -> Result<Certificates, CertificateError> {
        // The root of an emulated chip is worth nothing, so it never vouches for a real one.
        let authorities: &[&'static Authority] =
            if is_emulated { &[&EMULATOR, &MICROCHIP] } else { &[&MICROCHIP] };
        let [device, signer_public_key, signer] = self.pieces;
        let chain = match self.layout {
            Layout::Tls => {
                let eui48 = self.eui.and_then(|eui| eui.first_chunk().copied());
                let stored =
                    StoredIdentity { serial_number, public_key, device, signer_public_key, signer, eui48 };
                certificate::rebuild(&stored, &self.hint, authorities)
            }
            Layout::Lora => {
                let certificates = [signer_public_key, device, signer];
                let stored = StoredLora { serial_number, public_key, certificates, eui64: self.eui };
                rebuild_lora(&stored, &self.hint, authorities)
            }
        }?;
        Ok(Certificates {
            device: chain.device.to_vec(),
            signer: chain.signer.to_vec(),
            signer_public_key: chain.signer_public_key,
            root: chain.authority.root_certificate.to_vec(),
            root_public_key: chain.authority.root_public_key,
        })
    }
}
