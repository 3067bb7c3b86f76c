//! Which of the two languages an answer speaks.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{ACCEPT_LANGUAGE, HeaderMap};
use actix_web::{FromRequest, HttpRequest};

use crate::domain::language::Language;

/// The caller's choice by `Accept-Language`; English when neither Danish nor English is asked for.
pub fn preferred(headers: &HeaderMap) -> Language {
    let header = headers
        .get(ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let mut best = (0.0, Language::En);
    for range in header.split(',') {
        let (tag, quality) = range.split_once(";q=").unwrap_or((range, "1"));
        let quality: f32 = quality.trim().parse().unwrap_or(0.0);
        let tag = tag.trim().to_ascii_lowercase();
        let language = match tag.split(['-', '_']).next() {
            Some("da") => Language::Da,
            Some("en" | "*") => Language::En,
            _ => continue,
        };
        if quality > best.0 {
            best = (quality, language);
        }
    }
    best.1
}

/// A handler that names a `Language` gets the caller's.
impl FromRequest for Language {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(preferred(request.headers())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_with_the_highest_quality_wins() {
        for (header, language) in [
            ("da", Language::Da),
            ("sv, da;q=0.8, en;q=0.7", Language::Da),
            ("en-GB,da;q=0.5", Language::En),
            ("de", Language::En),
            ("da_DK", Language::Da),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_LANGUAGE, header.parse().unwrap());
            assert_eq!(preferred(&headers), language, "{header}");
        }
    }
}
