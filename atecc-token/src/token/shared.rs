//! The bus with its lock around every transaction.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use crate::{
    DeviceSpec, Error, LockError, Statistics,
    bus::{TransportError, Way, Wire},
    lock::{BusLock, PATIENCE},
};
use atecc::{
    Configuration, Responses, SerialNumber, Status, Transport, Wanted,
    command::{self, Address, Command, Read, ReadSize, Zone},
    i2c,
    link::{self, Attendant},
    packet::{Packet, Response},
    zone::CONFIGURATION_ZONE,
};

/// The first block of the configuration zone, which holds the serial number.
const SERIAL_NUMBER: Read =
    Read { zone: Zone::Configuration, address: Address { block: 0, word: 0 }, size: ReadSize::Block };

/// How often a lock may turn out to be of a file that is no longer there, in one transaction.
const REOPENINGS: u32 = 3;

/// A way to the chip that is locked while it is used.
#[derive(Debug)]
pub(crate) struct SharedBus {
    spec: DeviceSpec,
    transport: Wire,
    lock: Lock,
    /// How long other processes on the bus are waited for.
    patience: Duration,
    is_emulated: bool,
    /// How often it was opened anew.
    generation: u64,
    /// The chip that was opened.
    opened: Option<SerialNumber>,
    /// Whether the way was opened anew, and nobody has looked since which chip is at its end.
    is_unproven: bool,
    /// The chip that has to be there.
    expected: Option<SerialNumber>,
    signatures: u64,
    busy: Duration,
}

/// What keeps other processes away.
#[derive(Debug)]
enum Lock {
    /// The chip is in this process; its file is locked all the time.
    Owned,
    /// The lock of the bus.
    Bus(BusLock),
    /// There was one, whose bus was pulled.
    Closed,
}

impl From<Option<BusLock>> for Lock {
    fn from(lock: Option<BusLock>) -> Self {
        lock.map_or(Self::Owned, Self::Bus)
    }
}

impl SharedBus {
    /// The bus at the end of this way, which `spec` names.
    pub(crate) fn new(spec: &DeviceSpec, way: Way) -> Self {
        Self {
            spec: spec.clone(),
            transport: way.transport,
            lock: way.lock.into(),
            patience: PATIENCE,
            is_emulated: way.is_emulated,
            generation: 0,
            opened: None,
            is_unproven: false,
            expected: None,
            signatures: 0,
            busy: Duration::ZERO,
        }
    }

    /// Takes the speed of the chip from its configuration zone, and who it is: behind a way that is opened anew no
    /// other chip gets a command or gives an answer.
    pub(super) fn learn(&mut self, configuration: &Configuration) {
        self.transport.set_clock_divider(configuration.clock_divider());
        self.opened = Some(configuration.serial_number());
    }

    /// From now on each transaction begins with a look at the serial number, and ends there if it is another.
    /// Without one no transaction does.
    pub(super) const fn expect(&mut self, serial_number: Option<SerialNumber>) {
        self.expected = serial_number;
    }

    /// From now on a transaction waits so long for other processes on the bus.
    pub(crate) const fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Changes whenever the way was opened anew, and may lead to another chip.
    pub(crate) const fn generation(&self) -> u64 {
        self.generation
    }

    /// Counts a signature that is handed out.
    pub(super) const fn count_signature(&mut self) {
        self.signatures += 1;
    }

    /// What it has cost so far.
    pub(super) fn statistics(&self) -> Statistics {
        Statistics { signatures: self.signatures, bus: self.transport.statistics(), busy: self.busy }
    }

    fn locked<T>(
        &mut self,
        run: impl FnOnce(&mut Wire) -> Result<T, TransportError>,
    ) -> Result<T, TransportError> {
        for _ in 0..REOPENINGS {
            let guard = match &self.lock {
                Lock::Owned => None,
                Lock::Bus(lock) => {
                    let guard = lock.acquire_within(self.patience)?;
                    if !lock.is_current() {
                        drop(guard);
                        self.reopen()?;
                        continue;
                    }
                    Some(guard)
                }
                Lock::Closed => {
                    self.reopen()?;
                    continue;
                }
            };
            let start = Instant::now();
            let proven = match self.opened.filter(|_| self.is_unproven) {
                Some(opened) => prove(opened, &mut self.transport),
                None => Ok(()),
            };
            self.is_unproven &= proven.is_err();
            let result = proven.and_then(|()| run(&mut self.transport));
            self.busy += start.elapsed();
            drop(guard);
            // An emulated bus is looked for again by itself, and may have another chip.
            self.is_unproven |= matches!(result, Err(TransportError::Gone(_)));
            if let Err(error) = &result
                && error.is_broken()
            {
                // The next call opens it again.
                self.lock = Lock::Closed;
                self.transport.close();
            }
            return result;
        }
        let path = if let Lock::Bus(lock) = &self.lock { lock.path().into() } else { PathBuf::new() };
        Err(LockError::Replaced { path }.into())
    }

