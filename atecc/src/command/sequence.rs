//! Commands that run in one transaction, with their results.

use heapless::Vec;

use super::Command;
use crate::{
    Error, ResponseError, Responses,
    packet::{Packet, Response},
    transport::MAX_COMMANDS,
};

/// Commands in order, none of which depends on the answer to another: a tuple of up to six.
pub trait Sequence {
    /// A tuple of their results.
    type Output;

    /// Appends the packets to `packets`.
    fn packets(&self, packets: &mut Vec<Packet, MAX_COMMANDS>);

    /// The results in the chip's answers.
    ///
    /// # Errors
    /// That of the first command that was refused or got no answer.
    fn output<E>(&self, responses: &Responses) -> Result<Self::Output, Error<E>>;
}

macro_rules! sequences {
    ($(($($name:ident $index:tt),+))*) => {$(
        impl<$($name: Command),+> Sequence for ($($name,)+) {
            type Output = ($($name::Output,)+);

            fn packets(&self, packets: &mut Vec<Packet, MAX_COMMANDS>) {
                // Six at most, into room for sixteen.
                $(let _ = packets.push(self.$index.packet());)+
            }

            fn output<E>(&self, responses: &Responses) -> Result<Self::Output, Error<E>> {
                Ok(($(output(&self.$index, responses.get($index))?,)+))
            }
        }
    )*};
}

sequences! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, F 4)
    (A 0, B 1, C 2, D 3, F 4, G 5)
}

/// The result of `command` in its answer.
pub(crate) fn output<C: Command, E>(command: &C, response: Option<&Response>) -> Result<C::Output, Error<E>> {
    response
        .ok_or(ResponseError::Missing)
        .and_then(|response| command.output(response))
        .map_err(|source| Error::Response { command: C::NAME, source })
}
