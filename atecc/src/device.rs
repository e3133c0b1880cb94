//! What a caller wants from the chip, each as one transaction.

use heapless::Vec;

use crate::{
    Configuration, Digest, Error, PublicKey, ResponseError, Responses, SerialNumber, Signature, Slot,
    Transport,
    command::{
        Command, DigestSource, GenKeyPublic, InfoRevision, NonceFixed, NonceTarget, Random, Read,
        SignExternal, VerifyExternal, Zone,
    },
    packet::{Packet, Response},
    transport::MAX_COMMANDS,
    zone::{CONFIGURATION_ZONE, Revision},
};

/// A chip behind a transport.
///
/// Every method is one transaction: one wake, one lock of whatever the transport shares, nothing left behind.
#[derive(Debug)]
pub struct Device<T> {
    transport: T,
}

impl<T: Transport> Device<T> {
    /// The chip behind `transport`. Nothing is sent.
    pub const fn new(transport: T) -> Self {
        Self { transport }
    }

    /// The transport, for what it knows beside the chip (its counters, its address).
    pub const fn transport(&self) -> &T {
        &self.transport
    }

    /// The transport, to change what it keeps beside the chip.
    pub const fn transport_mut(&mut self) -> &mut T {
        &mut self.transport
    }

    /// The transport itself; ends the use of this value.
    pub fn into_transport(self) -> T {
        self.transport
    }

    /// The silicon revision, from Info.
    ///
    /// # Errors
    /// When the chip cannot be reached or refuses.
    pub fn revision(&mut self) -> Result<Revision, Error<T::Error>> {
        self.run_one(&InfoRevision)
    }

    /// The serial number, from bytes 0 to 12 of the configuration zone.
    ///
    /// # Errors
    /// When the chip cannot be reached or refuses.
    pub fn serial_number(&mut self) -> Result<SerialNumber, Error<T::Error>> {
        let mut start = [0; 32];
        self.read(&[Zone::Configuration], &mut [&mut start])?;
        let mut zone = [0; CONFIGURATION_ZONE];
        zone[..32].copy_from_slice(&start);
        Ok(Configuration::from_bytes(zone).serial_number())
    }

    /// The whole configuration zone.
    ///
    /// # Errors
    /// When the chip cannot be reached or refuses.
    pub fn configuration(&mut self) -> Result<Configuration, Error<T::Error>> {
        let mut zone = [0; CONFIGURATION_ZONE];
        self.read(&[Zone::Configuration], &mut [&mut zone])?;
        Ok(Configuration::from_bytes(zone))
    }

    /// Fills each of `buffers` from the start of the zone at the same place in `zones`, in clear text and in
    /// one transaction. The length of a buffer is a multiple of four.
    ///
    /// # Errors
    /// When the chip cannot be reached, a slot may not be read, or all together need more than
    /// [`MAX_COMMANDS`] reads.
    pub fn read(&mut self, zones: &[Zone], buffers: &mut [&mut [u8]]) -> Result<(), Error<T::Error>> {
        let mut reads: Vec<Read, MAX_COMMANDS> = Vec::new();
        let mut wanted = 0;
        for (zone, buffer) in zones.iter().zip(buffers.iter()) {
            wanted += buffer.len();
            let _ = reads.extend_from_slice(&zone.reads::<MAX_COMMANDS>(0, buffer.len()));
        }
        let planned: usize = reads.iter().map(|read| read.size.bytes()).sum();
        if planned != wanted {
            let source = ResponseError::Length { expected: wanted, received: planned };
            return Err(Error::Response { command: Read::NAME, source });
        }
        let packets: Vec<Packet, MAX_COMMANDS> = reads.iter().map(Command::packet).collect();
        let responses = self.run(&packets)?;
        let mut reads = reads.iter().zip(answers(&responses));
        for buffer in buffers {
            let mut filled = 0;
            while filled < buffer.len() {
                let Some((read, response)) = reads.next() else {
                    return Err(Error::Response { command: Read::NAME, source: ResponseError::Missing });
                };
                let bytes = output(read, response)?;
                buffer[filled..filled + bytes.len()].copy_from_slice(&bytes);
                filled += bytes.len();
            }
        }
        Ok(())
    }

    /// 32 random bytes from the chip's generator.
    ///
    /// # Errors
    /// When the chip cannot be reached, or its generator failed its health test.
    pub fn random(&mut self) -> Result<[u8; 32], Error<T::Error>> {
        self.run_one(&Random)
    }

    /// The public key of the private key in `slot`, computed by the chip.
    ///
    /// # Errors
    /// When the chip cannot be reached, or the slot holds no key or keeps its public key to itself.
    pub fn public_key(&mut self, slot: Slot) -> Result<PublicKey, Error<T::Error>> {
        self.run_one(&GenKeyPublic { key: slot })
    }

    /// Signs `digest` (32 bytes, the hash of the message) with the private key in `slot`.
    ///
    /// One wake: Random, which renews the seed of the generator that the signature's nonce comes from;
    /// Nonce, which loads the digest; Sign. The signature is as the chip gave it: compare it with the public
    /// key before it leaves your hands, since a fault in the chip or on the wire costs the key.
    ///
    /// # Errors
    /// When the chip cannot be reached, or the slot may not sign digests from outside.
    pub fn sign(&mut self, slot: Slot, digest: &Digest) -> Result<Signature, Error<T::Error>> {
        let load = NonceFixed { target: NonceTarget::MessageDigestBuffer, value: digest };
        let sign = SignExternal { key: slot, source: DigestSource::MessageDigestBuffer };
        let responses = self.run(&[Random.packet(), load.packet(), sign.packet()])?;
        let mut answers = answers(&responses);
        output(&Random, answers.next().flatten())?;
        output(&load, answers.next().flatten())?;
        output(&sign, answers.next().flatten())
    }

    /// Whether the chip finds that `signature` over `digest` was made with `key`.
    ///
    /// # Errors
    /// When the chip cannot be reached, or the key is no point of the curve.
    pub fn verify(
        &mut self,
        key: &PublicKey,
        digest: &Digest,
        signature: &Signature,
    ) -> Result<bool, Error<T::Error>> {
        let load = NonceFixed { target: NonceTarget::MessageDigestBuffer, value: digest };
        let verify = VerifyExternal { source: DigestSource::MessageDigestBuffer, signature, public_key: key };
        let responses = self.run(&[load.packet(), verify.packet()])?;
        let mut answers = answers(&responses);
        output(&load, answers.next().flatten())?;
        output(&verify, answers.next().flatten())
    }

    fn run_one<C: Command>(&mut self, command: &C) -> Result<C::Output, Error<T::Error>> {
        let responses = self.run(&[command.packet()])?;
        output(command, responses.first())
    }

    fn run(&mut self, packets: &[Packet]) -> Result<Responses, Error<T::Error>> {
        let mut responses = Responses::new();
        self.transport.transact(packets, &mut responses).map_err(Error::Transport)?;
        Ok(responses)
    }
}

/// The answers in order, then nothing for ever: a transaction that stopped early has fewer than commands.
fn answers(responses: &Responses) -> impl Iterator<Item = Option<&Response>> {
    responses.iter().map(Some).chain(core::iter::repeat(None))
}

fn output<C: Command, E>(command: &C, response: Option<&Response>) -> Result<C::Output, Error<E>> {
    response
        .ok_or(ResponseError::Missing)
        .and_then(|response| command.output(response))
        .map_err(|source| Error::Response { command: C::NAME, source })
}
