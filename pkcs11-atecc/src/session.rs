//! Sessions: what an application does with a token at a time (section 5.6).

mod operation;
mod search;
mod sign;
mod table;
mod verify;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use cryptoki_sys::CK_OBJECT_HANDLE;

use crate::token::Token;

use operation::Operation;
use sign::Sign;
pub(crate) use table::Table;
use verify::Verify;

/// A session with a token.
pub(crate) struct Session {
    token: Arc<Token>,
    operations: Mutex<Operations>,
}

impl Session {
    /// A session without operations.
    pub(crate) fn new(token: Arc<Token>) -> Self {
        Self { token, operations: Mutex::default() }
    }

    /// The token of the session.
    pub(crate) fn token(&self) -> &Token {
        &self.token
    }

    /// The operations. Threads that share a session wait here for each other, also while the chip signs.
    fn operations(&self) -> MutexGuard<'_, Operations> {
        self.operations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session has at most one operation of each kind.
#[derive(Default)]
struct Operations {
    search: Operation<VecDeque<CK_OBJECT_HANDLE>>,
    sign: Operation<Sign>,
    verify: Operation<Verify>,
}
