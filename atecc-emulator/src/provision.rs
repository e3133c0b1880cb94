//! What the factory does before a chip is sold: keys, certificates, locks. One file for each product.

mod blank;
mod error;
mod factory;
mod replica;
mod tflx_tls;
mod tng_lora;
mod tng_tls;
mod zone;

pub use self::{
    blank::blank,
    error::ProvisionError,
    replica::replica,
    tflx_tls::tflx_tls,
    tng_lora::tng_lora,
    tng_tls::{tng_tls, tng_tls_2},
};
use crate::Eeprom;

/// The products that can be made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Personality {
    /// ATECC608A-TNGTLS, certificate template 2.
    TngTls2,
    /// ATECC608B-TNGTLS, certificate template 3.
    #[default]
    TngTls3,
    /// ATECC608B-TFLXTLS, a prototype unit.
    TflxTls,
    /// ATECC608A-TNGLORA.
    TngLora,
    /// An ATECC608A that nobody has configured.
    Blank,
}

impl Personality {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::TngTls3, Self::TngTls2, Self::TflxTls, Self::TngLora, Self::Blank];

    /// The name on the reel.
    pub const fn part(self) -> &'static str {
        match self {
            Self::TngTls2 => "ATECC608A-TNGTLS",
            Self::TngTls3 => "ATECC608B-TNGTLS",
            Self::TflxTls => "ATECC608B-TFLXTLS",
            Self::TngLora => "ATECC608A-TNGLORA",
            Self::Blank => "ATECC608A",
        }
    }

    /// A new chip of this kind.
    ///
    /// # Errors
    /// As with [`tng_tls`].
    pub fn make(self) -> Result<Eeprom, ProvisionError> {
        match self {
            Self::TngTls2 => tng_tls_2(),
            Self::TngTls3 => tng_tls(),
            Self::TflxTls => tflx_tls(),
            Self::TngLora => tng_lora(),
            Self::Blank => blank(),
        }
    }
}

#[cfg(test)]
mod tests;
