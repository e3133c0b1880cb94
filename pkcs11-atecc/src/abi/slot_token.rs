//! Slot and token management functions (section 5.5).

use cryptoki_sys::*;

use super::{
    fence::cryptoki,
    pointer::{self, Destination, Output},
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
        destination.set(info::slot(slot, slot.present().as_deref()))
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
        let types = Mechanism::types(module.slot(slotID)?.token()?.generates());
        output.deliver(output.offer().fit(types.len(), || Ok(types))?)
    }

    /// C_GetMechanismInfo.
    fn C_GetMechanismInfo(slotID: CK_SLOT_ID, r#type: CK_MECHANISM_TYPE, pInfo: CK_MECHANISM_INFO_PTR) |module| {
        // SAFETY: the caller promises that it is NULL or valid for writes.
        let destination = unsafe { Destination::one(pInfo) }?;
        let generates = module.slot(slotID)?.token()?.generates();
        if !Mechanism::types(generates).contains(&r#type) {
            return Err(Error::MechanismInvalid);
        }
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

    /// C_InitPIN, which is the security officer's, and nobody logs in as that one.
    fn C_InitPIN(hSession: CK_SESSION_HANDLE, _pPin: CK_UTF8CHAR_PTR, _ulPinLen: CK_ULONG) |module| {
        module.session(hSession).and(Err(Error::UserNotLoggedIn))
    }

    /// C_SetPIN.
    fn C_SetPIN(
        hSession: CK_SESSION_HANDLE,
        pOldPin: CK_UTF8CHAR_PTR,
        ulOldLen: CK_ULONG,
        _pNewPin: CK_UTF8CHAR_PTR,
        _ulNewLen: CK_ULONG
    ) |module| {
        // SAFETY: the caller promises that it is NULL or valid for this many bytes.
        module.set_pin(hSession, unsafe { pointer::input(pOldPin, ulOldLen) })
    }
}