    /// Lets go of a bus that is no longer there, and opens what has its name now, with its lock.
    fn reopen(&mut self) -> Result<(), TransportError> {
        self.lock = Lock::Closed;
        self.transport.close();
        let way = Way::open(&self.spec).map_err(|error| TransportError::NotReopened(Box::new(error)))?;
        if way.is_emulated != self.is_emulated {
            let spec = self.spec.clone();
            return Err(TransportError::NotReopened(Box::new(Error::AnotherNature { spec })));
        }
        tracing::info!(spec = %self.spec, "the bus is another one now, and was opened again");
        self.lock = way.lock.into();
        self.transport.replace(way.transport);
        self.generation += 1;
        self.is_unproven = true;
        Ok(())
    }
}

impl Transport for SharedBus {
    type Error = TransportError;

    fn transact_attended(
        &mut self,
        commands: &[Packet],
        wanted: Wanted,
        responses: &mut Responses,
        attendant: &mut dyn Attendant,
    ) -> Result<usize, TransportError> {
        let Some(expected) = self.expected else {
            return self.repeated(commands, |transport| {
                transport.transact_attended(commands, wanted, responses, attendant)
            });
        };
        self.transact_with(expected, commands, responses, attendant)?;
        Ok(wanted.keep(responses))
    }

    fn converse(
        &mut self,
        plan: &[Packet],
        attendant: &mut dyn Attendant,
        next: &mut dyn FnMut(Option<&Response>) -> Option<Packet>,
    ) -> Result<(), TransportError> {
        match self.expected {
            Some(expected) => self.converse_with(expected, plan, attendant, next),
            None => self.locked(|transport| transport.converse(plan, attendant, next)),
        }
    }
}

impl SharedBus {
    /// As [`locked`](Self::locked), and once more over a way opened anew if it broke and `commands` may run twice.
    fn repeated<T>(
        &mut self,
        commands: &[Packet],
        mut run: impl FnMut(&mut Wire) -> Result<T, TransportError>,
    ) -> Result<T, TransportError> {
        let is_repeatable =
            commands.iter().all(|packet| command::is_repeatable(packet.opcode(), packet.param1()));
        match self.locked(&mut run) {
            // What did not answer for so long is not waited for a second time.
            Err(error @ TransportError::Link(link::Error::Stream(_))) if is_repeatable => {
                tracing::info!(%error, "the way to the chip broke, and is opened again");
                self.locked(&mut run)
            }
            result => result,
        }
    }

    /// A transaction whose answers are of the expected chip.
    fn transact_with(
        &mut self,
        expected: SerialNumber,
        commands: &[Packet],
        responses: &mut Responses,
        attendant: &mut dyn Attendant,
    ) -> Result<(), TransportError> {
        if !commands.iter().all(|packet| command::is_repeatable(packet.opcode(), packet.param1())) {
            return self.transact_step_by_step(expected, commands, responses, attendant);
        }
        // Nothing here harms another chip: its answers are just not handed out.
        let mut with_serial: Vec<Packet> = vec![SERIAL_NUMBER.packet()];
        with_serial.extend_from_slice(commands);
        self.repeated(&with_serial, |transport| {
            transport.transact_attended(&with_serial, Wanted::All, responses, attendant)
        })?;
        if let Some(block) = responses.first() {
            check(expected, block)?;
            responses.remove(0);
        }
        Ok(())
    }

    /// A transaction whose commands are sent to the expected chip only.
    fn transact_step_by_step(
        &mut self,
        expected: SerialNumber,
        commands: &[Packet],
        responses: &mut Responses,
        attendant: &mut dyn Attendant,
    ) -> Result<(), TransportError> {
        responses.clear();
        // All of it is known beforehand.
        let plan = commands;
        let mut commands = commands.iter();
        let mut has_room = true;
        self.converse_with(expected, plan, attendant, &mut |answer| {
            if let Some(answer) = answer {
                has_room &= responses.push(answer.clone()).is_ok();
            }
            commands.next().cloned()
        })?;
        if has_room { Ok(()) } else { Err(TransportError::Bus(i2c::Error::TooManyCommands)) }
    }

    /// A conversation that ends before its first packet if the chip is not the expected one.
    fn converse_with(
        &mut self,
        expected: SerialNumber,
        plan: &[Packet],
        attendant: &mut dyn Attendant,
        next: &mut dyn FnMut(Option<&Response>) -> Option<Packet>,
    ) -> Result<(), TransportError> {
        let mut serial = Serial::Unknown;
        let mut stranger = Ok(());
        self.locked(|transport| {
            transport.converse(plan, attendant, &mut |answer| match (serial, answer) {
                (Serial::Unknown, _) => {
                    serial = Serial::Asked;
                    Some(SERIAL_NUMBER.packet())
                }
                (Serial::Asked, Some(block)) => {
                    serial = Serial::Known;
                    stranger = check(expected, block);
                    if stranger.is_ok() { next(None) } else { None }
                }
                (Serial::Asked, None) => None,
                (Serial::Known, answer) => next(answer),
            })
        })?;
        stranger
    }
}

