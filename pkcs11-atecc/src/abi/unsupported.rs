//! Chapters of the standard that this version does not have: encryption, decryption, dual-function operations,
//! key management (sections 5.8, 5.9, 5.13 and 5.14), and the parallel functions of old.

use cryptoki_sys::*;

use super::fence::cryptoki;
use crate::error::Error;

cryptoki! {
    /// C_EncryptInit (section 5.8).
    fn C_EncryptInit(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE) = Error::FunctionNotSupported;

    /// C_Encrypt (section 5.8).
    fn C_Encrypt(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR)
        = Error::FunctionNotSupported;

    /// C_EncryptUpdate (section 5.8).
    fn C_EncryptUpdate(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR)
        = Error::FunctionNotSupported;

    /// C_EncryptFinal (section 5.8).
    fn C_EncryptFinal(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG_PTR) = Error::FunctionNotSupported;

    /// C_DecryptInit (section 5.9).
    fn C_DecryptInit(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE) = Error::FunctionNotSupported;

    /// C_Decrypt (section 5.9).
    fn C_Decrypt(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR)
        = Error::FunctionNotSupported;

    /// C_DecryptUpdate (section 5.9).
    fn C_DecryptUpdate(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR)
        = Error::FunctionNotSupported;

    /// C_DecryptFinal (section 5.9).
    fn C_DecryptFinal(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG_PTR) = Error::FunctionNotSupported;

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

    /// C_GenerateKey (section 5.14).
    fn C_GenerateKey(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_ATTRIBUTE_PTR, CK_ULONG, CK_OBJECT_HANDLE_PTR)
        = Error::FunctionNotSupported;

    /// C_GenerateKeyPair (section 5.14).
    fn C_GenerateKeyPair(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_ATTRIBUTE_PTR, CK_ULONG, CK_ATTRIBUTE_PTR, CK_ULONG, CK_OBJECT_HANDLE_PTR, CK_OBJECT_HANDLE_PTR)
        = Error::FunctionNotSupported;

    /// C_WrapKey (section 5.14).
    fn C_WrapKey(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE, CK_OBJECT_HANDLE, CK_BYTE_PTR, CK_ULONG_PTR)
        = Error::FunctionNotSupported;

    /// C_UnwrapKey (section 5.14).
    fn C_UnwrapKey(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_ATTRIBUTE_PTR, CK_ULONG, CK_OBJECT_HANDLE_PTR)
        = Error::FunctionNotSupported;

    /// C_DeriveKey (section 5.14).
    fn C_DeriveKey(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE, CK_ATTRIBUTE_PTR, CK_ULONG, CK_OBJECT_HANDLE_PTR)
        = Error::FunctionNotSupported;

    /// C_GetFunctionStatus (section 5.16): a legacy function that has only this answer.
    fn C_GetFunctionStatus(CK_SESSION_HANDLE) = Error::FunctionNotParallel;

    /// C_CancelFunction (section 5.16): a legacy function that has only this answer.
    fn C_CancelFunction(CK_SESSION_HANDLE) = Error::FunctionNotParallel;
}
