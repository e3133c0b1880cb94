//! Session management functions (section 5.6).

use cryptoki_sys::*;

use super::{
    fence::cryptoki,
    pointer::{self, Destination},
};
use crate::error::Error;

cryptoki! {
    /// C_OpenSession. The module has nothing to notify anyone of.
    fn C_OpenSession(
        slotID: CK_SLOT_ID,
        flags: CK_FLAGS,
        _pApplication: CK_VOID_PTR,
        _Notify: CK_NOTIFY,
        phSession: CK_SESSION_HANDLE_PTR
    ) |module| {
        // SAFETY: the caller promises that it is NULL or valid for writes.
        let destination = unsafe { Destination::one(phSession) }?;
        destination.set(module.open_session(slotID, flags)?)
    }

    /// C_CloseSession.
    fn C_CloseSession(hSession: CK_SESSION_HANDLE) |module| {
        module.close_session(hSession)
    }

    /// C_CloseAllSessions.
    fn C_CloseAllSessions(slotID: CK_SLOT_ID) |module| {
        module.close_all_sessions(slotID)
    }

    /// C_GetSessionInfo.
    fn C_GetSessionInfo(hSession: CK_SESSION_HANDLE, pInfo: CK_SESSION_INFO_PTR) |module| {
        let info = module.session_info(hSession)?;
        // SAFETY: the caller promises that it is NULL or valid for writes.
        unsafe { Destination::one(pInfo) }?.set(info)
    }

    /// C_GetOperationState.
    fn C_GetOperationState(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG_PTR) = Error::FunctionNotSupported;

    /// C_SetOperationState.
    fn C_SetOperationState(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_OBJECT_HANDLE, CK_OBJECT_HANDLE)
        = Error::FunctionNotSupported;

    /// C_Login.
    fn C_Login(
        hSession: CK_SESSION_HANDLE,
        userType: CK_USER_TYPE,
        pPin: CK_UTF8CHAR_PTR,
        ulPinLen: CK_ULONG
    ) |module| {
        // SAFETY: the caller promises that it is NULL or valid for this many bytes.
        module.login(hSession, userType, unsafe { pointer::input(pPin, ulPinLen) })
    }

    /// C_LoginUser (version 3.0, section 5.6.9): the names of users mean nothing to the chip.
    fn C_LoginUser(
        hSession: CK_SESSION_HANDLE,
        userType: CK_USER_TYPE,
        pPin: CK_UTF8CHAR_PTR,
        ulPinLen: CK_ULONG,
        _pUsername: CK_UTF8CHAR_PTR,
        _ulUsernameLen: CK_ULONG
    ) |module| {
        // SAFETY: the caller promises that it is NULL or valid for this many bytes.
        module.login(hSession, userType, unsafe { pointer::input(pPin, ulPinLen) })
    }

    /// C_SessionCancel (version 3.0, section 5.6.4). Operations that are not active need no end.
    fn C_SessionCancel(hSession: CK_SESSION_HANDLE, flags: CK_FLAGS) |module| {
        module.session(hSession)?.cancel(flags);
        Ok(())
    }

    /// C_Logout.
    fn C_Logout(hSession: CK_SESSION_HANDLE) |module| {
        module.logout(hSession)
    }
}