/// How far a conversation knows whom it talks to.
#[derive(Clone, Copy)]
enum Serial {
    Unknown,
    Asked,
    Known,
}

/// Whether the chip at the end of a way that was opened anew is the expected one.
fn prove(expected: SerialNumber, transport: &mut Wire) -> Result<(), TransportError> {
    let mut responses = Responses::new();
    transport.transact(&[SERIAL_NUMBER.packet()], &mut responses)?;
    let lost = || TransportError::Bus(i2c::Error::SequenceLost(Status::CommunicationError));
    check(expected, responses.first().ok_or_else(lost)?)
}

/// Whether the first block of the configuration zone is that of the expected chip.
fn check(expected: SerialNumber, block: &Response) -> Result<(), TransportError> {
    if let Some(status) = block.status().filter(|status| *status != Status::Success) {
        return Err(TransportError::Bus(i2c::Error::SequenceLost(status)));
    }
    let mut zone = [0; CONFIGURATION_ZONE];
    zone.iter_mut().zip(block.data()).for_each(|(zone, byte)| *zone = *byte);
    let found = Configuration::from_bytes(zone).serial_number();
    if found == expected { Ok(()) } else { Err(TransportError::AnotherChip { expected, found }) }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::{MetadataExt, symlink},
        path::Path,
    };

    use super::*;

    /// A file stands for the device node. It takes a lock as that does, and refuses every transfer.
    fn node() -> (tempfile::TempDir, PathBuf, SharedBus) {
        let folder = tempfile::tempdir().unwrap();
        let (bus, node) = (folder.path().join("i2c-7"), folder.path().join("by-path"));
        fs::write(&bus, "").unwrap();
        symlink(&bus, &node).unwrap();
        let spec: DeviceSpec = format!("i2c:{}", node.display()).parse().unwrap();
        let shared = SharedBus::new(&spec, Way::open(&spec).unwrap());
        (folder, bus, shared)
    }

    fn inode(path: &Path) -> u64 {
        fs::metadata(path).unwrap().ino()
    }

    /// The nodes that this process has open: those of the folder, by their inodes.
    fn open_nodes(folder: &Path) -> Vec<u64> {
        let files = fs::read_dir("/proc/self/fd").unwrap();
        let of_folder = |entry: fs::DirEntry| {
            let name = fs::read_link(entry.path()).ok()?;
            let inode = fs::metadata(entry.path()).ok()?.ino();
            name.starts_with(folder).then_some(inode)
        };
        files.filter_map(|entry| of_folder(entry.unwrap())).collect()
    }

    /// What an adapter that is pulled and put back leaves: another node behind the name, here with another number.
    #[test]
    fn a_node_that_was_made_anew_is_opened_and_locked_again() {
        let (folder, bus, mut shared) = node();
        let before = inode(&bus);
        assert_eq!(open_nodes(folder.path()), [before, before]);
        shared.locked(|_| Ok(())).unwrap();
        assert_eq!(open_nodes(folder.path()), [before, before]);

        let next = folder.path().join("i2c-8");
        fs::write(&next, "").unwrap();
        let link = folder.path().join("next");
        symlink(&next, &link).unwrap();
        fs::rename(&link, folder.path().join("by-path")).unwrap();
        let now = inode(&next);
        let folder_path = folder.path().to_path_buf();
        shared
            .locked(|_| {
                // Lock and bus are of the new one, and the lock is taken.
                assert_eq!(open_nodes(&folder_path), [now, now]);
                let other = fs::File::open(&next).unwrap();
                assert!(matches!(other.try_lock(), Err(fs::TryLockError::WouldBlock)));
                Ok(())
            })
            .unwrap();
    }

    /// As after chroot(2): the node is where it was, and this process does not see it.
    #[test]
    fn a_node_whose_name_is_out_of_reach_is_still_used() {
        let (folder, bus, mut shared) = node();
        let before = inode(&bus);
        fs::rename(&bus, folder.path().join("moved")).unwrap();
        shared.locked(|_| Ok(())).unwrap();
        assert_eq!(open_nodes(folder.path()), [before, before]);
    }

    #[test]
    fn a_bus_that_was_pulled_is_let_go_and_comes_back() {
        let (folder, bus, mut shared) = node();
        fs::remove_file(&bus).unwrap();
        for _ in 0..2 {
            let error = shared.locked(|_| Ok(())).unwrap_err();
            assert!(Error::from(atecc::Error::Transport(error)).is_absent());
            assert_eq!(open_nodes(folder.path()), Vec::<u64>::new());
        }
        fs::write(&bus, "").unwrap();
        shared.locked(|_| Ok(())).unwrap();
        assert_eq!(open_nodes(folder.path()), [inode(&bus), inode(&bus)]);
    }
}
