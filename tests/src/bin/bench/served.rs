//! Our driver in real time, as a token: with its lock, its caches, and its check of each signature.

use std::{path::Path, time::Instant};

use atecc::{
    Device, Signature, Slot,
    i2c::{I2cTransport, TRUST_AND_GO_ADDRESS},
};
use atecc_emulator::{Clock, Meter, socket::SocketBus};
use atecc_token::{DeviceSpec, Token};

use crate::{
    Result, Side,
    cost::Cost,
    scenario::{DIGEST, Inputs, Scenario},
};

/// A token on a served bus.
pub(crate) struct Served {
    spec: DeviceSpec,
    token: Token,
    /// A token has no signature without Random.
    bare: Device<I2cTransport<SocketBus, Clock>>,
    meter: Meter,
    inputs: Inputs,
}

impl Served {
    /// On the bus behind `socket`, which `meter` counts.
    pub(crate) fn new(socket: &Path, meter: Meter) -> Result<Self> {
        let spec: DeviceSpec = format!("emulator:unix:{}", socket.display()).parse()?;
        let token = Token::open_uncached(&spec)?;
        let bus = SocketBus::connect(socket)?;
        let bare = Device::new(I2cTransport::new(bus, Clock::real(), TRUST_AND_GO_ADDRESS));
        let public_key = token.public_key(Slot::PRIMARY_KEY)?;
        let signature = token.sign(Slot::PRIMARY_KEY, &DIGEST)?;
        Ok(Self { spec, token, bare, meter, inputs: Inputs { public_key, signature } })
    }

    /// What can be verified on this chip.
    pub(crate) const fn inputs(&self) -> Inputs {
        self.inputs
    }

    fn run(&mut self, scenario: Scenario) -> Result<()> {
        let slot = Slot::PRIMARY_KEY;
        match scenario {
            Scenario::Open => {
                self.token = Token::open_uncached(&self.spec)?;
                self.token.configuration()?;
            }
            Scenario::PublicKey | Scenario::PublicKeyAgain => {
                self.token.public_key(slot)?;
            }
            Scenario::FirstSignature | Scenario::Signature => {
                self.token.sign(slot, &DIGEST)?;
            }
            Scenario::SignatureWithoutRandom => {
                let _: Signature = self.bare.sign_with_stale_random_seed(slot, &DIGEST)?;
            }
            Scenario::Certificates | Scenario::CertificatesAgain => {
                self.token.certificates()?;
            }
            Scenario::Random => self.token.random(&mut [0; 32])?,
            Scenario::Verify => {
                let Inputs { public_key, signature } = &self.inputs;
                if !self.token.verify(public_key, &DIGEST, signature)? {
                    return Err("the chip does not verify a good signature".into());
                }
            }
            Scenario::FirstProcess | Scenario::NextProcess => {}
        }
        Ok(())
    }
}

impl Side for Served {
    const NAME: &'static str = "ours, real time";

    fn measure(&mut self, scenario: Scenario) -> Result<Option<Cost>> {
        // Those are the module's.
        if matches!(scenario, Scenario::FirstProcess | Scenario::NextProcess) {
            return Ok(None);
        }
        let before = self.meter.figures();
        let start = Instant::now();
        self.run(scenario)?;
        let wall = start.elapsed();
        Ok(Some(Cost::between(&before, &self.meter.figures(), wall)))
    }
}
