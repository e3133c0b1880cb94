//! Names as they are typed.

use std::{net::IpAddr, str::FromStr};

use atecc::request::{AlternativeName, Attribute};

/// A distinguished name: `CN=pump-7,O=Example`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subject(Vec<(Kind, String)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    CommonName,
    Organization,
    OrganizationalUnit,
    Country,
    Locality,
    StateOrProvince,
    SerialNumber,
}

impl Subject {
    /// In the order in which they were typed.
    pub(super) fn attributes(&self) -> impl Iterator<Item = Attribute<'_>> {
        self.0.iter().map(|(kind, value)| match kind {
            Kind::CommonName => Attribute::CommonName(value),
            Kind::Organization => Attribute::Organization(value),
            Kind::OrganizationalUnit => Attribute::OrganizationalUnit(value),
            Kind::Country => Attribute::Country(value),
            Kind::Locality => Attribute::Locality(value),
            Kind::StateOrProvince => Attribute::State(value),
            Kind::SerialNumber => Attribute::SerialNumber(value),
        })
    }
}

impl FromStr for Subject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let attributes: Result<Vec<_>, String> = split(text)?.iter().map(|part| attribute(part)).collect();
        attributes.map(Self)
    }
}

fn attribute(part: &str) -> Result<(Kind, String), String> {
    let (name, value) =
        part.split_once('=').ok_or_else(|| format!("\"{part}\" has no =; write it as CN=pump-7"))?;
    let kind = match name.trim().to_ascii_lowercase().as_str() {
        "cn" => Kind::CommonName,
        "o" => Kind::Organization,
        "ou" => Kind::OrganizationalUnit,
        "c" => Kind::Country,
        "l" => Kind::Locality,
        "st" => Kind::StateOrProvince,
        "serialnumber" => Kind::SerialNumber,
        _ => return Err(format!("\"{name}\" is none of CN, O, OU, C, L, ST and serialNumber")),
    };
    Ok((kind, value.trim().into()))
}

/// The parts between commas; a backslash takes the next character as it is.
fn split(text: &str) -> Result<Vec<String>, String> {
    let mut parts = vec![String::new()];
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (letter, parts.last_mut()) {
            (',', _) => parts.push(String::new()),
            ('\\', Some(part)) => part.push(letters.next().ok_or("it ends with a backslash")?),
            (letter, Some(part)) => part.push(letter),
            (_, None) => {}
        }
    }
    Ok(parts)
}

/// An alternative name: `dns:pump-7.example.com`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum San {
    Dns(String),
    Ip(IpAddr),
    Uri(String),
    Email(String),
}

impl San {
    pub(super) fn name(&self) -> AlternativeName<'_> {
        match self {
            Self::Dns(name) => AlternativeName::Dns(name),
            Self::Ip(address) => AlternativeName::Ip(*address),
            Self::Uri(uri) => AlternativeName::Uri(uri),
            Self::Email(mailbox) => AlternativeName::Email(mailbox),
        }
    }
}

impl FromStr for San {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("dns", name)) => Ok(Self::Dns(name.into())),
            Some(("ip", address)) => {
                address.parse().map(Self::Ip).map_err(|_| format!("\"{address}\" is no IP address"))
            }
            Some(("uri", uri)) => Ok(Self::Uri(uri.into())),
            Some(("email", mailbox)) => Ok(Self::Email(mailbox.into())),
            _ => Err("it begins with none of dns:, ip:, uri: and email:".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_may_stand_in_a_value() {
        let subject: Subject = r"CN=pump-7, O=Pumps\, Pipes,C=DE".parse().unwrap();
        let attributes: Vec<_> = subject.attributes().collect();
        assert_eq!(
            attributes,
            [
                Attribute::CommonName("pump-7"),
                Attribute::Organization("Pumps, Pipes"),
                Attribute::Country("DE")
            ]
        );
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in ["", "pump-7", "CN=a,", "XX=1", "CN=a\\"] {
            assert!(text.parse::<Subject>().is_err(), "{text}");
        }
        for text in ["", "pump-7", "ip:pump", "mail:a@b"] {
            assert!(text.parse::<San>().is_err(), "{text}");
        }
    }
}
