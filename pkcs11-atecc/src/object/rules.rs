//! What applications may say about each attribute of the objects that they make (the tables of section 4).

use cryptoki_sys::*;

use crate::{error::Error, template::Template};

/// An attribute of a class.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub(crate) attribute: CK_ATTRIBUTE_TYPE,
    /// What the store file calls it: the standard's name without CKA_, in lower case.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) change: Change,
}

/// What values it takes, and which one it has if the template has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A CK_ULONG; without a default it must be given.
    Number(Option<CK_ULONG>),
    /// A CK_BBOOL.
    Flag(bool),
    /// A CK_BBOOL that can only be CK_FALSE: nothing is private here that is not in the chip, and only a security
    /// officer would make something trusted.
    Off,
    /// Bytes; none if they are not given.
    Bytes,
    /// A string in UTF-8; empty if it is not given.
    Text,
    /// A CK_DATE has eight digits; none at all is a date as well.
    Date,
    /// The token sets it.
    ByToken,
}

/// When the value may become another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Never,
    /// In C_CopyObject, not in C_SetAttributeValue.
    InCopy,
    Freely,
    /// From CK_FALSE to CK_TRUE.
    On,
    /// From CK_TRUE to CK_FALSE.
    Off,
}

const fn rule(attribute: CK_ATTRIBUTE_TYPE, name: &'static str, kind: Kind, change: Change) -> Rule {
    Rule { attribute, name, kind, change }
}

/// Attributes of all storage objects (sections 4.2 and 4.4).
const STORAGE: &[Rule] = &[
    rule(CKA_CLASS, "class", Kind::Number(None), Change::Never),
    rule(CKA_TOKEN, "token", Kind::Flag(false), Change::InCopy),
    rule(CKA_MODIFIABLE, "modifiable", Kind::Flag(true), Change::InCopy),
    rule(CKA_COPYABLE, "copyable", Kind::Flag(true), Change::InCopy),
    rule(CKA_DESTROYABLE, "destroyable", Kind::Flag(true), Change::InCopy),
    rule(CKA_LABEL, "label", Kind::Text, Change::Freely),
    rule(CKA_UNIQUE_ID, "unique_id", Kind::ByToken, Change::Never),
];

/// Data objects (section 4.5).
const DATA: &[Rule] = &[
    rule(CKA_PRIVATE, "private", Kind::Off, Change::Freely),
    rule(CKA_APPLICATION, "application", Kind::Text, Change::Freely),
    rule(CKA_OBJECT_ID, "object_id", Kind::Bytes, Change::Freely),
    rule(CKA_VALUE, "value", Kind::Bytes, Change::Freely),
];

/// X.509 certificates (section 4.6).
const CERTIFICATE: &[Rule] = &[
    rule(CKA_PRIVATE, "private", Kind::Off, Change::Freely),
    rule(CKA_CERTIFICATE_TYPE, "certificate_type", Kind::Number(None), Change::Never),
    rule(CKA_TRUSTED, "trusted", Kind::Off, Change::Freely),
    rule(
        CKA_CERTIFICATE_CATEGORY,
        "certificate_category",
        Kind::Number(Some(CK_CERTIFICATE_CATEGORY_UNSPECIFIED)),
        Change::Never,
    ),
    rule(CKA_CHECK_VALUE, "check_value", Kind::Bytes, Change::Never),
    rule(CKA_START_DATE, "start_date", Kind::Date, Change::Never),
    rule(CKA_END_DATE, "end_date", Kind::Date, Change::Never),
    rule(CKA_PUBLIC_KEY_INFO, "public_key_info", Kind::Bytes, Change::Never),
    rule(CKA_SUBJECT, "subject", Kind::Bytes, Change::Never),
    rule(CKA_ID, "id", Kind::Bytes, Change::Freely),
    rule(CKA_ISSUER, "issuer", Kind::Bytes, Change::Freely),
    rule(CKA_SERIAL_NUMBER, "serial_number", Kind::Bytes, Change::Freely),
    rule(CKA_VALUE, "value", Kind::Bytes, Change::Never),
    rule(CKA_URL, "url", Kind::Text, Change::Never),
    rule(CKA_HASH_OF_SUBJECT_PUBLIC_KEY, "hash_of_subject_public_key", Kind::Bytes, Change::Never),
    rule(CKA_HASH_OF_ISSUER_PUBLIC_KEY, "hash_of_issuer_public_key", Kind::Bytes, Change::Never),
    rule(CKA_NAME_HASH_ALGORITHM, "name_hash_algorithm", Kind::Number(Some(CKM_SHA_1)), Change::Never),
    rule(
        CKA_JAVA_MIDP_SECURITY_DOMAIN,
        "java_midp_security_domain",
        Kind::Number(Some(CK_SECURITY_DOMAIN_UNSPECIFIED)),
        Change::Never,
    ),
];

