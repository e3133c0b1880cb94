//! Message-based functions (version 3.0, sections 5.9, 5.11, 5.14 and 5.16). They are for mechanisms with a parameter
//! per message, such as AES-GCM; none of the token's is.

use cryptoki_sys::*;

use super::fence::cryptoki;
use crate::error::Error;

cryptoki! {
    /// C_MessageEncryptInit.
    fn C_MessageEncryptInit(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE)
        = Error::FunctionNotSupported;

    /// C_EncryptMessage.
    fn C_EncryptMessage(CK_SESSION_HANDLE, CK_VOID_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR)
        = Error::FunctionNotSupported;

    /// C_EncryptMessageBegin.
    fn C_EncryptMessageBegin(CK_SESSION_HANDLE, CK_VOID_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG)
        = Error::FunctionNotSupported;

    /// C_EncryptMessageNext.
    fn C_EncryptMessageNext(CK_SESSION_HANDLE, CK_VOID_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR, CK_FLAGS)
        = Error::FunctionNotSupported;

    /// C_MessageEncryptFinal.
    fn C_MessageEncryptFinal(CK_SESSION_HANDLE) = Error::FunctionNotSupported;

    /// C_MessageDecryptInit.
    fn C_MessageDecryptInit(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE)
        = Error::FunctionNotSupported;

    /// C_DecryptMessage.
    fn C_DecryptMessage(CK_SESSION_HANDLE, CK_VOID_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR)
        = Error::FunctionNotSupported;

    /// C_DecryptMessageBegin.
    fn C_DecryptMessageBegin(CK_SESSION_HANDLE, CK_VOID_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG)
        = Error::FunctionNotSupported;

    /// C_DecryptMessageNext.
    fn C_DecryptMessageNext(CK_SESSION_HANDLE, CK_VOID_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR, CK_FLAGS)
        = Error::FunctionNotSupported;

    /// C_MessageDecryptFinal.
    fn C_MessageDecryptFinal(CK_SESSION_HANDLE) = Error::FunctionNotSupported;

    /// C_MessageSignInit.
    fn C_MessageSignInit(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE) = Error::FunctionNotSupported;

    /// C_SignMessage.
    fn C_SignMessage(CK_SESSION_HANDLE, CK_VOID_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR)
        = Error::FunctionNotSupported;

    /// C_SignMessageBegin.
    fn C_SignMessageBegin(CK_SESSION_HANDLE, CK_VOID_PTR, CK_ULONG) = Error::FunctionNotSupported;

    /// C_SignMessageNext.
    fn C_SignMessageNext(CK_SESSION_HANDLE, CK_VOID_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR)
        = Error::FunctionNotSupported;

    /// C_MessageSignFinal.
    fn C_MessageSignFinal(CK_SESSION_HANDLE) = Error::FunctionNotSupported;

    /// C_MessageVerifyInit.
    fn C_MessageVerifyInit(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE)
        = Error::FunctionNotSupported;

    /// C_VerifyMessage.
    fn C_VerifyMessage(CK_SESSION_HANDLE, CK_VOID_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG)
        = Error::FunctionNotSupported;

    /// C_VerifyMessageBegin.
    fn C_VerifyMessageBegin(CK_SESSION_HANDLE, CK_VOID_PTR, CK_ULONG) = Error::FunctionNotSupported;

    /// C_VerifyMessageNext.
    fn C_VerifyMessageNext(CK_SESSION_HANDLE, CK_VOID_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG)
        = Error::FunctionNotSupported;

    /// C_MessageVerifyFinal.
    fn C_MessageVerifyFinal(CK_SESSION_HANDLE) = Error::FunctionNotSupported;
}
