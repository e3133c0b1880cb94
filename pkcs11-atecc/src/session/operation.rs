//! An operation of a session, from its Init function to its end.

use crate::{error::Error, output::Answer};

/// At most one operation of a kind.
#[derive(Debug)]
pub(super) struct Operation<T>(Option<T>);

impl<T> Operation<T> {
    /// Begins the operation that `make` describes, if none is active.
    pub(super) fn begin(&mut self, make: impl FnOnce() -> Result<T, Error>) -> Result<(), Error> {
        if self.0.is_some() {
            return Err(Error::OperationActive);
        }
        self.0 = Some(make()?);
        Ok(())
    }

    /// The operation, for a call that leaves it active.
    pub(super) fn active(&mut self) -> Result<&mut T, Error> {
        self.0.as_mut().ok_or(Error::OperationNotInitialized)
    }

    /// Makes a call that leaves the operation active, unless it fails.
    pub(super) fn go_on(&mut self, call: impl FnOnce(&mut T) -> Result<(), Error>) -> Result<(), Error> {
        let result = call(self.active()?);
        if result.is_err() {
            self.0 = None;
        }
        result
    }

    /// Ends the operation, if one is active, and tells whether one was.
    pub(super) fn cancel(&mut self) -> bool {
        self.0.take().is_some()
    }

    /// Ends the operation.
    pub(super) fn end(&mut self) -> Result<T, Error> {
        self.0.take().ok_or(Error::OperationNotInitialized)
    }

    /// Makes the call that ends the operation, unless its answer did not fit or only the length was wanted.
    pub(super) fn finish<A>(
        &mut self,
        call: impl FnOnce(&T) -> Result<Answer<A>, Error>,
    ) -> Result<Answer<A>, Error> {
        let operation = self.end()?;
        let answer = call(&operation)?;
        if !answer.is_final() {
            self.0 = Some(operation);
        }
        Ok(answer)
    }
}

impl<T> Default for Operation<T> {
    fn default() -> Self {
        Self(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn active() -> Operation<u8> {
        let mut operation = Operation::default();
        operation.begin(|| Ok(7)).unwrap();
        operation
    }

    #[test]
    fn one_at_a_time() {
        let mut operation = active();
        assert_eq!(operation.begin(|| Ok(8)), Err(Error::OperationActive));
        assert_eq!(operation.end(), Ok(7));
        assert_eq!(operation.end(), Err(Error::OperationNotInitialized));
        assert_eq!(operation.begin(|| Ok(8)), Ok(()));
    }

    #[test]
    fn what_cannot_begin_is_not_active() {
        let mut operation = Operation::<u8>::default();
        assert_eq!(operation.begin(|| Err(Error::MechanismInvalid)), Err(Error::MechanismInvalid));
        assert_eq!(operation.active(), Err(Error::OperationNotInitialized));
    }

    #[test]
    fn it_goes_on_until_the_whole_answer_is_out() {
        let mut operation = active();
        assert_eq!(operation.finish(|_| Ok(Answer::<()>::Length(64))), Ok(Answer::Length(64)));
        assert_eq!(operation.finish(|_| Ok(Answer::<()>::TooLong(64))), Ok(Answer::TooLong(64)));
        assert_eq!(operation.finish(|seven| Ok(Answer::Whole(*seven))), Ok(Answer::Whole(7)));
        assert_eq!(operation.finish(|_| Ok(Answer::Whole(()))), Err(Error::OperationNotInitialized));
    }

    #[test]
    fn it_goes_on_from_part_to_part_until_one_fails() {
        let mut operation = active();
        for part in 8..10 {
            operation
                .go_on(|seven| {
                    *seven = part;
                    Ok(())
                })
                .unwrap();
        }
        assert_eq!(operation.active(), Ok(&mut 9));
        assert_eq!(operation.go_on(|_| Err(Error::ArgumentsBad)), Err(Error::ArgumentsBad));
        assert_eq!(operation.go_on(|_| Ok(())), Err(Error::OperationNotInitialized));
    }

    #[test]
    fn what_is_cancelled_is_over() {
        let mut operation = active();
        assert!(operation.cancel());
        assert!(!operation.cancel());
        assert_eq!(operation.end(), Err(Error::OperationNotInitialized));
    }

    #[test]
    fn an_error_ends_it() {
        let mut operation = active();
        assert_eq!(operation.finish(|_| Err::<Answer<()>, _>(Error::Device)), Err(Error::Device));
        assert_eq!(operation.end(), Err(Error::OperationNotInitialized));
    }
}
