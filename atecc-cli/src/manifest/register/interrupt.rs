//! Ctrl-C, and the signal that service managers stop programs with.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use signal_hook::{
    SigId,
    consts::{SIGINT, SIGTERM},
    flag, low_level,
};

use crate::session::Session;

/// What a shell says of a program that Ctrl-C ended.
const EXIT_CODE: i32 = 130;

/// Whether the user wants it to stop. Whoever asks a second time does not want to wait.
#[derive(Debug)]
pub(super) struct Interrupt {
    wanted: Arc<AtomicBool>,
    handlers: Vec<SigId>,
}

impl Interrupt {
    pub(super) fn listen(session: &Session) -> io::Result<Self> {
        let mut interrupt = Self { wanted: Arc::default(), handlers: Vec::new() };
        let Self { wanted, handlers } = &mut interrupt;
        for signal in [SIGINT, SIGTERM] {
            // A shell outlives what it runs.
            if !session.is_shell() {
                handlers.push(flag::register_conditional_shutdown(signal, EXIT_CODE, Arc::clone(wanted))?);
            }
            handlers.push(flag::register(signal, Arc::clone(wanted))?);
        }
        Ok(interrupt)
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed)
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        for handler in self.handlers.drain(..) {
            low_level::unregister(handler);
        }
    }
}
