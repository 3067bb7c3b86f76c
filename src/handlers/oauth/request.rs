//! What a system sends to the token endpoint: RFC 6749, sections 2.3.1, 3.2 and 4.4.2.

use std::collections::BTreeMap;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, HeaderValue};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};

use crate::error::{Code, Error, Fault, FaultCode, Result};
use crate::handlers::ClientAddress;
use crate::handlers::extract::FormBody;
use crate::workflows::oauth::Attempt;

/// A request for a token, as far as it can be read.
pub struct Request(pub Attempt);

impl FromRequest for Request {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let header = request.headers().get(AUTHORIZATION).cloned();
        let address = request.extensions().get::<ClientAddress>().copied();
        let form = FormBody::from_request(request, payload);
        Box::pin(async move {
            let (client, scope) = read(header.as_ref(), form.await?)?;
            Ok(Self(Attempt {
                client_id: client.0,
                secret: client.1,
                scope,
                address: address.map(|address| address.0),
            }))
        })
    }
}

/// Client id and secret.
type Client = (String, SecretString);

/// The client and the scopes that it asks for.
fn read(header: Option<&HeaderValue>, form: FormBody) -> Result<(Client, Option<String>)> {
    let mut form = named(form)?;
    match form.remove("grant_type").as_deref() {
        None => return Err(Fault::new("#/grant_type", FaultCode::Required).into()),
        Some("client_credentials") => {}
        Some(_) => return Err(Code::UnsupportedGrantType.into()),
    }
    let in_form = (form.remove("client_id"), form.remove("client_secret"));
    let client = match (header.and_then(basic_part), in_form) {
        (None, (Some(id), Some(secret))) => (id, secret.into()),
        (None, _) => return Err(Code::InvalidClient.into()),
        (Some(encoded), in_form) => {
            let client = basic(encoded).ok_or(Code::InvalidClient)?;
            once(&client, in_form)?;
            client
        }
    };
    Ok((client, form.remove("scope")))
}

/// The parameters by name. One without a value counts as left out; one that stands twice is refused.
fn named(form: FormBody) -> Result<BTreeMap<String, String>> {
    let mut named = BTreeMap::new();
    for (name, value) in form.0 {
        if named.contains_key(&name) {
            return Err(Fault::new(format!("#/{name}"), FaultCode::NotUnique).into());
        }
        named.insert(name, value);
    }
    named.retain(|_, value| !value.is_empty());
    Ok(named)
}

/// Refuses a client that signs in twice; that its id stands in the form too is no second sign-in.
fn once(client: &Client, in_form: (Option<String>, Option<String>)) -> Result<(), Fault> {
    match in_form {
        (_, Some(_)) => Err(Fault::new("#/client_secret", FaultCode::NotUnique)),
        (Some(id), None) if id != client.0 => Err(Fault::new("#/client_id", FaultCode::NotUnique)),
        _ => Ok(()),
    }
}

/// What HTTP Basic encodes; nothing where another scheme is used, which signs nobody in here.
fn basic_part(header: &HeaderValue) -> Option<&str> {
    let (scheme, encoded) = header.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("basic").then(|| encoded.trim())
}

/// The client of HTTP Basic, whose id and secret are encoded as in a form.
fn basic(encoded: &str) -> Option<Client> {
    let decoded: SecretString = String::from_utf8(STANDARD.decode(encoded).ok()?)
        .ok()?
        .into();
    let (id, secret) = decoded.expose_secret().split_once(':')?;
    let plain = |text: &str| {
        let text = text.replace('+', " ");
        let decoded = percent_decode_str(&text).decode_utf8().ok();
        decoded.map(|text| text.into_owned())
    };
    Some((plain(id)?, plain(secret)?.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "grant_type=client_credentials";

    fn outcome(authorization: &str, form: &str) -> Result<(String, String), String> {
        let header =
            (!authorization.is_empty()).then(|| HeaderValue::from_str(authorization).unwrap());
        let pairs = form_urlencoded::parse(form.as_bytes()).into_owned();
        match read(header.as_ref(), FormBody(pairs.collect())) {
            Ok(((id, secret), _)) => Ok((id, secret.expose_secret().to_owned())),
            Err(Error::Refused(refusal)) => Err(match refusal.faults.first() {
                Some(fault) => format!("{} {}", fault.pointer, fault.code.as_str()),
                None => refusal.code.as_str().to_owned(),
            }),
            Err(other) => panic!("{other}"),
        }
    }

    fn basic_of(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    #[test]
    fn a_client_signs_in_in_the_header_or_in_the_form() {
        let client = Ok(("crd_1".to_owned(), "a+b:c".to_owned()));
        let in_form = format!("{FORM}&client_id=crd_1&client_secret=a%2Bb%3Ac");
        assert_eq!(outcome("", &in_form), client);
        assert_eq!(outcome(&basic_of("crd_1:a%2Bb%3Ac"), FORM), client);
        assert_eq!(outcome(&basic_of("crd%5F1:a%2Bb:c"), FORM), client);
        let lower = basic_of("crd_1:a%2Bb:c").replace("Basic", "basic");
        let named = format!("{FORM}&client_id=crd_1&client_secret=&resource=x");
        assert_eq!(outcome(&lower, &named), client);
        // A token proves nothing here.
        assert_eq!(outcome("Bearer x", &in_form), client);
    }

    #[test]
    fn what_is_missing_or_stands_twice_is_told() {
        let header = basic_of("crd_1:s");
        for (header, form, expected) in [
            (&*header, "", "#/grant_type required"),
            (&header, "grant_type=&scope=x", "#/grant_type required"),
            (&header, "grant_type=password", "unsupported_grant_type"),
            (
                &header,
                "grant_type=client_credentials&grant_type=client_credentials",
                "#/grant_type not_unique",
            ),
            (
                &header,
                "grant_type=client_credentials&scope=a&scope=",
                "#/scope not_unique",
            ),
            (
                &header,
                "grant_type=client_credentials&client_secret=s",
                "#/client_secret not_unique",
            ),
            (
                &header,
                "grant_type=client_credentials&client_id=crd_2",
                "#/client_id not_unique",
            ),
            ("", FORM, "invalid_client"),
            (
                "",
                "grant_type=client_credentials&client_id=crd_1",
                "invalid_client",
            ),
            ("Bearer x", FORM, "invalid_client"),
            ("Basic", FORM, "invalid_client"),
            ("Basic ???", FORM, "invalid_client"),
            ("Basic Y3Jk", FORM, "invalid_client"),
        ] {
            assert_eq!(
                outcome(header, form),
                Err(expected.to_owned()),
                "{header} {form}"
            );
        }
    }
}
