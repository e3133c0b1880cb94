//! Raw pointers: checked here once, then references, slices and places to write to.

use std::{
    ffi::CStr,
    ptr::{self, NonNull},
};

use cryptoki_sys::{CK_BYTE, CK_ULONG, CK_UTF8CHAR};

use crate::{
    error::Error,
    info::ulong,
    output::{Answer, Offer},
};

/// An argument that must be there.
///
/// # Safety
/// `start` is NULL, or valid for reads of a `T` as long as the result is used.
pub(super) unsafe fn required<'a, T>(start: *const T) -> Result<&'a T, Error> {
    check(start)?;
    // SAFETY: it is neither NULL nor misaligned, as checked, and valid, as the caller promises.
    Ok(unsafe { &*start })
}

/// An argument that may be NULL.
///
/// # Safety
/// As for [`required`].
pub(super) unsafe fn optional<'a, T>(start: *const T) -> Result<Option<&'a T>, Error> {
    if start.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller promises what `required` asks for.
    unsafe { required(start) }.map(Some)
}

/// A string that ends with NUL, or NULL for none.
///
/// # Safety
/// `start` is NULL, or valid for reads up to a NUL as long as the result is used.
pub(super) unsafe fn text<'a>(start: *const CK_UTF8CHAR) -> Option<&'a CStr> {
    if start.is_null() {
        return None;
    }
    // SAFETY: it is not NULL, as checked, and ends with a NUL, as the caller promises.
    Some(unsafe { CStr::from_ptr(start.cast()) })
}

/// `count` values to read. NULL is right for none.
///
/// # Safety
/// `start` is NULL, or valid for reads of `count` values as long as the result is used.
pub(super) unsafe fn input<'a, T>(start: *const T, count: CK_ULONG) -> Result<&'a [T], Error> {
    if count == 0 {
        return Ok(&[]);
    }
    let count = checked(start, count)?;
    // SAFETY: it is neither NULL nor misaligned, and no longer than an object can be, as checked; it is valid
    // and nobody writes to it, as the caller promises.
    Ok(unsafe { std::slice::from_raw_parts(start, count) })
}

/// `count` values to read and change.
///
/// # Safety
/// `start` is NULL, or valid for reads and writes of `count` values as long as the result is used.
pub(super) unsafe fn in_out<'a, T>(start: *mut T, count: CK_ULONG) -> Result<&'a mut [T], Error> {
    if count == 0 {
        return Ok(&mut []);
    }
    let count = checked(start, count)?;
    // SAFETY: it is neither NULL nor misaligned, and no longer than an object can be, as checked; it is valid
    // and nobody else uses it, as the caller promises.
    Ok(unsafe { std::slice::from_raw_parts_mut(start, count) })
}

/// The structure in `bytes`, if they have its length; they need not be aligned.
///
/// # Safety
/// Every bit pattern is a value of `T`.
pub(super) unsafe fn structure<T: Copy>(bytes: &[CK_BYTE]) -> Option<T> {
    // SAFETY: the bytes are as many as a `T` has, and the caller promises that they make one.
    (bytes.len() == size_of::<T>()).then(|| unsafe { ptr::read_unaligned(bytes.as_ptr().cast()) })
}

/// `count` bytes to fill. They may be uninitialized, so they are cleared first.
///
/// # Safety
/// `start` is NULL, or valid for writes of `count` bytes as long as the result is used.
pub(super) unsafe fn cleared<'a>(start: *mut CK_BYTE, count: CK_ULONG) -> Result<&'a mut [CK_BYTE], Error> {
    if count > 0 {
        let count = checked(start, count)?;
        // SAFETY: it is not NULL, as checked, and valid for writes, as the caller promises.
        unsafe { ptr::write_bytes(start, 0, count) };
    }
    // SAFETY: the bytes are initialized now, and the caller promises the rest.
    unsafe { in_out(start, count) }
}

/// A place to write to. It is no reference: what is there may be uninitialized, or overlap the input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Destination<T> {
    start: NonNull<T>,
    capacity: usize,
}

impl<T: Copy> Destination<T> {
    /// The place for one value.
    ///
    /// # Safety
    /// `start` is NULL, or valid for writes of a `T` as long as the result is used.
    pub(super) unsafe fn one(start: *mut T) -> Result<Self, Error> {
        // SAFETY: the caller promises it for one value.
        unsafe { Self::many(start, 1) }
    }

    /// The place for `capacity` values.
    ///
    /// # Safety
    /// `start` is NULL, or valid for writes of `capacity` values as long as the result is used.
    pub(super) unsafe fn many(start: *mut T, capacity: CK_ULONG) -> Result<Self, Error> {
        check(start)?;
        let start = NonNull::new(start).ok_or(Error::ArgumentsBad)?;
        Ok(Self { start, capacity: length(capacity) })
    }

    /// How many values it has room for.
    pub(super) fn capacity(self) -> usize {
        self.capacity
    }

    /// Writes one value.
    pub(super) fn set(self, value: T) -> Result<(), Error> {
        self.write(&[value])
    }

    /// Writes `values`, if there is room for all of them.
    pub(super) fn write(self, values: &[T]) -> Result<(), Error> {
        if values.len() > self.capacity {
            return Err(Error::BufferTooSmall);
        }
        // SAFETY: the source is a slice; the destination is aligned and, as whoever made `self` promised,
        // valid for writes of `capacity` values, which are not fewer. They may overlap.
        unsafe { ptr::copy(values.as_ptr(), self.start.as_ptr(), values.len()) };
        Ok(())
    }
}