/// What all keys have (section 4.7).
const KEY: &[Rule] = &[
    rule(CKA_KEY_TYPE, "key_type", Kind::Number(None), Change::Never),
    rule(CKA_ID, "id", Kind::Bytes, Change::Freely),
    rule(CKA_START_DATE, "start_date", Kind::Date, Change::Freely),
    rule(CKA_END_DATE, "end_date", Kind::Date, Change::Freely),
    rule(CKA_DERIVE, "derive", Kind::Flag(false), Change::Freely),
    rule(CKA_LOCAL, "local", Kind::ByToken, Change::Never),
    rule(CKA_KEY_GEN_MECHANISM, "key_gen_mechanism", Kind::ByToken, Change::Never),
    rule(CKA_ALLOWED_MECHANISMS, "allowed_mechanisms", Kind::ByToken, Change::Never),
];

/// Public keys on P-256 (section 4.8 and mechanisms, section 2.3.3). Uses that no mechanism has are kept as they come.
const PUBLIC_KEY: &[Rule] = &[
    rule(CKA_PRIVATE, "private", Kind::Off, Change::Freely),
    rule(CKA_SUBJECT, "subject", Kind::Bytes, Change::Freely),
    rule(CKA_VERIFY, "verify", Kind::Flag(true), Change::Freely),
    rule(CKA_VERIFY_RECOVER, "verify_recover", Kind::Flag(false), Change::Freely),
    rule(CKA_ENCRYPT, "encrypt", Kind::Flag(false), Change::Freely),
    rule(CKA_WRAP, "wrap", Kind::Flag(false), Change::Freely),
    rule(CKA_TRUSTED, "trusted", Kind::Off, Change::Freely),
    rule(CKA_WRAP_TEMPLATE, "wrap_template", Kind::ByToken, Change::Never),
    rule(CKA_EC_PARAMS, "ec_params", Kind::Bytes, Change::Never),
    rule(CKA_EC_POINT, "ec_point", Kind::Bytes, Change::Never),
    rule(CKA_PUBLIC_KEY_INFO, "public_key_info", Kind::Bytes, Change::Never),
];

/// Secret keys (section 4.10 and mechanisms, sections 2.8.2 and 2.20). They live in sessions only.
const SECRET_KEY: &[Rule] = &[
    rule(CKA_PRIVATE, "private", Kind::Flag(false), Change::Never),
    rule(CKA_SENSITIVE, "sensitive", Kind::Flag(false), Change::On),
    rule(CKA_EXTRACTABLE, "extractable", Kind::Flag(true), Change::Off),
    rule(CKA_ENCRYPT, "encrypt", Kind::Flag(true), Change::Freely),
    rule(CKA_DECRYPT, "decrypt", Kind::Flag(true), Change::Freely),
    rule(CKA_SIGN, "sign", Kind::Flag(true), Change::Freely),
    rule(CKA_VERIFY, "verify", Kind::Flag(true), Change::Freely),
    rule(CKA_WRAP, "wrap", Kind::Flag(false), Change::Freely),
    rule(CKA_UNWRAP, "unwrap", Kind::Flag(false), Change::Freely),
    rule(CKA_WRAP_WITH_TRUSTED, "wrap_with_trusted", Kind::Flag(false), Change::On),
    rule(CKA_TRUSTED, "trusted", Kind::Off, Change::Freely),
    rule(CKA_CHECK_VALUE, "check_value", Kind::ByToken, Change::Never),
    rule(CKA_ALWAYS_SENSITIVE, "always_sensitive", Kind::ByToken, Change::Never),
    rule(CKA_NEVER_EXTRACTABLE, "never_extractable", Kind::ByToken, Change::Never),
    rule(CKA_WRAP_TEMPLATE, "wrap_template", Kind::ByToken, Change::Never),
    rule(CKA_UNWRAP_TEMPLATE, "unwrap_template", Kind::ByToken, Change::Never),
    rule(CKA_DERIVE_TEMPLATE, "derive_template", Kind::ByToken, Change::Never),
    rule(CKA_VALUE, "value", Kind::Bytes, Change::Never),
    rule(CKA_VALUE_LEN, "value_len", Kind::Number(Some(0)), Change::Never),
];

/// The attributes of a class of objects that applications can make.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules(&'static [&'static [Rule]]);

impl Rules {
    /// Those of `class`.
    pub(crate) const fn of_class(class: CK_OBJECT_CLASS) -> Option<Self> {
        match class {
            CKO_DATA => Some(Self(&[STORAGE, DATA])),
            CKO_CERTIFICATE => Some(Self(&[STORAGE, CERTIFICATE])),
            CKO_PUBLIC_KEY => Some(Self(&[STORAGE, KEY, PUBLIC_KEY])),
            CKO_SECRET_KEY => Some(Self(&[STORAGE, KEY, SECRET_KEY])),
            _ => None,
        }
    }

