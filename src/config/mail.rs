//! How mails leave, and from whom. Over what is not this machine's loopback they leave by TLS, unless the address says `?tls=none`.

use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use reqwest::Url;
use secrecy::SecretString;

use super::environment::Reader;
use super::hosts::{is_example, is_loopback, unreachable};

const NAME: &str = "CPS_MAIL";

/// How the connection to the mail server is kept from listeners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTls {
    /// Not at all.
    None,
    /// STARTTLS before anything else; without it nothing is said.
    StartTls,
    /// TLS from the first byte.
    Implicit,
}

/// A mail server.
#[derive(Debug, Clone)]
pub struct MailServer {
    pub host: String,
    pub port: u16,
    pub tls: MailTls,
    /// A PEM file with certificates that are trusted beside the known ones: `?ca=FILE`.
    pub authorities: Option<PathBuf>,
    pub user: Option<(String, SecretString)>,
}

/// How mails leave.
#[derive(Debug, Clone)]
pub enum MailRoute {
    /// They stay in the sandbox mailbox.
    Mailbox,
    /// By SMTP.
    Smtp(MailServer),
}

/// What `CPS_MAIL` says.
pub fn route(reader: &mut Reader) -> MailRoute {
    let Some(text) = reader.text(NAME) else {
        return MailRoute::Mailbox;
    };
    match server(text) {
        Ok(server) => {
            if server.tls == MailTls::None && !is_loopback(&server.host) {
                reader.warn(
                    NAME,
                    format_args!("sends mails and credentials to {} in clear", server.host),
                );
            }
            MailRoute::Smtp(server)
        }
        Err(fault) => {
            reader.fault(NAME, fault);
            MailRoute::Mailbox
        }
    }
}

fn server(text: &str) -> Result<MailServer, &'static str> {
    const SHAPE: &str = "is not an address like smtp://user:password@host:587";
    let url = Url::parse(text).map_err(|_| SHAPE)?;
    let implicit = match url.scheme() {
        "smtp" => false,
        "smtps" => true,
        _ => return Err(SHAPE),
    };
    let host = url
        .host_str()
        .filter(|host| !host.is_empty())
        .ok_or(SHAPE)?;
    let host = decoded(host)?.to_ascii_lowercase();
    if !matches!(url.path(), "" | "/") || url.fragment().is_some() || url.port() == Some(0) {
        return Err("has a path, a fragment or a port 0");
    }
    let (tls, authorities) = parameters(&url, implicit, is_loopback(&host))?;
    let port = match tls {
        _ if url.port().is_some() => url.port().unwrap_or_default(),
        MailTls::None => 25,
        MailTls::StartTls => 587,
        MailTls::Implicit => 465,
    };
    Ok(MailServer {
        host: host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned(),
        port,
        tls,
        authorities,
        user: user(&url)?,
    })
}

fn parameters(
    url: &Url,
    implicit: bool,
    is_here: bool,
) -> Result<(MailTls, Option<PathBuf>), &'static str> {
    let (mut tls, mut authorities) = (None, None);
    for (name, value) in url.query_pairs() {
        let before = match &*name {
            "tls" => tls.replace(value.into_owned()),
            "ca" => authorities.replace(value.into_owned()),
            _ => return Err("has a parameter other than tls and ca"),
        };
        if before.is_some() {
            return Err("says tls or ca twice");
        }
    }
    let tls = match (implicit, tls.as_deref()) {
        (true, None | Some("required")) => MailTls::Implicit,
        (true, Some(_)) => return Err("says smtps:// and another tls than required"),
        (false, None) if is_here => MailTls::None,
        (false, None | Some("required")) => MailTls::StartTls,
        (false, Some("none")) => MailTls::None,
        (false, Some(_)) => return Err("has a tls that is neither required nor none"),
    };
    Ok((tls, authorities.map(PathBuf::from)))
}

fn user(url: &Url) -> Result<Option<(String, SecretString)>, &'static str> {
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", Some(_)) | (_, None) => {
            Err("has a user without a password, or a password without a user")
        }
        (user, Some(password)) => Ok(Some((decoded(user)?, decoded(password)?.into()))),
    }
}

fn decoded(text: &str) -> Result<String, &'static str> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded
        .map(|text| text.into_owned())
        .ok()
        .filter(|text| !text.contains(char::is_control))
        .ok_or("holds escapes that are no text")
}

/// Who mails come from.
pub fn sender(reader: &mut Reader, is_live: bool) -> String {
    const NAME: &str = "CPS_MAIL_FROM";
    const DEFAULT: &str = "donotreply@localhost";
    let text = reader.text(NAME).unwrap_or(DEFAULT);
    let Ok(address) = text.parse::<lettre::Address>() else {
        reader.fault(NAME, "is not an e-mail address");
        return DEFAULT.to_owned();
    };
    if is_live && reader.text(NAME).is_some() {
        let domain = address.domain();
        match unreachable(domain) {
            Some(why) => reader.fault(NAME, why),
            None if !domain.contains('.') => reader.fault(NAME, "has a domain without a dot"),
            None if is_example(domain) => {
                reader.warn(NAME, "stands under a name that is kept for examples")
            }
            None => {}
        }
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_loopback_mails_leave_by_tls_unless_the_address_says_otherwise() {
        for (url, tls, port) in [
            ("smtp://mail.cps.dk", MailTls::StartTls, 587),
            ("SMTP://u:p@mail.cps.dk:25", MailTls::StartTls, 25),
            ("smtp://mail.cps.dk?tls=required", MailTls::StartTls, 587),
            ("smtp://mail.cps.dk?tls=none", MailTls::None, 25),
            ("smtp://0.0.0.0", MailTls::StartTls, 587),
            ("smtp://localhost.cps.dk", MailTls::StartTls, 587),
            ("smtp://[::ffff:127.0.0.1]", MailTls::StartTls, 587),
            ("smtp://localhost", MailTls::None, 25),
            ("smtp://127.0.0.9", MailTls::None, 25),
            ("smtp://[::1]:2525", MailTls::None, 2525),
            ("smtp://127.0.0.1?tls=required", MailTls::StartTls, 587),
            ("smtps://mail.cps.dk", MailTls::Implicit, 465),
        ] {
            let server = server(url).unwrap_or_else(|fault| panic!("{url} {fault}"));
            assert_eq!((server.tls, server.port), (tls, port), "{url}");
        }
    }

    #[test]
    fn what_could_be_meant_otherwise_is_refused() {
        for url in [
            "mail.cps.dk",
            "http://mail.cps.dk",
            "smtp://",
            "smtp://mail.cps.dk?tls=opportunistic",
            "smtp://mail.cps.dk?tls=None",
            "smtp://mail.cps.dk?tls=",
            "smtp://mail.cps.dk?tls=required&tls=none",
            "smtp://mail.cps.dk?TLS=none",
            "smtps://mail.cps.dk?tls=none",
            "smtp://mail.cps.dk/?x=1",
            "smtp://mail.cps.dk/path",
            "smtp://mail.cps.dk#tls=none",
            "smtp://mail.cps.dk:0",
            "smtp://user@mail.cps.dk",
            "smtp://:password@mail.cps.dk",
        ] {
            assert!(server(url).is_err(), "{url}");
        }
    }

    #[test]
    fn credentials_are_read_with_their_escapes() {
        use secrecy::ExposeSecret;
        let server = server("smtp://post%40cps.dk:p%3Aw@mail.cps.dk").unwrap();
        let (user, password) = server.user.unwrap();
        assert_eq!(
            (user.as_str(), password.expose_secret()),
            ("post@cps.dk", "p:w")
        );
    }
}
