//! The module in a process: its slots and its sessions.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use cryptoki_sys::*;

use crate::{
    config::Config,
    error::Error,
    process::Process,
    session::{Session, Table},
    slot::Slot,
};

/// What C_Initialize makes and C_Finalize ends.
pub(crate) struct Module {
    /// The slot ID is the place in this list.
    slots: Vec<Slot>,
    sessions: Mutex<Table<Session>>,
    /// Set by C_Finalize, for whoever waits for a slot event.
    finalized: Mutex<bool>,
    finalization: Condvar,
}

/// C_Initialize (section 5.4). No device is touched: a program that never asks for the token does not wait.
pub(crate) fn initialize() -> Result<(), Error> {
    PROCESS.initialize(std::process::id(), || Module::new(Config::load()))
}

/// C_Finalize (section 5.4).
pub(crate) fn finalize() -> Result<(), Error> {
    PROCESS.finalize(std::process::id())?.end();
    Ok(())
}

/// The module, if this process has initialized it.
pub(crate) fn current() -> Result<Arc<Module>, Error> {
    PROCESS.current(std::process::id())
}

static PROCESS: Process<Module> = Process::new();

impl Module {
    fn new(config: Config) -> Self {
        let slots = config.devices.into_iter().map(|device| Slot::new(device, config.log)).collect();
        Self { slots, sessions: Mutex::default(), finalized: Mutex::new(false), finalization: Condvar::new() }
    }

    /// C_WaitForSlotEvent (section 5.5). Events are tokens that come and go, and no slot is
    /// CKF_REMOVABLE_DEVICE: who does not want to block hears so at once, who blocks waits for C_Finalize.
    pub(crate) fn wait_for_slot_event(&self, block: bool) -> Result<CK_SLOT_ID, Error> {
        if !block {
            return Err(Error::NoEvent);
        }
        let finalized = self.finalized.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.finalization.wait_while(finalized, |finalized| !*finalized);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        Err(Error::NotInitialized)
    }

    fn end(&self) {
        *self.finalized.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.finalization.notify_all();
    }

    /// The IDs of all slots, or of those with a token.
    pub(crate) fn slot_ids(&self, token_present: bool) -> Vec<CK_SLOT_ID> {
        (0..)
            .zip(&self.slots)
            .filter(|(_, slot)| !token_present || slot.token().is_ok())
            .map(|(id, _)| id)
            .collect()
    }

    /// The slot with this ID.
    pub(crate) fn slot(&self, id: CK_SLOT_ID) -> Result<&Slot, Error> {
        usize::try_from(id).ok().and_then(|index| self.slots.get(index)).ok_or(Error::SlotIdInvalid)
    }

    /// C_OpenSession (section 5.6). A read-write session opens although the token is write-protected: ssh asks
    /// for one and never writes.
    pub(crate) fn open_session(&self, slot: CK_SLOT_ID, flags: CK_FLAGS) -> Result<CK_SESSION_HANDLE, Error> {
        let token = self.slot(slot)?;
        if flags & CKF_SERIAL_SESSION == 0 {
            return Err(Error::SessionParallelNotSupported);
        }
        let session = Session::new(token.token()?);
        Ok(self.sessions().open(slot, flags & CKF_RW_SESSION != 0, session))
    }

    /// The session with this handle.
    pub(crate) fn session(&self, handle: CK_SESSION_HANDLE) -> Result<Arc<Session>, Error> {
        self.sessions().get(handle)
    }

    /// The handles of all sessions, and who is logged in.
    pub(crate) fn sessions(&self) -> MutexGuard<'_, Table<Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
