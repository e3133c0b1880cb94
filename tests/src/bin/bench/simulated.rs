//! Our driver in virtual time: time passes only in the chip, on the bus and in the driver's pauses, so that the
//! figures hold no noise of the machine.

use atecc::{
    Configuration, Device, PublicKey, Signature, Slot,
    command::Zone,
    i2c::{I2cTransport, TRUST_AND_GO_ADDRESS},
    profile::TngTls,
};
use atecc_emulator::{Bus, Chip, Clock, Meter, Pace, provision};

use crate::{
    Result, Side,
    cost::Cost,
    scenario::{DIGEST, Inputs, Scenario},
};

/// A driver on a bus in this process; each opening is of a new chip.
pub(crate) struct Simulated {
    device: Device<I2cTransport<Bus, Clock>>,
    meter: Meter,
    inputs: Inputs,
}

impl Simulated {
    pub(crate) fn new() -> Result<Self> {
        let (mut device, meter) = new_device()?;
        let public_key = device.public_key(Slot::PRIMARY_KEY)?;
        let signature = device.sign(Slot::PRIMARY_KEY, &DIGEST)?;
        Ok(Self { device, meter, inputs: Inputs { public_key, signature } })
    }

    /// As a token reads them; it also rebuilds them, which takes the chip nothing.
    fn certificates(&mut self) -> Result<()> {
        let (mut device, mut key, mut signer) = ([0; 72], [0; 72], [0; 72]);
        let (mut hint, mut eui48) = ([0; 32], [0; 32]);
        Ok(self.device.read(
            &[
                TngTls::DEVICE_CERTIFICATE,
                TngTls::SIGNER_PUBLIC_KEY,
                TngTls::SIGNER_CERTIFICATE,
                Zone::Otp,
                TngTls::EUI48,
            ],
            &mut [&mut device, &mut key, &mut signer, &mut hint, &mut eui48],
        )?)
    }
}

impl Side for Simulated {
    const NAME: &'static str = "ours, virtual time";

    fn measure(&mut self, scenario: Scenario) -> Result<Option<Cost>> {
        if scenario == Scenario::Open {
            (self.device, self.meter) = new_device()?;
        }
        let before = self.meter.figures();
        match scenario {
            Scenario::Open => {
                let _: Configuration = self.device.configuration()?;
            }
            Scenario::PublicKey => {
                let _: PublicKey = self.device.public_key(Slot::PRIMARY_KEY)?;
            }
            Scenario::FirstSignature | Scenario::Signature => {
                let _: Signature = self.device.sign(Slot::PRIMARY_KEY, &DIGEST)?;
            }
            Scenario::SignatureWithoutRandom => {
                let _: Signature = self.device.sign_with_stale_random_seed(Slot::PRIMARY_KEY, &DIGEST)?;
            }
            Scenario::Certificates => self.certificates()?,
            Scenario::Random => {
                let _: [u8; 32] = self.device.random()?;
            }
            Scenario::Verify => {
                let Inputs { public_key, signature } = &self.inputs;
                if !self.device.verify(public_key, &DIGEST, signature)? {
                    return Err("the chip does not verify a good signature".into());
                }
            }
            // What is kept is kept by a token, above the driver.
            Scenario::PublicKeyAgain | Scenario::CertificatesAgain => return Ok(None),
            Scenario::FirstProcess | Scenario::NextProcess => return Ok(None),
        }
        let after = self.meter.figures();
        Ok(Some(Cost::between(&before, &after, after.clock_time - before.clock_time)))
    }
}

fn new_device() -> Result<(Device<I2cTransport<Bus, Clock>>, Meter)> {
    let chip = Chip::new(provision::tng_tls()?, Pace::Typical);
    let bus = Bus::new(chip, Clock::new_virtual(), Bus::STANDARD_HERTZ);
    let (clock, meter) = (bus.clock(), bus.meter());
    Ok((Device::new(I2cTransport::new(bus, clock, TRUST_AND_GO_ADDRESS)), meter))
}
