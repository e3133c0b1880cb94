//! Sessions: what an application does with a token at a time (section 5.6).

mod cipher;
mod derive;
mod digest;
mod generate;
mod mac;
mod message;
mod object;
mod operation;
mod search;
mod sign;
mod table;
mod verify;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use cryptoki_sys::*;

use crate::{error::Error, object::Owner, token::Token};

use cipher::Cipher;
pub(crate) use cipher::Direction;
use digest::Digesting;
use operation::Operation;
use sign::Sign;
pub(crate) use table::Table;
use verify::Verify;

/// A session with a token.
pub(crate) struct Session {
    token: Arc<Token>,
    /// In whose name its session objects are kept.
    owner: Owner,
    is_read_write: bool,
    operations: Mutex<Operations>,
}

impl Session {
    /// A session without operations.
    pub(crate) fn new(token: Arc<Token>, is_read_write: bool) -> Self {
        let owner = token.created().new_owner();
        Self { token, owner, is_read_write, operations: Mutex::default() }
    }

    /// The token of the session.
    pub(crate) fn token(&self) -> &Token {
        &self.token
    }

    /// C_SessionCancel (version 3.0, section 5.6.4): ends the operations of these kinds, and tells whether any
    /// was active. Kinds that the token does not have are never active.
    pub(crate) fn cancel(&self, kinds: CK_FLAGS) -> bool {
        let mut operations = self.operations();
        let searching = kinds & CKF_FIND_OBJECTS != 0 && operations.search.cancel();
        let digesting = kinds & CKF_DIGEST != 0 && operations.digest.cancel();
        let signing = kinds & CKF_SIGN != 0 && operations.sign.cancel();
        let verifying = kinds & CKF_VERIFY != 0 && operations.verify.cancel();
        let encrypting = kinds & CKF_ENCRYPT != 0 && operations.encrypt.cancel();
        let decrypting = kinds & CKF_DECRYPT != 0 && operations.decrypt.cancel();
        searching || digesting || signing || verifying || encrypting || decrypting
    }

    /// An Init function without a mechanism ends the active operation of its kind (version 3.0). If none is active,
    /// the mechanism was forgotten.
    pub(crate) fn cancel_active(&self, kind: CK_FLAGS) -> Result<(), Error> {
        if self.cancel(kind) { Ok(()) } else { Err(Error::ArgumentsBad) }
    }

    /// The operations. Threads that share a session wait here for each other, also while the chip signs.
    fn operations(&self) -> MutexGuard<'_, Operations> {
        self.operations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Session {
    /// "When a session is closed, all session objects created by the session are destroyed automatically"
    /// (section 5.6).
    fn drop(&mut self) {
        self.token.created().destroy_all(self.owner);
    }
}

/// A session has at most one operation of each kind.
#[derive(Default)]
struct Operations {
    search: Operation<VecDeque<CK_OBJECT_HANDLE>>,
    digest: Operation<Digesting>,
    sign: Operation<Sign>,
    verify: Operation<Verify>,
    encrypt: Operation<Cipher>,
    decrypt: Operation<Cipher>,
}
