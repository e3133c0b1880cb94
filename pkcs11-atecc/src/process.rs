//! The state of the module in this process: at most one, and never the parent's.
//!
//! After a fork the child holds a copy of everything, and of each lock in the state in which some thread of the
//! parent had it, a thread that does not exist in the child. So a child never waits for an inherited lock:
//! each process that calls C_Initialize gets a lock of its own, at the end of a chain that begins with that of
//! the first process. The standard leaves open what a child's calls do before its own C_Initialize; here they
//! return CKR_CRYPTOKI_NOT_INITIALIZED.

use std::sync::{
    Arc, OnceLock, PoisonError, RwLock,
    atomic::{AtomicU32, Ordering},
};

use crate::error::Error;

/// The state of one process, and the way to those that were forked from it.
pub(crate) struct Process<T> {
    /// The process that owns the state; 0 as long as nobody does.
    pid: AtomicU32,
    state: RwLock<Option<Arc<T>>>,
    /// In the memory of a child that called C_Initialize: its own.
    child: OnceLock<Box<Process<T>>>,
}

impl<T> Process<T> {
    /// Nobody's state.
    pub(crate) const fn new() -> Self {
        Self::owned_by(0)
    }

    /// The state, if the process `pid` has initialized it.
    pub(crate) fn current(&self, pid: u32) -> Result<Arc<T>, Error> {
        let own = self.own(pid).ok_or(Error::NotInitialized)?;
        let state = own.state.read().unwrap_or_else(PoisonError::into_inner);
        state.clone().ok_or(Error::NotInitialized)
    }

    /// C_Initialize: makes the state of the process `pid`.
    pub(crate) fn initialize(&self, pid: u32, make: impl FnOnce() -> T) -> Result<(), Error> {
        let own = self.claim(pid);
        let mut state = own.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.is_some() {
            return Err(Error::AlreadyInitialized);
        }
        *state = Some(Arc::new(make()));
        Ok(())
    }

    /// C_Finalize: gives up the state. It ends when the last call that still works with it returns.
    pub(crate) fn finalize(&self, pid: u32) -> Result<Arc<T>, Error> {
        let own = self.own(pid).ok_or(Error::NotInitialized)?;
        let state = own.state.write().unwrap_or_else(PoisonError::into_inner).take();
        state.ok_or(Error::NotInitialized)
    }

    const fn owned_by(pid: u32) -> Self {
        Self { pid: AtomicU32::new(pid), state: RwLock::new(None), child: OnceLock::new() }
    }

    /// The end of the chain: what the youngest process made.
    fn youngest(&self) -> &Self {
        let mut youngest = self;
        while let Some(child) = youngest.child.get() {
            youngest = child;
        }
        youngest
    }

    fn own(&self, pid: u32) -> Option<&Self> {
        let youngest = self.youngest();
        (youngest.pid.load(Ordering::Acquire) == pid).then_some(youngest)
    }

    fn claim(&self, pid: u32) -> &Self {
        let youngest = self.youngest();
        match youngest.pid.compare_exchange(0, pid, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => youngest,
            Err(owner) if owner == pid => youngest,
            Err(_) => {
                youngest.disinherit();
                youngest.child.get_or_init(|| Box::new(Self::owned_by(pid)))
            }
        }
    }

    /// Drops what the child inherited, so that it keeps no device of its parent open. What a thread of the
    /// parent was working with at the moment of the fork may be half changed; that is never touched again.
    fn disinherit(&self) {
        if let Ok(mut state) = self.state.try_write()
            && let Some(state) = state.take()
        {
            drop(Arc::into_inner(state));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: u32 = 100;
    const CHILD: u32 = 101;
    const GRANDCHILD: u32 = 102;

    #[test]
    fn one_state_from_initialize_to_finalize_and_again() {
        let process = Process::new();
        assert_eq!(process.current(PARENT), Err(Error::NotInitialized));
        assert_eq!(process.finalize(PARENT), Err(Error::NotInitialized));
        for round in 0..3 {
            assert_eq!(process.initialize(PARENT, || round), Ok(()));
            assert_eq!(process.initialize(PARENT, || 99), Err(Error::AlreadyInitialized));
            assert_eq!(process.current(PARENT).as_deref(), Ok(&round));
            assert_eq!(process.finalize(PARENT).as_deref(), Ok(&round));
            assert_eq!(process.current(PARENT), Err(Error::NotInitialized));
        }
        assert!(process.child.get().is_none(), "cycles leave nothing behind");
    }

    #[test]
    fn a_child_begins_anew() {
        let process = Process::new();
        process.initialize(PARENT, || "parent").unwrap();
        assert_eq!(process.current(CHILD), Err(Error::NotInitialized));
        assert_eq!(process.finalize(CHILD), Err(Error::NotInitialized));
        process.initialize(CHILD, || "child").unwrap();
        assert_eq!(process.current(CHILD).as_deref(), Ok(&"child"));
        process.initialize(GRANDCHILD, || "grandchild").unwrap();
        assert_eq!(process.current(GRANDCHILD).as_deref(), Ok(&"grandchild"));
        assert_eq!(process.finalize(GRANDCHILD).as_deref(), Ok(&"grandchild"));
    }

    #[test]
    fn a_child_initializes_although_a_thread_of_the_parent_held_the_lock() {
        let process = Process::new();
        process.initialize(PARENT, || "parent").unwrap();
        let _held = process.state.write().unwrap();
        assert_eq!(process.current(CHILD), Err(Error::NotInitialized));
        process.initialize(CHILD, || "child").unwrap();
        assert_eq!(process.current(CHILD).as_deref(), Ok(&"child"));
    }

    #[test]
    fn a_child_drops_what_nobody_was_working_with() {
        let idle = Arc::new(());
        let process = Process::new();
        process.initialize(PARENT, || Arc::clone(&idle)).unwrap();
        process.initialize(CHILD, || Arc::new(())).unwrap();
        assert_eq!(Arc::strong_count(&idle), 1);

        let busy = Arc::new(());
        let process = Process::new();
        process.initialize(PARENT, || Arc::clone(&busy)).unwrap();
        let _call = process.current(PARENT).unwrap();
        process.initialize(CHILD, || Arc::new(())).unwrap();
        assert_eq!(Arc::strong_count(&busy), 2);
    }
}
