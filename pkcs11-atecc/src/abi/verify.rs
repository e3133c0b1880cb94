//! Functions for verifying signatures (section 5.12).

use cryptoki_sys::*;

use super::{fence::cryptoki, mechanism::request, pointer};
use crate::error::Error;

cryptoki! {
    /// C_VerifyInit.
    fn C_VerifyInit(hSession: CK_SESSION_HANDLE, pMechanism: CK_MECHANISM_PTR, hKey: CK_OBJECT_HANDLE) |module| {
        let session = module.session(hSession)?;
        // SAFETY: the caller promises that it is NULL or points to a mechanism with its parameter.
        match unsafe { request(pMechanism) }? {
            Some(request) => session.verify_init(&request, hKey),
            None => session.cancel_active(CKF_VERIFY),
        }
    }

    /// C_Verify.
    fn C_Verify(
        hSession: CK_SESSION_HANDLE,
        pData: CK_BYTE_PTR,
        ulDataLen: CK_ULONG,
        pSignature: CK_BYTE_PTR,
        ulSignatureLen: CK_ULONG
    ) |module| {
        let session = module.session(hSession)?;
        // SAFETY: the caller promises that it is NULL or valid for this many bytes.
        let data = unsafe { pointer::input(pData, ulDataLen) };
        // SAFETY: as above.
        let signature = unsafe { pointer::input(pSignature, ulSignatureLen) };
        session.verify(data.and_then(|data| Ok((data, signature?))))
    }

    /// C_VerifyUpdate.
    fn C_VerifyUpdate(hSession: CK_SESSION_HANDLE, pPart: CK_BYTE_PTR, ulPartLen: CK_ULONG) |module| {
        let session = module.session(hSession)?;
        // SAFETY: the caller promises that it is NULL or valid for this many bytes.
        session.verify_update(unsafe { pointer::input(pPart, ulPartLen) })
    }

    /// C_VerifyFinal.
    fn C_VerifyFinal(
        hSession: CK_SESSION_HANDLE,
        pSignature: CK_BYTE_PTR,
        ulSignatureLen: CK_ULONG
    ) |module| {
        let session = module.session(hSession)?;
        // SAFETY: the caller promises that it is NULL or valid for this many bytes.
        session.verify_final(unsafe { pointer::input(pSignature, ulSignatureLen) })
    }

    /// C_VerifyRecoverInit.
    fn C_VerifyRecoverInit(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE) = Error::FunctionNotSupported;

    /// C_VerifyRecover.
    fn C_VerifyRecover(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR)
        = Error::FunctionNotSupported;
}
