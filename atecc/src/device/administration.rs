//! The state of the chip, and what fixes it for ever.

use crate::{
    Configuration, Device, Error, Slot, Transport,
    command::{
        CounterIncrement, CounterRead, DeviceState, ExtraByte, InfoLatch, InfoState, LockConfiguration,
        LockData, LockSlot, SelfTest, SelfTests, UpdateExtra,
    },
    irreversible::{
        IncrementsCounter, Irreversible, LocksConfigurationZone, LocksDataZone, LocksSlot, SetsByteForEver,
    },
    zone::CounterId,
};

impl<T: Transport> Device<T> {
    /// The flags of the volatile memory. Since each transaction begins with a fresh chip, they tell of a chip
    /// that has just woken, unless InfoState runs behind other commands (see [`run`](Self::run)).
    ///
    /// # Errors
    /// When the chip cannot be reached or refuses.
    pub fn info_state(&mut self) -> Result<DeviceState, Error<T::Error>> {
        self.run(&(InfoState,)).map(|(state,)| state)
    }

    /// Whether the persistent latch is set.
    ///
    /// # Errors
    /// When the chip cannot be reached or has no latch enabled.
    pub fn is_latch_set(&mut self) -> Result<bool, Error<T::Error>> {
        self.run(&(InfoLatch,)).map(|(set,)| set)
    }

    /// Runs self tests and gives those that failed. Takes up to a quarter of a second at M0. A failure lasts
    /// until the chip sleeps, which it does at the end of this call.
    ///
    /// # Errors
    /// When the chip cannot be reached or refuses.
    pub fn self_test(&mut self, tests: SelfTests) -> Result<SelfTests, Error<T::Error>> {
        self.run(&(SelfTest { tests },)).map(|(failed,)| failed)
    }

    /// The value of a monotonic counter, 0 to 2,097,151.
    ///
    /// # Errors
    /// When the chip cannot be reached or refuses.
    pub fn counter(&mut self, counter: CounterId) -> Result<u32, Error<T::Error>> {
        self.run(&(CounterRead { counter },)).map(|(value,)| value)
    }

    /// Moves a monotonic counter on by one and gives its new value.
    ///
    /// # Errors
    /// When the chip cannot be reached, or the counter is at its end. After a lost answer it may have moved
    /// nevertheless: read it.
    pub fn increment_counter(
        &mut self,
        counter: CounterId,
        consent: Irreversible<IncrementsCounter>,
    ) -> Result<u32, Error<T::Error>> {
        self.run(&(CounterIncrement { counter, consent },)).map(|(value,)| value)
    }

    /// Locks the configuration zone, provided that it is exactly `expected`: the chip compares a CRC-16.
    ///
    /// # Errors
    /// When the chip cannot be reached, the zone is another, or it is locked already.
    pub fn lock_configuration(
        &mut self,
        expected: &Configuration,
        consent: Irreversible<LocksConfigurationZone>,
    ) -> Result<(), Error<T::Error>> {
        self.run(&(LockConfiguration { summary: expected.summary(), consent },)).map(|_| ())
    }

    /// Locks the data and OTP zones; with `summary`, the CRC-16 of all slots and the OTP zone, only if they
    /// have it.
    ///
    /// # Errors
    /// When the chip cannot be reached, the summary is another, or the zones are locked already.
    pub fn lock_data(
        &mut self,
        summary: Option<u16>,
        consent: Irreversible<LocksDataZone>,
    ) -> Result<(), Error<T::Error>> {
        self.run(&(LockData { summary, consent },)).map(|_| ())
    }

    /// Locks `slot` with what is in it.
    ///
    /// # Errors
    /// When the chip cannot be reached, or the slot is not lockable or locked already.
    pub fn lock_slot(&mut self, slot: Slot, consent: Irreversible<LocksSlot>) -> Result<(), Error<T::Error>> {
        self.run(&(LockSlot { slot, consent },)).map(|_| ())
    }

    /// Sets UserExtra or UserExtraAdd, which may be the I2C address from the next wake on.
    ///
    /// # Errors
    /// When the chip cannot be reached, or the byte was set before.
    pub fn update_extra(
        &mut self,
        byte: ExtraByte,
        value: u8,
        consent: Irreversible<SetsByteForEver>,
    ) -> Result<(), Error<T::Error>> {
        self.run(&(UpdateExtra { byte, value, consent },)).map(|_| ())
    }
}
