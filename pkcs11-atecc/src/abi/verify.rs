//! Functions for verifying signatures (section 5.12).

use cryptoki_sys::*;

use super::{
    fence::cryptoki,
    pointer::{self, length},
};
use crate::error::Error;

cryptoki! {
    /// C_VerifyInit.
    fn C_VerifyInit(hSession: CK_SESSION_HANDLE, pMechanism: CK_MECHANISM_PTR, hKey: CK_OBJECT_HANDLE) |module| {
        let session = module.session(hSession)?;
        // SAFETY: the caller promises that it is NULL or points to a mechanism.
        let mechanism = unsafe { pointer::required(pMechanism) }?;
        session.verify_init(mechanism.mechanism, length(mechanism.ulParameterLen), hKey)
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
    fn C_VerifyUpdate(hSession: CK_SESSION_HANDLE, _pPart: CK_BYTE_PTR, _ulPartLen: CK_ULONG) |module| {
        module.session(hSession)?.verify_part()
    }

    /// C_VerifyFinal.
    fn C_VerifyFinal(
        hSession: CK_SESSION_HANDLE,
        _pSignature: CK_BYTE_PTR,
        _ulSignatureLen: CK_ULONG
    ) |module| {
        module.session(hSession)?.verify_part()
    }

    /// C_VerifyRecoverInit.
    fn C_VerifyRecoverInit(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE) = Error::FunctionNotSupported;

    /// C_VerifyRecover.
    fn C_VerifyRecover(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR)
        = Error::FunctionNotSupported;
}