/// An output of variable length, as in section 5.2: a buffer that may be NULL, and its length.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output<T> {
    buffer: Option<Destination<T>>,
    length: Destination<CK_ULONG>,
}

impl<T: Copy> Output<T> {
    /// The output that goes to `buffer`.
    ///
    /// # Safety
    /// `length` is NULL or valid for reads and writes, and `buffer` is NULL or valid for writes of as many values
    /// as `length` says, as long as the result is used.
    pub(super) unsafe fn new(buffer: *mut T, length: *mut CK_ULONG) -> Result<Self, Error> {
        // SAFETY: the caller promises that it is NULL or valid for writes.
        let place = unsafe { Destination::one(length) }?;
        if buffer.is_null() {
            // The length may be uninitialized here, and is not read.
            return Ok(Self { buffer: None, length: place });
        }
        // SAFETY: it is neither NULL nor misaligned, or `place` would be an error.
        let capacity = unsafe { length.read() };
        // SAFETY: the caller promises that this many values may be written.
        let buffer = unsafe { Destination::many(buffer, capacity) }?;
        Ok(Self { buffer: Some(buffer), length: place })
    }

    /// What the caller offers.
    pub(super) fn offer(self) -> Offer {
        self.buffer.map_or(Offer::LengthOnly, |buffer| Offer::Room(buffer.capacity()))
    }

    /// Gives the answer, and its length in every case.
    pub(super) fn deliver(self, answer: Answer<impl AsRef<[T]>>) -> Result<(), Error> {
        match answer {
            Answer::Length(length) => self.length.set(ulong(length)),
            Answer::TooLong(length) => {
                self.length.set(ulong(length))?;
                Err(Error::BufferTooSmall)
            }
            Answer::Whole(values) => {
                let values = values.as_ref();
                self.length.set(ulong(values.len()))?;
                self.buffer.map_or(Ok(()), |buffer| buffer.write(values))
            }
        }
    }
}

/// A length as C gives it.
pub(super) fn length(length: CK_ULONG) -> usize {
    length as usize
}

/// A pointer that can be used has a value and the alignment of what it points to.
fn check<T>(start: *const T) -> Result<(), Error> {
    if start.is_null() || !start.is_aligned() { Err(Error::ArgumentsBad) } else { Ok(()) }
}

/// The same for `count` values; Rust's slices have no more than `isize::MAX` bytes.
fn checked<T>(start: *const T, count: CK_ULONG) -> Result<usize, Error> {
    check(start)?;
    let count = length(count);
    match count.checked_mul(size_of::<T>()) {
        Some(bytes) if isize::try_from(bytes).is_ok() => Ok(count),
        _ => Err(Error::ArgumentsBad),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(buffer: Option<&mut [u8]>, length: &mut CK_ULONG) -> Output<u8> {
        let buffer = buffer.map_or(ptr::null_mut(), |buffer| buffer.as_mut_ptr());
        // SAFETY: the tests give a length that is not beyond the buffer.
        unsafe { Output::new(buffer, length) }.unwrap()
    }

    fn answer(output: Output<u8>, values: &[u8]) -> Result<(), Error> {
        output.deliver(output.offer().fit(values.len(), || Ok(values))?)
    }

    #[test]
    fn null_asks_for_the_length() {
        let mut length = 99;
        assert_eq!(answer(output(None, &mut length), b"abc"), Ok(()));
        assert_eq!(length, 3);
    }

    #[test]
    fn a_short_buffer_is_told_the_length_and_left_alone() {
        let mut buffer = [0; 2];
        let mut length = 2;
        assert_eq!(answer(output(Some(&mut buffer), &mut length), b"abc"), Err(Error::BufferTooSmall));
        assert_eq!((length, buffer), (3, [0; 2]));
    }

    #[test]
    fn a_longer_buffer_is_told_the_length() {
        let mut buffer = [0; 4];
        let mut length = 4;
        assert_eq!(answer(output(Some(&mut buffer), &mut length), b"abc"), Ok(()));
        assert_eq!((length, &buffer), (3, b"abc\0"));
    }

    #[test]
    fn null_and_misaligned_pointers_are_bad_arguments() {
        let words = [0 as CK_ULONG; 2];
        let odd = words.as_ptr().wrapping_byte_add(1);
        // SAFETY: NULL is allowed.
        let null = unsafe { required::<CK_ULONG>(ptr::null()) };
        // SAFETY: the word at that place is readable; it is refused for its alignment.
        let misaligned = unsafe { required(odd) };
        // SAFETY: NULL is allowed.
        let output = unsafe { Output::<u8>::new(ptr::null_mut(), ptr::null_mut()) };
        assert_eq!(null, Err(Error::ArgumentsBad));
        assert_eq!(misaligned, Err(Error::ArgumentsBad));
        assert_eq!(output.err(), Some(Error::ArgumentsBad));
    }

    #[test]
    fn no_values_need_no_pointer() {
        // SAFETY: NULL is allowed.
        let none = unsafe { input::<u8>(ptr::null(), 0) };
        // SAFETY: NULL is allowed.
        let some = unsafe { input::<u8>(ptr::null(), 1) };
        assert_eq!(none, Ok(&[][..]));
        assert_eq!(some, Err(Error::ArgumentsBad));
    }

    #[test]
    fn absurd_lengths_are_bad_arguments() {
        let value = 0 as CK_ULONG;
        // SAFETY: it is refused for its length before anything is read.
        let all_memory = unsafe { input(&value, CK_ULONG::MAX) };
        assert_eq!(all_memory, Err(Error::ArgumentsBad));
    }
}
