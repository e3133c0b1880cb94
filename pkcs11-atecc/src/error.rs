//! The errors of the module and their return values, in one declaration (section 5.1).

use cryptoki_sys::*;

/// Declares [`Error`] from pairs of a variant and its return value.
macro_rules! errors {
    ($($(#[$doc:meta])* $variant:ident = $rv:ident,)*) => {
        /// Why a function did not return CKR_OK.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Error {
            $($(#[$doc])* $variant,)*
        }

        impl Error {
            /// The return value that tells it to the application.
            pub(crate) const fn rv(self) -> CK_RV {
                match self {
                    $(Self::$variant => $rv,)*
                }
            }

            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$variant),*];
        }
    };
}

errors! {
    /// The object may not be changed, copied or destroyed: one of its attributes says so.
    ActionProhibited = CKR_ACTION_PROHIBITED,
    /// A pointer is NULL or not aligned where a value is needed, or arguments contradict each other.
    ArgumentsBad = CKR_ARGUMENTS_BAD,
    /// An attribute that the token sets, or that stays as it was made.
    AttributeReadOnly = CKR_ATTRIBUTE_READ_ONLY,
    /// The attribute exists and never leaves the chip.
    AttributeSensitive = CKR_ATTRIBUTE_SENSITIVE,
    /// Objects of this kind have no such attribute.
    AttributeTypeInvalid = CKR_ATTRIBUTE_TYPE_INVALID,
    /// An attribute of a template has a value that it cannot have here, or points nowhere.
    AttributeValueInvalid = CKR_ATTRIBUTE_VALUE_INVALID,
    /// The length that is needed was given back; the operation goes on.
    BufferTooSmall = CKR_BUFFER_TOO_SMALL,
    /// The application wants its own mutexes and does not allow those of the system.
    CantLock = CKR_CANT_LOCK,
    /// C_Initialize came twice.
    AlreadyInitialized = CKR_CRYPTOKI_ALREADY_INITIALIZED,
    /// C_Initialize was not called, or it was called by the parent of this process.
    NotInitialized = CKR_CRYPTOKI_NOT_INITIALIZED,
    /// The chip knows P-256 only.
    CurveNotSupported = CKR_CURVE_NOT_SUPPORTED,
    /// The mechanism does not take data of this length.
    DataLenRange = CKR_DATA_LEN_RANGE,
    /// The store has no room for more.
    DeviceMemory = CKR_DEVICE_MEMORY,
    /// The chip, or the way to it, failed.
    Device = CKR_DEVICE_ERROR,
    /// The token of the session is gone; a new session finds it if it comes back.
    DeviceRemoved = CKR_DEVICE_REMOVED,
    /// What is to be decrypted was not encrypted so, or was changed since.
    EncryptedDataInvalid = CKR_ENCRYPTED_DATA_INVALID,
    /// The mechanism does not decrypt data of this length.
    EncryptedDataLenRange = CKR_ENCRYPTED_DATA_LEN_RANGE,
    /// The device that holds the chip waited for a touch, in vain.
    FunctionCanceled = CKR_FUNCTION_CANCELED,
    /// The store cannot be used; the log says why.
    FunctionFailed = CKR_FUNCTION_FAILED,
    /// No function runs in parallel with the application any more (section 5.16).
    FunctionNotParallel = CKR_FUNCTION_NOT_PARALLEL,
    /// This module does not have the function.
    FunctionNotSupported = CKR_FUNCTION_NOT_SUPPORTED,
    /// The device that holds the chip said no: its policy, or who was asked there.
    FunctionRejected = CKR_FUNCTION_REJECTED,
    /// A fault of this module: a panic that the fence caught.
    General = CKR_GENERAL_ERROR,
    /// There is not enough memory.
    HostMemory = CKR_HOST_MEMORY,
    /// The key exists and is not for this.
    KeyFunctionNotPermitted = CKR_KEY_FUNCTION_NOT_PERMITTED,
    /// No key has this handle.
    KeyHandleInvalid = CKR_KEY_HANDLE_INVALID,
    /// The value of the key cannot be hashed.
    KeyIndigestible = CKR_KEY_INDIGESTIBLE,
    /// A key of this length cannot be made.
    KeySizeRange = CKR_KEY_SIZE_RANGE,
    /// The mechanism works with keys of another type.
    KeyTypeInconsistent = CKR_KEY_TYPE_INCONSISTENT,
    /// The mechanism is not one of the token's, or not one for this function.
    MechanismInvalid = CKR_MECHANISM_INVALID,
    /// The mechanism takes no parameter, or another.
    MechanismParamInvalid = CKR_MECHANISM_PARAM_INVALID,
    /// No slot has an event.
    NoEvent = CKR_NO_EVENT,
    /// No object has this handle.
    ObjectHandleInvalid = CKR_OBJECT_HANDLE_INVALID,
    /// The session has an operation of this kind already.
    OperationActive = CKR_OPERATION_ACTIVE,
    /// The session has no operation of this kind.
    OperationNotInitialized = CKR_OPERATION_NOT_INITIALIZED,
    /// The PIN is wrong.
    PinIncorrect = CKR_PIN_INCORRECT,
    /// Too many wrong PINs were tried.
    PinLocked = CKR_PIN_LOCKED,
    /// The chip's generator seeds itself.
    RandomSeedNotSupported = CKR_RANDOM_SEED_NOT_SUPPORTED,
    /// No session has this handle.
    SessionHandleInvalid = CKR_SESSION_HANDLE_INVALID,
    /// C_OpenSession came without CKF_SERIAL_SESSION.
    SessionParallelNotSupported = CKR_SESSION_PARALLEL_NOT_SUPPORTED,
    /// What belongs to the token is changed in read-write sessions only.
    SessionReadOnly = CKR_SESSION_READ_ONLY,
    /// The signature was not made over this data with this key.
    SignatureInvalid = CKR_SIGNATURE_INVALID,
    /// No signature of the mechanism has this length.
    SignatureLenRange = CKR_SIGNATURE_LEN_RANGE,
    /// No slot has this number.
    SlotIdInvalid = CKR_SLOT_ID_INVALID,
    /// A template lacks an attribute that the object needs.
    TemplateIncomplete = CKR_TEMPLATE_INCOMPLETE,
    /// The attributes of a template contradict each other.
    TemplateInconsistent = CKR_TEMPLATE_INCONSISTENT,
    /// There is no way to a chip.
    TokenNotPresent = CKR_TOKEN_NOT_PRESENT,
    /// No object can be added to the token.
    TokenWriteProtected = CKR_TOKEN_WRITE_PROTECTED,
    /// There is a user logged in.
    UserAlreadyLoggedIn = CKR_USER_ALREADY_LOGGED_IN,
    /// There is no user logged in.
    UserNotLoggedIn = CKR_USER_NOT_LOGGED_IN,
    /// The token does not know this type of user.
    UserTypeInvalid = CKR_USER_TYPE_INVALID,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_has_a_return_value_of_its_own_and_none_is_ok() {
        for (index, error) in Error::ALL.iter().enumerate() {
            assert_ne!(error.rv(), CKR_OK, "{error:?}");
            assert!(Error::ALL[..index].iter().all(|other| other.rv() != error.rv()), "{error:?}");
        }
    }
}
