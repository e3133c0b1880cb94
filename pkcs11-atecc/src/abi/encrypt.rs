//! Encryption functions (section 5.8).

use cryptoki_sys::*;

use super::{
    fence::cryptoki,
    mechanism::request,
    pointer::{self, Output},
};
use crate::session::Direction;

cryptoki! {
    /// C_EncryptInit.
    fn C_EncryptInit(hSession: CK_SESSION_HANDLE, pMechanism: CK_MECHANISM_PTR, hKey: CK_OBJECT_HANDLE) |module| {
        let session = module.session(hSession)?;
        // SAFETY: the caller promises that it is NULL or points to a mechanism with its parameter.
        match unsafe { request(pMechanism) }? {
            Some(request) => session.cipher_init(Direction::Encrypt, &request, hKey),
            None => session.cancel_active(CKF_ENCRYPT),
        }
    }

    /// C_Encrypt.
    fn C_Encrypt(
        hSession: CK_SESSION_HANDLE,
        pData: CK_BYTE_PTR,
        ulDataLen: CK_ULONG,
        pEncryptedData: CK_BYTE_PTR,
        pulEncryptedDataLen: CK_ULONG_PTR
    ) |module| {
        let session = module.session(hSession)?;
        // SAFETY: the caller promises that it is NULL or valid for this many bytes.
        let data = unsafe { pointer::input(pData, ulDataLen) };
        // SAFETY: the caller promises that both are NULL or valid, the buffer for as many bytes as the length says.
        let output = unsafe { Output::new(pEncryptedData, pulEncryptedDataLen) };
        let arguments = data.and_then(|data| Ok((data, output?.offer())));
        // Before anything can return: also bad arguments end the operation.
        let answer = session.cipher(Direction::Encrypt, arguments)?;
        output?.deliver(answer)
    }

    /// C_EncryptUpdate.
    fn C_EncryptUpdate(
        hSession: CK_SESSION_HANDLE,
        pPart: CK_BYTE_PTR,
        ulPartLen: CK_ULONG,
        pEncryptedPart: CK_BYTE_PTR,
        pulEncryptedPartLen: CK_ULONG_PTR
    ) |module| {
        let session = module.session(hSession)?;
        // SAFETY: the caller promises that it is NULL or valid for this many bytes.
        let part = unsafe { pointer::input(pPart, ulPartLen) };
        // SAFETY: the caller promises that both are NULL or valid, the buffer for as many bytes as the length says.
        let output = unsafe { Output::new(pEncryptedPart, pulEncryptedPartLen) };
        let arguments = part.and_then(|part| Ok((part, output?.offer())));
        let answer = session.cipher_update(Direction::Encrypt, arguments)?;
        output?.deliver(answer)
    }

    /// C_EncryptFinal.
    fn C_EncryptFinal(
        hSession: CK_SESSION_HANDLE,
        pLastEncryptedPart: CK_BYTE_PTR,
        pulLastEncryptedPartLen: CK_ULONG_PTR
    ) |module| {
        let session = module.session(hSession)?;
        // SAFETY: the caller promises that both are NULL or valid, the buffer for as many bytes as the length says.
        let output = unsafe { Output::new(pLastEncryptedPart, pulLastEncryptedPartLen) };
        let answer = session.cipher_final(Direction::Encrypt, output.map(Output::offer))?;
        output?.deliver(answer)
    }
}
