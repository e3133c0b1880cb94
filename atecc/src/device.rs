//! What a caller wants from the chip, each as one transaction.

mod administration;
mod digest;
mod keys;
mod secure_boot;
mod storage;
mod symmetric;
#[cfg(test)]
mod tests;

use heapless::Vec;

pub use keys::Attestation;
pub use storage::SharedKey;

use crate::{
    Configuration, Digest, Error, PublicKey, ResponseError, Responses, SerialNumber, Signature, Slot,
    Transport, Wanted,
    command::{
        Command, DigestSource, GenKeyPublic, InfoRevision, NonceFixed, NonceTarget, Random, Read, Sequence,
        SignExternal, VerifyExternal, Zone, output,
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
        self.run(&(InfoRevision,)).map(|(revision,)| revision)
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
        let responses = self.transact(&packets)?;
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
        self.run(&(Random,)).map(|(random,)| random)
    }

    /// The public key of the private key in `slot`, computed by the chip.
    ///
    /// # Errors
    /// When the chip cannot be reached, or the slot holds no key or keeps its public key to itself.
    pub fn public_key(&mut self, slot: Slot) -> Result<PublicKey, Error<T::Error>> {
        self.run(&(GenKeyPublic { key: slot },)).map(|(key,)| key)
    }

    /// Signs `digest` (32 bytes, the hash of the message) with the private key in `slot`.
    ///
    /// One wake: Random, Nonce, which loads the digest, Sign. The signature is as the chip gave it: compare it
    /// with the public key before it leaves your hands, since a fault in the chip or on the wire costs the key.
    ///
    /// # Why Random
    /// What the data sheets say: section 2.2 requires a "random nonce" of the keys in slots 0 to 4 (ReqRandom
    /// in their KeyConfig), and section 5.2.3.2 lets the same slots sign a digest that Nonce loaded in fixed
    /// mode. So ReqRandom does not concern the message of an external signature, nor can it mean the number k
    /// inside ECDSA, which no command takes: it speaks of the nonce of commands that do take one from
    /// TempKey. Of the generator, sections 5.1.4.1 and 5.1.5 say that Random and Nonce in random mode run it,
    /// not that Sign needs them before. The vendor's driver sends Random with mode 0x00 ("automatic seed
    /// update") before each external signature, so that the seed in the EEPROM is renewed where it has to be.
    ///
    /// That settles that a signature is valid without it, and not how good k is without it. Since a weak k
    /// gives the key away and Random costs some milliseconds, it is sent, once per wake.
    ///
    /// # Errors
    /// When the chip cannot be reached, or the slot may not sign digests from outside.
    pub fn sign(&mut self, slot: Slot, digest: &Digest) -> Result<Signature, Error<T::Error>> {
        let load = NonceFixed { target: NonceTarget::MessageDigestBuffer, value: digest };
        let sign = SignExternal { key: slot, source: DigestSource::MessageDigestBuffer };
        let packets = [Random.packet(), load.packet(), sign.packet()];
        let mut responses = Responses::new();
        let answered = self
            .transport
            .transact_attended(&packets, Wanted::Last, &mut responses, &mut ())
            .map_err(Error::Transport)?;
        match (answered, responses.last()) {
            (3, response) => output(&sign, response),
            // It stopped early, at a status that every command may have.
            (2, response) => Err(refused(&load, response)),
            (_, response) => Err(refused(&Random, response)),
        }
    }

    /// As [`sign`](Self::sign), but without Random, about 16 ms of 90 faster at 100 kHz (docs/performance.md): the
    /// chip's generator goes on with the seed that it has. A generator that repeats itself gives the private key
    /// away with two signatures, and no data sheet says when this chip renews its seed by itself. For measurements,
    /// and for keys that may be lost.
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    pub fn sign_with_stale_random_seed(
        &mut self,
        slot: Slot,
        digest: &Digest,
    ) -> Result<Signature, Error<T::Error>> {
        let load = NonceFixed { target: NonceTarget::MessageDigestBuffer, value: digest };
        let sign = SignExternal { key: slot, source: DigestSource::MessageDigestBuffer };
        self.run(&(load, sign)).map(|((), signature)| signature)
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
        self.run(&(load, verify)).map(|((), fits)| fits)
    }

    /// Runs a tuple of [commands](crate::command) in one transaction and gives the tuple of their results, for
    /// whatever has no method of its own here.
    ///
    /// # Errors
    /// When the chip cannot be reached, or refuses one of them; those before it have been executed.
    pub fn run<S: Sequence>(&mut self, sequence: &S) -> Result<S::Output, Error<T::Error>> {
        let mut packets: Vec<Packet, MAX_COMMANDS> = Vec::new();
        sequence.packets(&mut packets);
        let responses = self.transact(&packets)?;
        sequence.output(&responses)
    }

    fn transact(&mut self, packets: &[Packet]) -> Result<Responses, Error<T::Error>> {
        let mut responses = Responses::new();
        self.transport.transact(packets, &mut responses).map_err(Error::Transport)?;
        Ok(responses)
    }

    /// A conversation, with `plan` for [`Transport::converse`]: `step` gets the number of packets sent so far and
    /// the last answer, and says what is next.
    fn converse<O>(
        &mut self,
        plan: &[Packet],
        mut step: impl FnMut(usize, Option<&Response>) -> Result<Step<O>, Error<T::Error>>,
    ) -> Result<O, Error<T::Error>> {
        let mut sent = 0;
        let mut outcome = None;
        self.transport
            .converse(plan, &mut (), &mut |answer| match step(sent, answer) {
                Ok(Step::Send(packet)) => {
                    sent += 1;
                    Some(packet)
                }
                Ok(Step::Done(value)) => {
                    outcome = Some(Ok(value));
                    None
                }
                Err(error) => {
                    outcome = Some(Err(error));
                    None
                }
            })
            .map_err(Error::Transport)?;
        outcome.unwrap_or(Err(Error::Response { command: "conversation", source: ResponseError::Missing }))
    }
}

/// The error of `command`, which ended its transaction.
fn refused<C: Command, E>(command: &C, response: Option<&Response>) -> Error<E> {
    match output(command, response) {
        Err(error) => error,
        Ok(_) => Error::Response { command: C::NAME, source: ResponseError::Missing },
    }
}

/// What a conversation does next.
enum Step<O> {
    /// Send this.
    Send(Packet),
    /// End, with this result.
    Done(O),
}

/// The answers in order, then nothing for ever: a transaction that stopped early has fewer than commands.
fn answers(responses: &Responses) -> impl Iterator<Item = Option<&Response>> {
    responses.iter().map(Some).chain(core::iter::repeat(None))
}
