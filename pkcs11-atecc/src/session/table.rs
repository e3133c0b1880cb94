//! The sessions of a process by handle, and who is logged in to which token (section 5.6).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use cryptoki_sys::*;

use crate::error::Error;

/// All open sessions. Handles count up from 1 and are never used twice, so that the handle of a closed session
/// stays invalid.
pub(crate) struct Table<S> {
    last: CK_SESSION_HANDLE,
    sessions: BTreeMap<CK_SESSION_HANDLE, Entry<S>>,
    /// The slots whose token the user is logged in to: a login counts for all sessions with the token.
    users: BTreeSet<CK_SLOT_ID>,
}

struct Entry<S> {
    slot: CK_SLOT_ID,
    read_write: bool,
    session: Arc<S>,
}

impl<S> Table<S> {
    /// Takes in a new session.
    pub(crate) fn open(&mut self, slot: CK_SLOT_ID, read_write: bool, session: S) -> CK_SESSION_HANDLE {
        self.last += 1;
        self.sessions.insert(self.last, Entry { slot, read_write, session: Arc::new(session) });
        self.last
    }

    /// The session with this handle.
    pub(crate) fn get(&self, handle: CK_SESSION_HANDLE) -> Result<Arc<S>, Error> {
        self.entry(handle).map(|entry| Arc::clone(&entry.session))
    }

    /// C_CloseSession. The user of a token is logged out with the last session; gives whether one is left.
    pub(crate) fn close(&mut self, handle: CK_SESSION_HANDLE) -> Result<bool, Error> {
        let closed = self.sessions.remove(&handle).ok_or(Error::SessionHandleInvalid)?;
        let is_last = self.sessions.values().all(|entry| entry.slot != closed.slot);
        if is_last {
            self.users.remove(&closed.slot);
        }
        Ok(!is_last)
    }

    /// C_CloseAllSessions, which gives the sessions that are closed.
    pub(crate) fn close_all(&mut self, slot: CK_SLOT_ID) -> Vec<Arc<S>> {
        self.users.remove(&slot);
        self.sessions.extract_if(.., |_, entry| entry.slot == slot).map(|(_, entry)| entry.session).collect()
    }

    /// How many sessions there are with the token in `slot`, and how many of them are read-write.
    pub(crate) fn count(&self, slot: CK_SLOT_ID) -> (usize, usize) {
        let sessions = || self.sessions.values().filter(|entry| entry.slot == slot);
        (sessions().count(), sessions().filter(|entry| entry.read_write).count())
    }

    /// C_GetSessionInfo.
    pub(crate) fn info(&self, handle: CK_SESSION_HANDLE) -> Result<CK_SESSION_INFO, Error> {
        let entry = self.entry(handle)?;
        let state = match (entry.read_write, self.users.contains(&entry.slot)) {
            (false, false) => CKS_RO_PUBLIC_SESSION,
            (false, true) => CKS_RO_USER_FUNCTIONS,
            (true, false) => CKS_RW_PUBLIC_SESSION,
            (true, true) => CKS_RW_USER_FUNCTIONS,
        };
        let read_write = if entry.read_write { CKF_RW_SESSION } else { 0 };
        Ok(CK_SESSION_INFO {
            slotID: entry.slot,
            state,
            flags: CKF_SERIAL_SESSION | read_write,
            ulDeviceError: 0,
        })
    }

    /// Whether C_Login can be right for this type of user.
    pub(crate) fn check_login(&self, handle: CK_SESSION_HANDLE, user: CK_USER_TYPE) -> Result<(), Error> {
        let slot = self.entry(handle)?.slot;
        match user {
            CKU_USER if self.users.contains(&slot) => Err(Error::UserAlreadyLoggedIn),
            CKU_USER => Ok(()),
            CKU_CONTEXT_SPECIFIC => Err(Error::OperationNotInitialized),
            _ => Err(Error::UserTypeInvalid),
        }
    }

    /// C_Login, once the PIN is known to be right.
    pub(crate) fn login(&mut self, handle: CK_SESSION_HANDLE, user: CK_USER_TYPE) -> Result<(), Error> {
        self.check_login(handle, user)?;
        self.users.insert(self.entry(handle)?.slot);
        Ok(())
    }

