//! The chip that verbs work with, from one verb to the next.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use atecc_token::{DeviceSpec, Token, default_device};

use crate::error::Error;

/// Who runs the verbs: the command line for one of them, or the shell for as many as are typed.
///
/// The chip is opened when the first verb needs it, and stays open.
#[derive(Debug, Default)]
pub(crate) struct Session {
    device: Option<String>,
    token: Option<Arc<Token>>,
    /// Set by Ctrl-C in the shell. On the command line Ctrl-C ends the process instead.
    interrupted: Option<Arc<AtomicBool>>,
}

impl Session {
    /// A session with the chip that `device` names, or the default one.
    pub(crate) fn new(device: Option<String>) -> Self {
        Self { device, ..Self::default() }
    }

    /// The same for a shell: `interrupted` cancels what takes long.
    pub(crate) fn enter_shell(&mut self, interrupted: Arc<AtomicBool>) {
        self.interrupted = Some(interrupted);
    }

    /// Whether a shell runs the verbs, so that standard input is its user.
    pub(crate) const fn is_shell(&self) -> bool {
        self.interrupted.is_some()
    }

    /// Which chip is meant.
    pub(crate) fn spec(&self) -> Result<DeviceSpec, Error> {
        Ok(default_device(self.device.as_deref())?)
    }

    /// Goes on with the chip that `device` names.
    pub(crate) fn switch(&mut self, device: String) {
        if self.device.as_ref() != Some(&device) {
            self.token = None;
            self.device = Some(device);
        }
    }

    /// The open chip; opens it if it is not.
    pub(crate) fn token(&mut self) -> Result<Arc<Token>, Error> {
        if let Some(token) = &self.token {
            return Ok(Arc::clone(token));
        }
        let token = Arc::new(Token::open(&self.spec()?)?);
        self.token = Some(Arc::clone(&token));
        Ok(token)
    }

    /// The chip, opened anew and without what the cache says of it.
    pub(crate) fn uncached_token(&mut self) -> Result<Arc<Token>, Error> {
        self.close();
        let token = Arc::new(Token::open_uncached(&self.spec()?)?);
        self.token = Some(Arc::clone(&token));
        Ok(token)
    }

    /// The chip if it is open.
    pub(crate) fn open_token(&self) -> Option<&Token> {
        self.token.as_deref()
    }

    /// Forgets the open chip, so that the next verb opens what is there then.
    pub(crate) fn close(&mut self) {
        self.token = None;
    }

    /// Ends a verb that takes long when its user asked for it.
    pub(crate) fn check_cancelled(&self) -> Result<(), Error> {
        match &self.interrupted {
            Some(interrupted) if interrupted.load(Ordering::Relaxed) => Err(Error::Cancelled),
            _ => Ok(()),
        }
    }
}
