//! CK_MECHANISM and the parameters behind it (section 3.5 and mechanisms).

use cryptoki_sys::*;

use super::pointer;
use crate::{
    error::Error,
    mechanism::{Layout, Mechanism, Parameter, Request},
};

/// What a mechanism asks for; None if there is no mechanism. A parameter that is not the mechanism's is an error
/// inside of the result: whoever begins an operation has other things to say first.
///
/// # Safety
/// `start` is NULL or points to a CK_MECHANISM whose parameter is NULL or valid for reads of as many bytes as it says,
/// and so are the pointers of the structure that it may be, as long as the result is used.
pub(super) unsafe fn request<'a>(start: CK_MECHANISM_PTR) -> Result<Option<Request<'a>>, Error> {
    // SAFETY: the caller promises that it is NULL or points to a mechanism.
    let mechanism = unsafe { pointer::optional(start) }?;
    let Some(mechanism) = mechanism else { return Ok(None) };
    // SAFETY: the caller promises it for the parameter of this mechanism.
    let parameter = unsafe { parameter(mechanism) };
    Ok(Some(Request { mechanism_type: mechanism.mechanism, parameter }))
}

/// The parameter, in the layout of its mechanism.
///
/// # Safety
/// As for [`request`].
unsafe fn parameter<'a>(mechanism: &CK_MECHANISM) -> Result<Parameter<'a>, Error> {
    let start = mechanism.pParameter.cast::<CK_BYTE>().cast_const();
    // SAFETY: the caller promises that it is NULL or valid for this many bytes.
    let bytes = unsafe { bytes(start, mechanism.ulParameterLen) }?;
    match Mechanism::from_type(mechanism.mechanism).map(Mechanism::layout) {
        Ok(Layout::None) if !bytes.is_empty() => Err(Error::MechanismParamInvalid),
        Ok(Layout::None) | Err(_) => Ok(Parameter::None),
        Ok(Layout::Bytes) => Ok(Parameter::Bytes(bytes)),
        Ok(Layout::Number) => {
            let number = bytes.try_into().map_err(|_| Error::MechanismParamInvalid)?;
            Ok(Parameter::Number(CK_ULONG::from_ne_bytes(number)))
        }
        Ok(Layout::Ctr) => {
            // SAFETY: all bit patterns are values of its fields, which are numbers.
            let ctr: CK_AES_CTR_PARAMS =
                unsafe { pointer::structure(bytes) }.ok_or(Error::MechanismParamInvalid)?;
            Ok(Parameter::Ctr { counter_bits: ctr.ulCounterBits, block: ctr.cb })
        }
        Ok(Layout::Gcm) => {
            // SAFETY: all bit patterns are values of its fields, which are numbers and pointers.
            let gcm: CK_GCM_PARAMS =
                unsafe { pointer::structure(bytes) }.ok_or(Error::MechanismParamInvalid)?;
            // SAFETY: the caller promises that it is NULL or valid for this many bytes.
            let iv = unsafe { self::bytes(gcm.pIv, gcm.ulIvLen) }?;
            // SAFETY: as above.
            let additional = unsafe { self::bytes(gcm.pAAD, gcm.ulAADLen) }?;
            Ok(Parameter::Gcm { iv, additional, tag_bits: gcm.ulTagBits })
        }
        Ok(Layout::Ecdh1) => {
            // SAFETY: all bit patterns are values of its fields, which are numbers and pointers.
            let ecdh: CK_ECDH1_DERIVE_PARAMS =
                unsafe { pointer::structure(bytes) }.ok_or(Error::MechanismParamInvalid)?;
            // SAFETY: the caller promises that it is NULL or valid for this many bytes.
            let shared = unsafe { self::bytes(ecdh.pSharedData, ecdh.ulSharedDataLen) }?;
            // SAFETY: as above.
            let public = unsafe { self::bytes(ecdh.pPublicData, ecdh.ulPublicDataLen) }?;
            Ok(Parameter::Ecdh1 { kdf: ecdh.kdf, shared, public })
        }
    }
}

/// Bytes of a parameter.
///
/// # Safety
/// `start` is NULL, or valid for reads of `count` bytes as long as the result is used.
unsafe fn bytes<'a>(start: *const CK_BYTE, count: CK_ULONG) -> Result<&'a [u8], Error> {
    // SAFETY: the caller promises it.
    unsafe { pointer::input(start, count) }.map_err(|_| Error::MechanismParamInvalid)
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;

    fn of<T>(mechanism_type: CK_MECHANISM_TYPE, value: &mut T, length: usize) -> CK_MECHANISM {
        let parameter = ptr::from_mut(value).cast();
        CK_MECHANISM { mechanism: mechanism_type, pParameter: parameter, ulParameterLen: length as CK_ULONG }
    }

    fn read<'a>(mut mechanism: CK_MECHANISM) -> Result<Parameter<'a>, Error> {
        // SAFETY: the tests give a length that is not beyond the parameter.
        unsafe { request(&mut mechanism) }.unwrap().unwrap().parameter
    }

    #[test]
    fn no_mechanism_is_none() {
        // SAFETY: NULL is allowed.
        let none = unsafe { request(ptr::null_mut()) };
        assert!(none.unwrap().is_none());
    }

    #[test]
    fn parameters_are_read_in_the_layout_of_their_mechanism() {
        let mut number: CK_ULONG = 7;
        assert_eq!(read(of(CKM_SHA256_HMAC_GENERAL, &mut number, 8)), Ok(Parameter::Number(7)));
        assert_eq!(read(of(CKM_SHA256_HMAC_GENERAL, &mut number, 4)), Err(Error::MechanismParamInvalid));
        assert_eq!(read(of(CKM_SHA256_HMAC, &mut number, 8)), Err(Error::MechanismParamInvalid));
        assert_eq!(read(of(CKM_SHA256_HMAC, &mut number, 0)), Ok(Parameter::None));
        let mut ctr = CK_AES_CTR_PARAMS { ulCounterBits: 32, cb: [9; 16] };
        assert_eq!(
            read(of(CKM_AES_CTR, &mut ctr, 24)),
            Ok(Parameter::Ctr { counter_bits: 32, block: [9; 16] })
        );
        assert_eq!(read(of(CKM_AES_CTR, &mut ctr, 23)), Err(Error::MechanismParamInvalid));
    }

    #[test]
    fn pointers_inside_are_read_too() {
        let (mut shared, mut public) = (*b"info", [4; 65]);
        let mut ecdh = CK_ECDH1_DERIVE_PARAMS {
            kdf: CKD_NULL,
            ulSharedDataLen: 4,
            pSharedData: shared.as_mut_ptr(),
            ulPublicDataLen: 65,
            pPublicData: public.as_mut_ptr(),
        };
        let size = size_of_val(&ecdh);
        let expected = Parameter::Ecdh1 { kdf: CKD_NULL, shared: b"info", public: &[4; 65] };
        assert_eq!(read(of(CKM_ECDH1_DERIVE, &mut ecdh, size)), Ok(expected));
        ecdh.pPublicData = ptr::null_mut();
        assert_eq!(read(of(CKM_ECDH1_DERIVE, &mut ecdh, size)), Err(Error::MechanismParamInvalid));
    }
}
