//! A secret that the host shares with the chip, in a file.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::Path,
};

use atecc::Secret;
use zeroize::Zeroizing;

/// Digits of a secret.
const DIGITS: usize = 64;

/// As much of the file as is looked at.
const MAX_FILE: usize = 256;

/// Reads 64 hexadecimal digits; white space behind them does not matter.
pub(super) fn read(path: &Path) -> io::Result<Secret<32>> {
    let file = File::open(path)?;
    if file.metadata()?.mode() & 0o077 != 0 {
        let message = "others may read it or write to it; give it the mode 0600";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
    }
    // As much as is read fits, so that no copy is left behind when the room grows.
    let mut text = Zeroizing::new(Vec::with_capacity(MAX_FILE + 1));
    file.take(MAX_FILE as u64).read_to_end(&mut text)?;
    parse(text.trim_ascii_end()).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, "it does not hold 64 hexadecimal digits and nothing else")
    })
}

fn parse(text: &[u8]) -> Option<Secret<32>> {
    let digits: &[u8; DIGITS] = text.try_into().ok()?;
    let mut bytes = Zeroizing::new([0; DIGITS / 2]);
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(Secret::from_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, Permissions},
        os::unix::fs::PermissionsExt,
    };

    use super::*;

    const TEXT: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";

    fn read_with(text: &str, mode: u32) -> io::Result<Secret<32>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        read(&path)
    }

    #[test]
    fn a_secret_is_64_digits() {
        let bytes: Vec<u8> = (0..32).collect();
        for text in [TEXT.to_owned(), format!("{TEXT}\n"), format!("{TEXT}\r\n")] {
            assert_eq!(read_with(&text, 0o600).unwrap().as_bytes()[..], bytes);
        }
        for text in
            ["", &TEXT[1..], &format!("{TEXT}0"), &format!("{TEXT}\n\n\n0"), &TEXT.replace("1A", "1x")]
        {
            assert_eq!(read_with(text, 0o600).unwrap_err().kind(), io::ErrorKind::InvalidData, "{text}");
        }
    }

    #[test]
    fn what_others_may_read_is_no_secret() {
        for mode in [0o640, 0o604, 0o620] {
            assert_eq!(read_with(TEXT, mode).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        }
        assert!(read_with(TEXT, 0o400).is_ok());
    }
}
