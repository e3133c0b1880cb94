//! Chapters of the standard that this version does not have: dual-function operations (section 5.13), and the
//! parallel functions of old (section 5.16).

use cryptoki_sys::*;

use super::fence::cryptoki;
use crate::error::Error;

cryptoki! {
    /// C_DigestEncryptUpdate (section 5.13).
    fn C_DigestEncryptUpdate(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR)
        = Error::FunctionNotSupported;

    /// C_DecryptDigestUpdate (section 5.13).
    fn C_DecryptDigestUpdate(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR)
        = Error::FunctionNotSupported;

    /// C_SignEncryptUpdate (section 5.13).
    fn C_SignEncryptUpdate(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR)
        = Error::FunctionNotSupported;

    /// C_DecryptVerifyUpdate (section 5.13).
    fn C_DecryptVerifyUpdate(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR)
        = Error::FunctionNotSupported;

    /// C_GetFunctionStatus (section 5.16): a legacy function that has only this answer.
    fn C_GetFunctionStatus(CK_SESSION_HANDLE) = Error::FunctionNotParallel;

    /// C_CancelFunction (section 5.16): a legacy function that has only this answer.
    fn C_CancelFunction(CK_SESSION_HANDLE) = Error::FunctionNotParallel;
}
