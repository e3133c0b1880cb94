//! Slot and token management functions (section 5.5).

use cryptoki_sys::*;

use super::{
    fence::cryptoki,
    pointer::{Destination, Output},
};
use crate::{error::Error, info, mechanism::Mechanism};

cryptoki! {
    /// C_GetSlotList.
    fn C_GetSlotList(tokenPresent: CK_BBOOL, pSlotList: CK_SLOT_ID_PTR, pulCount: CK_ULONG_PTR) |module| {
        // SAFETY: the caller promises that both are NULL or valid, the list for as many IDs as the count says.
        let output = unsafe { Output::new(pSlotList, pulCount) }?;
        let ids = module.slot_ids(tokenPresent != CK_FALSE);
        output.deliver(output.offer().fit(ids.len(), || Ok(ids))?)
    }

    /// C_GetSlotInfo.
    fn C_GetSlotInfo(slotID: CK_SLOT_ID, pInfo: CK_SLOT_INFO_PTR) |module| {
        // SAFETY: the caller promises that it is NULL or valid for writes.
        let destination = unsafe { Destination::one(pInfo) }?;
        let slot = module.slot(slotID)?;
        destination.set(info::slot(&slot.description(), slot.token().ok().as_deref()))
    }

    /// C_GetTokenInfo.
    fn C_GetTokenInfo(slotID: CK_SLOT_ID, pInfo: CK_TOKEN_INFO_PTR) |module| {
        // SAFETY: the caller promises that it is NULL or valid for writes.
        let destination = unsafe { Destination::one(pInfo) }?;
        let token = module.slot(slotID)?.token()?;
        let (sessions, read_write) = module.sessions().count(slotID);
        destination.set(info::token(&token, sessions, read_write))
    }

    /// C_GetMechanismList.
    fn C_GetMechanismList(slotID: CK_SLOT_ID, pMechanismList: CK_MECHANISM_TYPE_PTR, pulCount: CK_ULONG_PTR)
    |module| {
        // SAFETY: the caller promises that both are NULL or valid, the list for as many types as the count says.
        let output = unsafe { Output::new(pMechanismList, pulCount) }?;
        module.slot(slotID)?.token()?;
        let types = Mechanism::types();
        output.deliver(output.offer().fit(types.len(), || Ok(types))?)
    }

    /// C_GetMechanismInfo.
    fn C_GetMechanismInfo(slotID: CK_SLOT_ID, r#type: CK_MECHANISM_TYPE, pInfo: CK_MECHANISM_INFO_PTR) |module| {
        // SAFETY: the caller promises that it is NULL or valid for writes.
        let destination = unsafe { Destination::one(pInfo) }?;
        module.slot(slotID)?.token()?;
        destination.set(Mechanism::from_type(r#type)?.info())
    }

    /// C_WaitForSlotEvent.
    fn C_WaitForSlotEvent(flags: CK_FLAGS, pSlot: CK_SLOT_ID_PTR, pReserved: CK_VOID_PTR) |module| {
        if !pReserved.is_null() {
            return Err(Error::ArgumentsBad);
        }
        // SAFETY: the caller promises that it is NULL or valid for writes.
        let destination = unsafe { Destination::one(pSlot) }?;
        destination.set(module.wait_for_slot_event(flags & CKF_DONT_BLOCK == 0)?)
    }

    /// C_InitToken: the factory did that.
    fn C_InitToken(CK_SLOT_ID, CK_UTF8CHAR_PTR, CK_ULONG, CK_UTF8CHAR_PTR) = Error::FunctionNotSupported;

    /// C_InitPIN: there is no PIN.
    fn C_InitPIN(CK_SESSION_HANDLE, CK_UTF8CHAR_PTR, CK_ULONG) = Error::FunctionNotSupported;

    /// C_SetPIN: there is no PIN.
    fn C_SetPIN(CK_SESSION_HANDLE, CK_UTF8CHAR_PTR, CK_ULONG, CK_UTF8CHAR_PTR, CK_ULONG)
        = Error::FunctionNotSupported;
}
