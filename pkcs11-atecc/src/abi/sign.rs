//! Signing functions (section 5.11).

use cryptoki_sys::*;

use super::{
    fence::cryptoki,
    mechanism::request,
    pointer::{self, Output},
};
use crate::error::Error;

cryptoki! {
    /// C_SignInit.
    fn C_SignInit(hSession: CK_SESSION_HANDLE, pMechanism: CK_MECHANISM_PTR, hKey: CK_OBJECT_HANDLE) |module| {
        let session = module.session(hSession)?;
        // SAFETY: the caller promises that it is NULL or points to a mechanism with its parameter.
        match unsafe { request(pMechanism) }? {
            Some(request) => session.sign_init(&request, hKey),
            None => session.cancel_active(CKF_SIGN),
        }
    }

    /// C_Sign.
    fn C_Sign(
        hSession: CK_SESSION_HANDLE,
        pData: CK_BYTE_PTR,
        ulDataLen: CK_ULONG,
        pSignature: CK_BYTE_PTR,
        pulSignatureLen: CK_ULONG_PTR
    ) |module| {
        let session = module.session(hSession)?;
        // SAFETY: the caller promises that it is NULL or valid for this many bytes.
        let data = unsafe { pointer::input(pData, ulDataLen) };
        // SAFETY: the caller promises that both are NULL or valid, the buffer for as many bytes as the length says.
        let output = unsafe { Output::new(pSignature, pulSignatureLen) };
        let arguments = data.and_then(|data| Ok((data, output?.offer())));
        // Before anything can return: also bad arguments end the operation.
        let answer = session.sign(arguments)?;
        output?.deliver(answer)
    }

    /// C_SignUpdate.
    fn C_SignUpdate(hSession: CK_SESSION_HANDLE, pPart: CK_BYTE_PTR, ulPartLen: CK_ULONG) |module| {
        let session = module.session(hSession)?;
        // SAFETY: the caller promises that it is NULL or valid for this many bytes.
        session.sign_update(unsafe { pointer::input(pPart, ulPartLen) })
    }

    /// C_SignFinal.
    fn C_SignFinal(
        hSession: CK_SESSION_HANDLE,
        pSignature: CK_BYTE_PTR,
        pulSignatureLen: CK_ULONG_PTR
    ) |module| {
        let session = module.session(hSession)?;
        // SAFETY: the caller promises that both are NULL or valid, the buffer for as many bytes as the length says.
        let output = unsafe { Output::new(pSignature, pulSignatureLen) };
        let answer = session.sign_final(output.map(Output::offer))?;
        output?.deliver(answer)
    }

    /// C_SignRecoverInit.
    fn C_SignRecoverInit(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE) = Error::FunctionNotSupported;

    /// C_SignRecover.
    fn C_SignRecover(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR)
        = Error::FunctionNotSupported;
}