    /// C_Logout.
    pub(crate) fn logout(&mut self, handle: CK_SESSION_HANDLE) -> Result<(), Error> {
        let slot = self.entry(handle)?.slot;
        if self.users.remove(&slot) { Ok(()) } else { Err(Error::UserNotLoggedIn) }
    }

    /// The token in `slot` is another one now, to which nobody is logged in.
    pub(crate) fn log_out_user_of(&mut self, slot: CK_SLOT_ID) {
        self.users.remove(&slot);
    }

    fn entry(&self, handle: CK_SESSION_HANDLE) -> Result<&Entry<S>, Error> {
        self.sessions.get(&handle).ok_or(Error::SessionHandleInvalid)
    }
}

impl<S> Default for Table<S> {
    fn default() -> Self {
        Self { last: CK_INVALID_HANDLE, sessions: BTreeMap::new(), users: BTreeSet::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(table: &Table<()>, handles: [CK_SESSION_HANDLE; 2]) -> [CK_STATE; 2] {
        handles.map(|handle| table.info(handle).unwrap().state)
    }

    #[test]
    fn a_login_counts_for_every_session_with_the_token() {
        let mut table = Table::default();
        let handles = [table.open(0, false, ()), table.open(0, true, ())];
        let elsewhere = table.open(1, false, ());
        assert_eq!(states(&table, handles), [CKS_RO_PUBLIC_SESSION, CKS_RW_PUBLIC_SESSION]);
        assert_eq!(table.login(handles[0], CKU_USER), Ok(()));
        assert_eq!(states(&table, handles), [CKS_RO_USER_FUNCTIONS, CKS_RW_USER_FUNCTIONS]);
        assert_eq!(table.info(elsewhere).unwrap().state, CKS_RO_PUBLIC_SESSION);
        assert_eq!(table.login(handles[1], CKU_USER), Err(Error::UserAlreadyLoggedIn));
        assert_eq!(table.logout(handles[1]), Ok(()));
        assert_eq!(table.logout(handles[0]), Err(Error::UserNotLoggedIn));
        assert_eq!(states(&table, handles), [CKS_RO_PUBLIC_SESSION, CKS_RW_PUBLIC_SESSION]);
    }

    #[test]
    fn only_the_user_logs_in() {
        let mut table = Table::default();
        let handle = table.open(0, true, ());
        assert_eq!(table.login(handle, CKU_SO), Err(Error::UserTypeInvalid));
        assert_eq!(table.login(handle, CKU_CONTEXT_SPECIFIC), Err(Error::OperationNotInitialized));
        assert_eq!(table.login(handle, 99), Err(Error::UserTypeInvalid));
        assert_eq!(table.login(handle + 1, CKU_USER), Err(Error::SessionHandleInvalid));
    }

    #[test]
    fn the_last_session_logs_out() {
        let mut table = Table::default();
        let first = table.open(0, false, ());
        let second = table.open(0, false, ());
        table.login(first, CKU_USER).unwrap();
        table.close(first).unwrap();
        assert_eq!(table.info(second).unwrap().state, CKS_RO_USER_FUNCTIONS);
        table.close(second).unwrap();
        let third = table.open(0, false, ());
        assert_eq!(table.info(third).unwrap().state, CKS_RO_PUBLIC_SESSION);
        table.login(third, CKU_USER).unwrap();
        table.close_all(0);
        let fourth = table.open(0, false, ());
        assert_eq!(table.login(fourth, CKU_USER), Ok(()));
    }

    #[test]
    fn a_closed_handle_stays_invalid() {
        let mut table = Table::default();
        let first = table.open(0, false, ());
        table.close(first).unwrap();
        let second = table.open(0, false, ());
        assert_ne!(first, second);
        assert_eq!(table.get(first), Err(Error::SessionHandleInvalid));
        assert_eq!(table.close(first), Err(Error::SessionHandleInvalid));
        assert_eq!(table.get(CK_INVALID_HANDLE), Err(Error::SessionHandleInvalid));
    }

    #[test]
    fn sessions_are_counted_by_token() {
        let mut table = Table::default();
        table.open(0, false, ());
        table.open(0, true, ());
        table.open(1, true, ());
        assert_eq!(table.count(0), (2, 1));
        table.close_all(0);
        assert_eq!(table.count(0), (0, 0));
        assert_eq!(table.count(1), (1, 1));
    }
}
