//! i2c-tiny-usb, the adapter whose driver every kernel of Debian has: drivers/i2c/busses/i2c-tiny-usb.c says what it
//! answers.

use atecc_emulator::Bus;
use embedded_hal::i2c::{I2c, Operation};

use super::usbip::{Device, Setup};

/// By which the kernel finds the driver.
const VENDOR: u16 = 0x0403;
const PRODUCT: u16 = 0xc631;
/// Product, the one string that it has.
const NAME: &str = "i2c-tiny-usb with an EMULATED ATECC608";

/// Standard requests, and the classes of bmRequestType: USB 2.0, section 9.4.
const GET_STATUS: u8 = 0;
const SET_ADDRESS: u8 = 5;
const GET_DESCRIPTOR: u8 = 6;
const GET_CONFIGURATION: u8 = 8;
const SET_CONFIGURATION: u8 = 9;
const SET_INTERFACE: u8 = 11;
const TYPE: u8 = 0x60;
const STANDARD: u8 = 0x00;
const VENDOR_TYPE: u8 = 0x40;

/// The adapter's own requests.
const GET_FUNCTIONS: u8 = 1;
const SET_DELAY: u8 = 2;
const GET_TRANSFER: u8 = 3;
/// A message on the bus; the two lowest bits mark the first and the last of a transfer.
const TRANSFER: std::ops::RangeInclusive<u8> = 4..=7;
/// The flag of a message that is read: I2C_M_RD.
const READ: u16 = 1;
/// I2C_FUNC_I2C | I2C_FUNC_SMBUS_EMUL, what the adapter says it can.
const FUNCTIONS: u32 = 0x0eff_0001;
/// What became of the last message.
const IDLE: u8 = 0;
const ACKNOWLEDGED: u8 = 1;
const NOT_ACKNOWLEDGED: u8 = 2;

/// The adapter, and the bus behind it.
pub(crate) struct Adapter {
    bus: Bus,
    status: u8,
}

impl Adapter {
    pub(crate) fn new(bus: Bus) -> Self {
        Self { bus, status: IDLE }
    }

    fn standard(setup: Setup) -> Option<Vec<u8>> {
        match setup.request {
            GET_STATUS => Some(vec![0, 0]),
            GET_DESCRIPTOR => descriptor(setup.value),
            GET_CONFIGURATION => Some(vec![1]),
            SET_ADDRESS | SET_CONFIGURATION | SET_INTERFACE => Some(Vec::new()),
            _ => None,
        }
    }

    fn vendor(&mut self, setup: Setup, data: &[u8]) -> Option<Vec<u8>> {
        match setup.request {
            GET_FUNCTIONS => Some(FUNCTIONS.to_le_bytes().to_vec()),
            SET_DELAY => Some(Vec::new()),
            GET_TRANSFER => Some(vec![self.status]),
            request if TRANSFER.contains(&request) => Some(self.message(setup, data)),
            _ => None,
        }
    }

    /// One message on the bus. Address 0, the general call, is one like any other.
    fn message(&mut self, setup: Setup, data: &[u8]) -> Vec<u8> {
        let mut buffer = vec![0; if setup.value & READ == 0 { 0 } else { usize::from(setup.length) }];
        let operation =
            if setup.value & READ == 0 { Operation::Write(data) } else { Operation::Read(&mut buffer) };
        let address = u8::try_from(setup.index).ok().filter(|address| *address < 0x80);
        let done = address.is_some_and(|address| self.bus.transaction(address, &mut [operation]).is_ok());
        self.status = if done { ACKNOWLEDGED } else { NOT_ACKNOWLEDGED };
        buffer
    }
}

impl Device for Adapter {
    fn control(&mut self, setup: Setup, data: &[u8]) -> Option<Vec<u8>> {
        match setup.kind & TYPE {
            STANDARD => Self::standard(setup),
            VENDOR_TYPE => self.vendor(setup, data),
            _ => None,
        }
    }
}

/// USB 2.0, section 9.6: device, configuration with one interface and no endpoint but 0, strings.
fn descriptor(value: u16) -> Option<Vec<u8>> {
    let [index, kind] = value.to_le_bytes();
    let ([vendor_low, vendor_high], [product_low, product_high]) =
        (VENDOR.to_le_bytes(), PRODUCT.to_le_bytes());
    match (kind, index) {
        // USB 1.1, a class of its own, 8 bytes at a time, product string 2, one configuration.
        (1, _) => Some(vec![
            18,
            1,
            0x10,
            0x01,
            0xff,
            0,
            0,
            8,
            vendor_low,
            vendor_high,
            product_low,
            product_high,
            0,
            1,
            0,
            2,
            0,
            1,
        ]),
        // 18 bytes in all, powered by the bus with 100 mA.
        (2, _) => Some(vec![9, 2, 18, 0, 1, 1, 0, 0x80, 50, 9, 4, 0, 0, 0, 0xff, 0, 0, 0]),
        // English (United States).
        (3, 0) => Some(vec![4, 3, 0x09, 0x04]),
        (3, 2) => {
            let text: Vec<u8> = NAME.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let mut bytes = vec![u8::try_from(text.len() + 2).ok()?, 3];
            bytes.extend(text);
            Some(bytes)
        }
        _ => None,
    }
}
