//! What stands between C and the rest: panics stop here and errors become return values.

use std::panic::{AssertUnwindSafe, catch_unwind};

use cryptoki_sys::{CK_RV, CKR_OK};

use crate::error::Error;

/// Defines functions of the standard.
///
/// - `fn C_Name(arguments) |module| { .. }` works with the initialized module; the body gives `Result<(), Error>`.
/// - `fn C_Name(arguments) { .. }` works without it.
/// - `fn C_Name(types) = Error::..;` has that answer, once the module is initialized.
macro_rules! cryptoki {
    () => {};
    ($(#[$doc:meta])* fn $name:ident($($argument:ident: $type:ty),*) |$module:ident| $body:block $($rest:tt)*) => {
        cryptoki! {
            $(#[$doc])*
            fn $name($($argument: $type),*) {
                let $module = &*crate::module::current()?;
                $body
            }
        }
        cryptoki! { $($rest)* }
    };
    ($(#[$doc:meta])* fn $name:ident($($argument:ident: $type:ty),*) $body:block $($rest:tt)*) => {
        $(#[$doc])*
        ///
        /// # Safety
        /// The caller follows section 5.2: each pointer is NULL or valid for the length that comes with it, and
        /// nobody else uses what it points to during the call.
        pub(super) unsafe extern "C" fn $name($($argument: $type),*) -> cryptoki_sys::CK_RV {
            $crate::abi::fence::fence(|| $body)
        }
        cryptoki! { $($rest)* }
    };
    ($(#[$doc:meta])* fn $name:ident($($type:ty),*) = $answer:expr; $($rest:tt)*) => {
        $(#[$doc])*
        pub(super) extern "C" fn $name($(_: $type),*) -> cryptoki_sys::CK_RV {
            $crate::abi::fence::fence(|| $crate::module::current().and(Err($answer)))
        }
        cryptoki! { $($rest)* }
    };
}

pub(super) use cryptoki;

/// Runs the body of a function.
pub(super) fn fence(body: impl FnOnce() -> Result<(), Error>) -> CK_RV {
    // What a panic leaves half done lies behind locks that count a poisoned state as good: each call leaves
    // the tables of the module consistent at every step.
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => CKR_OK,
        Ok(Err(error)) => error.rv(),
        Err(_) => Error::General.rv(),
    }
}

#[cfg(test)]
mod tests {
    use cryptoki_sys::*;

    use super::*;

    #[test]
    fn results_become_return_values() {
        assert_eq!(fence(|| Ok(())), CKR_OK);
        assert_eq!(fence(|| Err(Error::ArgumentsBad)), CKR_ARGUMENTS_BAD);
    }

    #[test]
    fn a_panic_is_a_general_error() {
        assert_eq!(fence(|| panic!("caught")), CKR_GENERAL_ERROR);
    }
}
