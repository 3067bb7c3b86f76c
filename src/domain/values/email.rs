//! E-mail addresses: what is one mailbox, what it is compared by, and what the mailer is told.

use std::fmt;
use std::str::FromStr;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use serde_with::DeserializeFromStr;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

use super::{BadValue, Value};

/// The `format` of its schema.
pub const FORMAT: &str = "idn-email";
/// Characters of an address; bytes of one as the mailer is told (RFC 5321, 4.5.3.1.3).
const MOST: usize = 254;
/// Bytes of a local part (RFC 5321, 4.5.3.1.1).
const MOST_LOCAL: usize = 64;

/// One mailbox as RFC 5321 (4.1.2) has it, its dot-string form alone: no display name, comment, quoted local part or address literal. Blanks
/// around are dropped. The domain may be typed in Unicode (RFC 5891).
#[derive(Debug, Clone, PartialEq, Eq, DeserializeFromStr)]
pub struct Email {
    local: String,
    domain: String,
    /// The domain as the name servers know it: lower case, A-labels.
    a_label: String,
}

impl Email {
    /// What it is compared by: lower case, the domain in A-labels.
    pub fn key(&self) -> String {
        format!("{}@{}", self.local.to_ascii_lowercase(), self.a_label)
    }

    /// What a mail server is told: the local part as typed, the domain in A-labels.
    pub fn deliverable(&self) -> String {
        format!("{}@{}", self.local, self.a_label)
    }
}

/// What an address is compared by that was read before; of a text that is none, its lower case.
pub fn email_key(stored: &str) -> String {
    match stored.parse::<Email>() {
        Ok(email) => email.key(),
        Err(_) => stored.trim().to_lowercase(),
    }
}

impl Value for Email {
    const WRITTEN: &'static str = "name@example.com";
}

impl FromStr for Email {
    type Err = BadValue;

    fn from_str(typed: &str) -> Result<Self, BadValue> {
        read(typed).ok_or(BadValue(Self::WRITTEN))
    }
}

fn read(typed: &str) -> Option<Email> {
    let (local, domain) = typed.trim().split_once('@')?;
    let email = Email {
        local: local.to_owned(),
        domain: domain.to_owned(),
        a_label: a_label(domain)?,
    };
    let fits = typed.chars().count() <= MOST
        && local.len() <= MOST_LOCAL
        && email.deliverable().len() <= MOST;
    (fits && is_dot_string(local)).then_some(email)
}

/// RFC 5321 (4.1.2): `Dot-string`, made of the `atext` of RFC 5322.
fn is_dot_string(local: &str) -> bool {
    let is_atext =
        |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    local
        .split('.')
        .all(|atom| !atom.is_empty() && atom.bytes().all(is_atext))
}

/// A domain in A-labels. No top-level domain is a number: that would be an address without its brackets.
fn a_label(domain: &str) -> Option<String> {
    if domain.chars().any(is_unseen) {
        return None;
    }
    let ascii = Uts46::new().to_ascii(
        domain.as_bytes(),
        AsciiDenyList::STD3,
        Hyphens::CheckFirstLast,
        DnsLength::Verify,
    );
    let ascii = ascii.ok()?.into_owned();
    let top = ascii.rsplit('.').next().unwrap_or_default();
    (!top.bytes().all(|byte| byte.is_ascii_digit())).then_some(ascii)
}

/// What the mapping to A-labels drops, and nobody sees: two addresses would look the same and read differently.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

/// As it was typed, without the blanks around it.
impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

impl PartialSchema for Email {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom(FORMAT.to_owned())))
            .max_length(Some(MOST))
            .description(Some(
                "One mailbox: no display name, comment, quoted local part or address literal. The domain may be typed in Unicode.",
            ))
            .into()
    }
}

impl ToSchema for Email {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(typed: &str) -> Email {
        typed.parse().unwrap_or_else(|_| panic!("{typed}"))
    }

    #[test]
    fn one_mailbox_is_read_and_nothing_around_it() {
        for typed in [
            "asta@nordlys.example",
            "a.b+c@sub.nordlys.example",
            "o'neill@x.dk",
            "!#$%&'*+-/=?^_`{|}~@x.dk",
            "a@localhost",
            "post@blåbær.dk",
            "post@xn--blbr-roah.dk",
            "a@r3---sn.example",
            "A@X.DK",
            "a@例え.jp",
            "1@2.dk",
        ] {
            assert_eq!(read(typed).to_string(), typed);
        }
        let long = format!("{}@x.dk", "a".repeat(65));
        let longer = format!("a@{}.dk", ["b".repeat(60).as_str(); 5].join("."));
        for typed in [
            "A0 <asta@nordlys.example>",
            "<asta@nordlys.example>",
            "Asta <asta@nordlys.example>",
            "asta@nordlys.example (Asta)",
            "(x)asta@nordlys.example",
            "\"asta holm\"@nordlys.example",
            "\"asta\"@nordlys.example",
            "asta@[127.0.0.1]",
            "asta@[IPv6:::1]",
            "asta@127.0.0.1",
            "a@b@c.dk",
            "a..b@c.dk",
            ".a@c.dk",
            "a.@c.dk",
            "@c.dk",
            "a@",
            "a",
            "",
            "a@c..dk",
            "a@.dk",
            "a@c.dk.",
            "a@-c.dk",
            "a@c-.dk",
            "a@c_d.dk",
            "a b@c.dk",
            "a@c .dk",
            "å@c.dk",
            "a@c.dk,b@c.dk",
            "a@c.dk;b@c.dk",
            "a@c.dk\nBcc: b@c.dk",
            "mailto:a@c.dk?x=@",
            "a\u{0}@c.dk",
            "a@c\u{200b}d.dk",
            "a@c\u{202e}d.dk",
            "a@xn--a.dk",
            &long,
            &longer,
        ] {
            assert_eq!(
                typed.parse::<Email>(),
                Err(BadValue("name@example.com")),
                "{typed}"
            );
        }
    }

    #[test]
    fn a_mailbox_is_the_same_however_its_domain_is_typed() {
        let key = "post@xn--blbr-roah.dk";
        for typed in [
            "post@blåbær.dk",
            "POST@BLÅBÆR.DK",
            " post@xn--blbr-roah.dk ",
            "Post@XN--BLBR-ROAH.dk",
            "post@bla\u{30a}bær。dk",
        ] {
            assert_eq!(read(typed).key(), key, "{typed}");
            assert_eq!(email_key(typed), key, "{typed}");
        }
        assert_eq!(
            read("Post@blåbær.dk").deliverable(),
            "Post@xn--blbr-roah.dk"
        );
        assert_eq!(email_key(" Asta@Nordlys.Example "), "asta@nordlys.example");
        assert_eq!(email_key("A0 <Asta@x.dk>"), "a0 <asta@x.dk>");
    }

    const TYPED: &str = "[a-zA-Z.+'-]{1,8}@[a-zåæøß0-9.-]{1,12}\\.[a-z]{2,3}|\\PC{0,6}@\\PC{0,12}| ?[a-z@.\" <>()]{1,16} ?";

    proptest! {
        #[test]
        fn what_is_read_reads_as_itself_and_has_one_key(typed in TYPED) {
            if let Ok(email) = typed.parse::<Email>() {
                let again = read(&email.to_string());
                prop_assert_eq!(&again, &email);
                let key = email.key();
                prop_assert_eq!(read(&key).key(), key.clone());
                prop_assert_eq!(read(&email.deliverable()).key(), key.clone());
                prop_assert!(key.is_ascii() && email.deliverable().is_ascii());
            }
        }
    }
}
