//! Results of ECDH and KDF under the IO protection key (section 5.3.4.4).

use zeroize::Zeroizing;

use super::{sha256, xor};
use crate::{ResponseError, Secret, Status, packet::Response};

/// `N` bytes, 32 or 64, encrypted by the chip under the IO protection key and a nonce of its own.
#[derive(Clone, Copy, Debug)]
pub struct Protected<const N: usize> {
    data: [u8; N],
    nonce: [u8; 32],
}

impl<const N: usize> Protected<N> {
    /// The result with its nonce, as ECDH and KDF answer it.
    pub(crate) fn from_response(response: &Response) -> Result<Self, ResponseError> {
        let length = ResponseError::Length { expected: N + 32, received: response.data().len() };
        if let Some(status) = response.status() {
            return Err(if status == Status::Success { length } else { ResponseError::Status(status) });
        }
        let (data, nonce) = response.data().split_at_checked(N).ok_or(length)?;
        match (data.try_into(), nonce.try_into()) {
            (Ok(data), Ok(nonce)) => Ok(Self { data, nonce }),
            _ => Err(length),
        }
    }

    /// The result in clear text. With a wrong key it is another value; only its use shows that.
    ///
    /// Each 32 bytes are XORed with the SHA-256 of the key and the next 16 bytes of the nonce.
    pub fn open(&self, io_protection_key: &Secret<32>) -> Secret<N> {
        let (first, second) = self.nonce.split_at(16);
        // The result crossed the bus in the open, so the stream is as secret as the result.
        let first = Zeroizing::new(sha256(&[io_protection_key.as_bytes(), first]));
        let second = Zeroizing::new(sha256(&[io_protection_key.as_bytes(), second]));
        let mut stream = Zeroizing::new([0; 64]);
        for (stream, byte) in stream.iter_mut().zip(first.iter().chain(second.iter())) {
            *stream = *byte;
        }
        Secret::from_bytes(xor(&self.data, &*stream))
    }
}
