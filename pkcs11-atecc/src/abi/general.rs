//! General-purpose functions (section 5.4).

use cryptoki_sys::*;

use super::{
    fence::cryptoki,
    pointer::{Destination, optional},
};
use crate::{error::Error, info, module, reserved::Parameters};

cryptoki! {
    /// C_Initialize. The module locks with the means of the system in every case, since clients that pass NULL
    /// use threads all the same; it starts no threads of its own.
    fn C_Initialize(pInitArgs: CK_VOID_PTR) {
        // SAFETY: the caller promises that it is NULL or points to a CK_C_INITIALIZE_ARGS.
        let parameters = match unsafe { optional(pInitArgs.cast::<CK_C_INITIALIZE_ARGS>()) }? {
            Some(arguments) => check(arguments)?,
            None => Parameters::default(),
        };
        module::initialize(&parameters)
    }

    /// C_Finalize. Calls of other threads that are still under way keep what they need until they return.
    fn C_Finalize(pReserved: CK_VOID_PTR) {
        if !pReserved.is_null() {
            return module::current().and(Err(Error::ArgumentsBad));
        }
        module::finalize()
    }

    /// C_GetInfo of the list of version 2.40.
    fn C_GetInfo(pInfo: CK_INFO_PTR) |_module| {
        // SAFETY: the caller promises that it is NULL or valid for writes.
        unsafe { Destination::one(pInfo) }?.set(info::library(info::VERSION_2_40))
    }

    /// C_GetInfo of the list of version 3.0.
    fn C_GetInfo_3_0(pInfo: CK_INFO_PTR) |_module| {
        // SAFETY: the caller promises that it is NULL or valid for writes.
        unsafe { Destination::one(pInfo) }?.set(info::library(info::VERSION_3_0))
    }
}

/// The rules for CK_C_INITIALIZE_ARGS: a reserved pointer that is NULL or leads to a string of settings, which is
/// what comes back, and mutex functions all or none. An application that brings its own and does not allow
/// those of the system cannot be served.
fn check(arguments: &CK_C_INITIALIZE_ARGS) -> Result<Parameters, Error> {
    let given = [
        arguments.CreateMutex.is_some(),
        arguments.DestroyMutex.is_some(),
        arguments.LockMutex.is_some(),
        arguments.UnlockMutex.is_some(),
    ];
    let (all, none) = (given.iter().all(|given| *given), !given.contains(&true));
    if !(all || none) {
        return Err(Error::ArgumentsBad);
    }
    if all && arguments.flags & CKF_OS_LOCKING_OK == 0 {
        return Err(Error::CantLock);
    }
    if arguments.pReserved.is_null() {
        return Ok(Parameters::default());
    }
    Parameters::at(arguments.pReserved.expose_provenance())
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;

    extern "C" fn lock(_: CK_VOID_PTR) -> CK_RV {
        CKR_OK
    }

    extern "C" fn create(_: CK_VOID_PTR_PTR) -> CK_RV {
        CKR_OK
    }

    fn with_mutexes(flags: CK_FLAGS) -> CK_C_INITIALIZE_ARGS {
        CK_C_INITIALIZE_ARGS {
            CreateMutex: Some(create),
            DestroyMutex: Some(lock),
            LockMutex: Some(lock),
            UnlockMutex: Some(lock),
            flags,
            ..Default::default()
        }
    }

    #[test]
    fn every_combination_of_flags_without_mutexes() {
        for flags in 0..=3 {
            assert!(check(&CK_C_INITIALIZE_ARGS { flags, ..Default::default() }).is_ok());
        }
    }

    #[test]
    fn own_mutexes_only_beside_those_of_the_system() {
        assert!(check(&with_mutexes(CKF_OS_LOCKING_OK)).is_ok());
        assert_eq!(check(&with_mutexes(0)), Err(Error::CantLock));
        let some = CK_C_INITIALIZE_ARGS { UnlockMutex: None, ..with_mutexes(CKF_OS_LOCKING_OK) };
        assert_eq!(check(&some), Err(Error::ArgumentsBad));
    }

    #[test]
    fn the_reserved_pointer_is_null_or_leads_to_settings() {
        let reserved = |pointer: *const i8| {
            check(&CK_C_INITIALIZE_ARGS { pReserved: pointer.cast_mut().cast(), ..Default::default() })
        };
        assert_eq!(reserved(ptr::null()), Ok(Parameters::default()));
        assert_eq!(
            reserved(c"device=emulator:chip".as_ptr().cast()).unwrap().device.unwrap(),
            "emulator:chip"
        );
        assert_eq!(reserved(c"something else".as_ptr().cast()), Err(Error::ArgumentsBad));
        assert_eq!(reserved(ptr::without_provenance(0x10)), Err(Error::ArgumentsBad));
    }
}
