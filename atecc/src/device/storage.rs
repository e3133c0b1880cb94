//! Writing, and reading what is not for everybody.

use heapless::Vec;

use super::{Step, output};
use crate::{
    Configuration, Device, Error, ResponseError, Secret, SerialNumber, Slot, Transport,
    command::{
        Address, Command, GenDig, GenDigSource, NonceRandom, PrivWriteEncrypted, Read, ReadSize, Write,
        WriteData, WriteEncrypted, Zone,
    },
    host::{self, TempKey},
    irreversible::{Irreversible, OverwritesData, OverwritesKey},
    packet::{Packet, Response},
    transport::MAX_COMMANDS,
    zone::CONFIGURATION_ZONE,
};

/// A key that host and chip share, for encrypted reads or writes.
#[derive(Clone, Copy, Debug)]
pub struct SharedKey<'a> {
    /// The slot that holds it: ReadKey or WriteKey of the slot that is read or written.
    pub slot: Slot,
    /// Its value.
    pub key: &'a Secret<32>,
    /// The caller's own randomness for this one call, against replays of an earlier one.
    pub input: &'a [u8; 20],
}

/// The first block of the configuration zone, which holds the serial number.
const SERIAL_NUMBER: Read =
    Read { zone: Zone::Configuration, address: Address { block: 0, word: 0 }, size: ReadSize::Block };

impl<T: Transport> Device<T> {
    /// Writes `data` in clear text from byte `start` of `zone` on, in one transaction: 32 bytes at a time
    /// where a whole block lies within, 4 bytes elsewhere. Both `start` and the length are multiples of four.
    ///
    /// Slots with IsSecret take whole blocks only: write 32 bytes from a multiple of 32, and zeros behind what you
    /// have. Not repeated by itself. After an error some of it may have been written.
    ///
    /// # Errors
    /// When the chip cannot be reached, the zone may not be written so, or more than
    /// [`MAX_COMMANDS`] writes are needed.
    pub fn write(
        &mut self,
        zone: Zone,
        start: usize,
        data: &[u8],
        consent: Irreversible<OverwritesData>,
    ) -> Result<(), Error<T::Error>> {
        let mut packets: Vec<Packet, MAX_COMMANDS> = Vec::new();
        let (mut at, mut rest) = (start, data);
        while start.is_multiple_of(4) && at < zone.size() {
            let address = Address { block: (at / 32) as u8, word: (at % 32 / 4) as u8 };
            let (data, behind) = match (rest.split_first_chunk(), rest.split_first_chunk()) {
                (Some((block, behind)), _) if at.is_multiple_of(32) => (WriteData::Block(block), behind),
                (_, Some((word, behind))) => (WriteData::Word(word), behind),
                _ => break,
            };
            if packets.push(Write { zone, address, data, consent: &consent }.packet()).is_err() {
                break;
            }
            at += rest.len() - behind.len();
            rest = behind;
        }
        if !rest.is_empty() {
            let source = ResponseError::Length { expected: data.len(), received: data.len() - rest.len() };
            return Err(Error::Response { command: Write::NAME, source });
        }
        let responses = self.transact(&packets)?;
        let write = Write {
            zone,
            address: Address { block: 0, word: 0 },
            data: WriteData::Word(&[0; 4]),
            consent: &consent,
        };
        (0..packets.len()).try_for_each(|index| output(&write, responses.get(index)))
    }

    /// Reads 32 bytes of a slot that gives them encrypted only: Nonce, GenDig with the read key, Read
    /// (TFLXTLS, DS40002138A, section 5.1.6.2).
    ///
    /// # Errors
    /// When the chip cannot be reached, or the slot may not be read with this key. A wrong key value is not
    /// noticed: the bytes are then wrong.
    pub fn read_encrypted(
        &mut self,
        slot: Slot,
        block: u8,
        read_key: SharedKey<'_>,
    ) -> Result<Secret<32>, Error<T::Error>> {
        let nonce = NonceRandom { input: read_key.input };
        let gendig = GenDig { source: GenDigSource::Data(read_key.slot) };
        let read =
            Read { zone: Zone::Data(slot), address: Address { block, word: 0 }, size: ReadSize::Block };
        let (zone, random, (), data) = self.run(&(SERIAL_NUMBER, nonce, gendig, read))?;
        let session = session(&read_key, &random, &serial_number(&zone));
        let length = ResponseError::Length { expected: 32, received: data.len() };
        let data: &[u8; 32] = data
            .as_slice()
            .try_into()
            .map_err(|_| Error::Response { command: Read::NAME, source: length })?;
        Ok(host::write::decrypt(&session, data))
    }