    /// All of them.
    pub(crate) fn iter(self) -> impl Iterator<Item = &'static Rule> {
        self.0.iter().copied().flatten()
    }

    /// That of one attribute.
    pub(crate) fn get(self, attribute: CK_ATTRIBUTE_TYPE) -> Result<&'static Rule, Error> {
        self.iter().find(|rule| rule.attribute == attribute).ok_or(Error::AttributeTypeInvalid)
    }

    /// Checks each value of a template by itself, and that none comes twice.
    pub(crate) fn check(self, template: &Template<'_>) -> Result<(), Error> {
        no_duplicates(template)?;
        template.iter().try_for_each(|(attribute, value)| self.get(attribute)?.kind.check(value))
    }
}

impl Kind {
    /// Whether an application may give this value.
    pub(crate) fn check(self, value: &[u8]) -> Result<(), Error> {
        let right = match self {
            Self::Number(_) => value.len() == size_of::<CK_ULONG>(),
            Self::Flag(_) => matches!(value, [CK_FALSE | CK_TRUE]),
            Self::Off => matches!(value, [CK_FALSE]),
            Self::Bytes => true,
            Self::Text => std::str::from_utf8(value).is_ok(),
            Self::Date => value.is_empty() || value.len() == 8 && value.iter().all(u8::is_ascii_digit),
            Self::ByToken => return Err(Error::AttributeReadOnly),
        };
        if right { Ok(()) } else { Err(Error::AttributeValueInvalid) }
    }

    /// The value if none is given, for attributes that have one then.
    pub(crate) fn default_value(self) -> Option<Vec<u8>> {
        match self {
            Self::Number(default) => Some(default?.to_ne_bytes().to_vec()),
            Self::Flag(default) => Some(vec![CK_BBOOL::from(default)]),
            Self::Off => Some(vec![CK_FALSE]),
            Self::Bytes | Self::Text | Self::Date => Some(Vec::new()),
            Self::ByToken => None,
        }
    }
}

impl Change {
    /// Whether C_SetAttributeValue, or C_CopyObject, may put `new` in place of `old`.
    pub(crate) fn allows(self, is_copy: bool, old: &[u8], new: &[u8]) -> bool {
        match self {
            Self::Never => false,
            Self::InCopy => is_copy,
            Self::Freely => true,
            Self::On => old == new || new == [CK_TRUE],
            Self::Off => old == new || new == [CK_FALSE],
        }
    }
}

/// "CKR_TEMPLATE_INCONSISTENT" (section 4.1.1): also where both values are the same.
pub(crate) fn no_duplicates(template: &Template<'_>) -> Result<(), Error> {
    let mut seen: Vec<_> = template.iter().map(|(attribute, _)| attribute).collect();
    seen.sort_unstable();
    if seen.windows(2).any(|pair| pair[0] == pair[1]) { Err(Error::TemplateInconsistent) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_attribute_has_one_rule_and_one_name() {
        for class in [CKO_DATA, CKO_CERTIFICATE, CKO_PUBLIC_KEY, CKO_SECRET_KEY] {
            let rules: Vec<_> = Rules::of_class(class).unwrap().iter().collect();
            for (index, rule) in rules.iter().enumerate() {
                let twice = rules[..index]
                    .iter()
                    .any(|other| other.attribute == rule.attribute || other.name == rule.name);
                assert!(!twice, "{rule:?}");
            }
        }
    }

    #[test]
    fn values_fit_their_kind() {
        assert_eq!(Kind::Flag(true).check(&[2]), Err(Error::AttributeValueInvalid));
        assert_eq!(Kind::Flag(true).check(&[]), Err(Error::AttributeValueInvalid));
        assert_eq!(Kind::Off.check(&[CK_TRUE]), Err(Error::AttributeValueInvalid));
        assert_eq!(Kind::Number(None).check(&[0; 4]), Err(Error::AttributeValueInvalid));
        assert_eq!(Kind::Date.check(b"20260101"), Ok(()));
        assert_eq!(Kind::Date.check(b"2026-1-1"), Err(Error::AttributeValueInvalid));
        assert_eq!(Kind::Text.check(b"\xff"), Err(Error::AttributeValueInvalid));
        assert_eq!(Kind::ByToken.check(&[]), Err(Error::AttributeReadOnly));
    }

    #[test]
    fn flags_go_one_way_where_the_standard_says_so() {
        assert!(Change::On.allows(false, &[CK_FALSE], &[CK_TRUE]));
        assert!(!Change::On.allows(false, &[CK_TRUE], &[CK_FALSE]));
        assert!(!Change::Off.allows(true, &[CK_FALSE], &[CK_TRUE]));
        assert!(Change::InCopy.allows(true, &[CK_FALSE], &[CK_TRUE]));
        assert!(!Change::InCopy.allows(false, &[CK_FALSE], &[CK_FALSE]));
    }
}
