//! The module in a process: its slots and its sessions.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use cryptoki_sys::*;

use crate::{
    config::Config,
    error::Error,
    process::Process,
    reserved::Parameters,
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
pub(crate) fn initialize(parameters: &Parameters) -> Result<(), Error> {
    PROCESS.initialize(std::process::id(), || Module::new(Config::load(parameters)))
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

/// How often somebody who waits for a token looks: half a second is soon enough for a person with a plug.
const LOOK: Duration = Duration::from_millis(500);

impl Module {
    fn new(config: Config) -> Self {
        let policy = config.policy;
        let slots = config.devices.into_iter().map(|device| Slot::new(device, Arc::clone(&policy))).collect();
        Self { slots, sessions: Mutex::default(), finalized: Mutex::new(false), finalization: Condvar::new() }
    }

    /// C_WaitForSlotEvent (section 5.5). Events are tokens that come and go. Who blocks looks again and again, in the
    /// application's own thread, until there is an event or C_Finalize; where no slot is CKF_REMOVABLE_DEVICE, until
    /// C_Finalize.
    pub(crate) fn wait_for_slot_event(&self, block: bool) -> Result<CK_SLOT_ID, Error> {
        loop {
            let mut removable = (0..).zip(&self.slots).filter(|(_, slot)| slot.is_removable()).peekable();
            let can_happen = removable.peek().is_some();
            if let Some((id, _)) = removable.find(|(_, slot)| slot.has_event()) {
                return Ok(id);
            }
            if !block {
                return Err(Error::NoEvent);
            }
            let finalized = self.finalized.lock().unwrap_or_else(PoisonError::into_inner);
            let is_finalized = if can_happen {
                let waited = self.finalization.wait_timeout_while(finalized, LOOK, |finalized| !*finalized);
                *waited.unwrap_or_else(PoisonError::into_inner).0
            } else {
                let waited = self.finalization.wait_while(finalized, |finalized| !*finalized);
                *waited.unwrap_or_else(PoisonError::into_inner)
            };
            if is_finalized {
                return Err(Error::NotInitialized);
            }
        }
    }

    fn end(&self) {
        *self.finalized.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.finalization.notify_all();
    }

    /// The IDs of all slots, or of those with a token.
    pub(crate) fn slot_ids(&self, token_present: bool) -> Vec<CK_SLOT_ID> {
        (0..)
            .zip(&self.slots)
            .filter(|(_, slot)| !token_present || slot.present().is_some())
            .map(|(id, _)| id)
            .collect()
    }

    /// The slot with this ID.
    pub(crate) fn slot(&self, id: CK_SLOT_ID) -> Result<&Slot, Error> {
        usize::try_from(id).ok().and_then(|index| self.slots.get(index)).ok_or(Error::SlotIdInvalid)
    }

    /// C_OpenSession (section 5.6). A read-write session opens also where the token is write-protected: ssh asks
    /// for one and never writes.
    pub(crate) fn open_session(&self, slot: CK_SLOT_ID, flags: CK_FLAGS) -> Result<CK_SESSION_HANDLE, Error> {
        let token = self.slot(slot)?;
        if flags & CKF_SERIAL_SESSION == 0 {
            return Err(Error::SessionParallelNotSupported);
        }
        let is_read_write = flags & CKF_RW_SESSION != 0;
        let token = token.token()?;
        let mut sessions = self.sessions();
        if !token.is_user_logged_in() {
            // Whoever was, was with a token that went.
            sessions.log_out_user_of(slot);
        }
        Ok(sessions.open(slot, is_read_write, Session::new(token, is_read_write)))
    }

    /// The session with this handle. Once its token is gone for good, it has nothing left but its end.
    pub(crate) fn session(&self, handle: CK_SESSION_HANDLE) -> Result<Arc<Session>, Error> {
        let session = self.sessions().get(handle)?;
        if session.token().is_over() { Err(Error::DeviceRemoved) } else { Ok(session) }
    }

    /// C_GetSessionInfo.
    pub(crate) fn session_info(&self, handle: CK_SESSION_HANDLE) -> Result<CK_SESSION_INFO, Error> {
        self.session(handle)?;
        self.sessions().info(handle)
    }

    /// C_CloseSession. With the last session the user is logged out.
    pub(crate) fn close_session(&self, handle: CK_SESSION_HANDLE) -> Result<(), Error> {
        let mut sessions = self.sessions();
        let session = sessions.get(handle)?;
        if !sessions.close(handle)? {
            session.token().set_user(false);
        }
        Ok(())
    }

    /// C_CloseAllSessions.
    pub(crate) fn close_all_sessions(&self, slot: CK_SLOT_ID) -> Result<(), Error> {
        self.slot(slot)?;
        for session in self.sessions().close_all(slot) {
            session.token().set_user(false);
        }
        Ok(())
    }

    /// C_Login. There is no security officer, and no key asks for its own authentication.
    pub(crate) fn login(
        &self,
        handle: CK_SESSION_HANDLE,
        user: CK_USER_TYPE,
        pin: Result<&[u8], Error>,
    ) -> Result<(), Error> {
        let session = self.session(handle)?;
        self.sessions().check_login(handle, user)?;
        // This takes its time, in which others may work.
        session.token().check_pin(pin)?;
        let mut sessions = self.sessions();
        sessions.login(handle, user)?;
        session.token().set_user(true);
        Ok(())
    }

    /// C_Logout.
    pub(crate) fn logout(&self, handle: CK_SESSION_HANDLE) -> Result<(), Error> {
        let session = self.session(handle)?;
        let mut sessions = self.sessions();
        sessions.logout(handle)?;
        session.token().set_user(false);
        Ok(())
    }

    /// C_SetPIN. A PIN stands in the configuration, which is the administrator's.
    pub(crate) fn set_pin(&self, handle: CK_SESSION_HANDLE, old: Result<&[u8], Error>) -> Result<(), Error> {
        let session = self.session(handle)?;
        if !session.token().requires_login() {
            return Err(Error::FunctionNotSupported);
        }
        session.token().check_pin(old)?;
        Err(Error::TokenWriteProtected)
    }

    /// The handles of all sessions, and who is logged in.
    pub(crate) fn sessions(&self) -> MutexGuard<'_, Table<Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