    /// Writes 32 bytes encrypted and with a MAC: Nonce, GenDig with the write key, Write
    /// (TFLXTLS, DS40002138A, section 5.1.10.2). What lies behind the end of the slot is ignored.
    ///
    /// # Errors
    /// When the chip cannot be reached, the key is wrong, or the slot may not be written so. After a lost
    /// answer it may have been written nevertheless.
    pub fn write_encrypted(
        &mut self,
        slot: Slot,
        block: u8,
        plain: &Secret<32>,
        write_key: SharedKey<'_>,
        consent: Irreversible<OverwritesData>,
    ) -> Result<(), Error<T::Error>> {
        self.under_session(WriteEncrypted::NAME, write_key, |session, serial| {
            let (data, mac) = host::write::block(session, slot, block, plain, serial);
            WriteEncrypted { slot, block, data: &data, mac: &mac, consent: &consent }.packet()
        })
    }

    /// Writes a private key from outside into `slot`, encrypted and with a MAC: Nonce, GenDig with the write
    /// key, PrivWrite. A key that the chip makes itself ([`generate_key`](Self::generate_key)) was never
    /// outside.
    ///
    /// # Errors
    /// As [`write_encrypted`](Self::write_encrypted).
    pub fn write_private_key(
        &mut self,
        slot: Slot,
        key: &Secret<32>,
        write_key: SharedKey<'_>,
        consent: Irreversible<OverwritesKey>,
    ) -> Result<(), Error<T::Error>> {
        self.under_session(PrivWriteEncrypted::NAME, write_key, |session, serial| {
            let (value, mac) = host::write::private_key(session, slot, key, serial);
            PrivWriteEncrypted { key: slot, value: &value, mac: &mac, consent: &consent }.packet()
        })
    }

    /// Nonce and GenDig with `shared`, then the packet of the command `name` that `last` makes of the session and
    /// the serial number.
    fn under_session(
        &mut self,
        name: &'static str,
        shared: SharedKey<'_>,
        last: impl Fn(&TempKey, &SerialNumber) -> Packet,
    ) -> Result<(), Error<T::Error>> {
        let nonce = NonceRandom { input: shared.input };
        let gendig = GenDig { source: GenDigSource::Data(shared.slot) };
        let mut serial = SerialNumber::from_bytes([0; 9]);
        let mut packet = None;
        // Its data is made of the chip's random number; what it does and where is known.
        let unknown = session(&shared, &[0; 32], &serial);
        let plan = [gendig.packet(), last(&unknown, &serial).without_data()];
        self.converse(&plan, |sent, answer: Option<&Response>| match sent {
            0 => Ok(Step::Send(SERIAL_NUMBER.packet())),
            1 => {
                serial = serial_number(&output(&SERIAL_NUMBER, answer)?);
                Ok(Step::Send(nonce.packet()))
            }
            2 => {
                let session = session(&shared, &output(&nonce, answer)?, &serial);
                packet = Some(last(&session, &serial));
                Ok(Step::Send(gendig.packet()))
            }
            3 => {
                output(&gendig, answer)?;
                Ok(packet.take().map_or(Step::Done(()), Step::Send))
            }
            // A status, as GenDig has it.
            _ => match output(&gendig, answer) {
                Err(Error::Response { source, .. }) => Err(Error::Response { command: name, source }),
                result => result.map(Step::Done),
            },
        })
    }
}

/// The key of one encrypted read or write: GenDig over the shared key and the nonce.
fn session(shared: &SharedKey<'_>, random: &[u8; 32], serial: &SerialNumber) -> TempKey {
    let nonce = host::nonce::random(&NonceRandom { input: shared.input }, random);
    host::session::key(&nonce, shared.slot, shared.key, serial)
}

/// The serial number in the first block of the configuration zone.
fn serial_number(block: &[u8]) -> SerialNumber {
    let mut zone = [0; CONFIGURATION_ZONE];
    zone.iter_mut().zip(block).for_each(|(zone, byte)| *zone = *byte);
    Configuration::from_bytes(zone).serial_number()
}
