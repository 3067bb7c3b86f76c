//! Which of the two languages an answer speaks.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{self, ACCEPT_LANGUAGE, HeaderMap, Quality, QualityItem};
use actix_web::{FromRequest, HttpRequest};

use crate::domain::language::Language;

/// The caller's choice by `Accept-Language`; English when neither Danish nor English is asked for.
pub fn preferred(headers: &HeaderMap) -> Language {
    let ranges = header::from_comma_delimited(headers.get_all(ACCEPT_LANGUAGE));
    let ranges: Vec<QualityItem<String>> = ranges.unwrap_or_default();
    let mut best = (Quality::ZERO, Language::En);
    for range in ranges {
        let tag = range.item.to_ascii_lowercase();
        let language = match tag.split(['-', '_']).next() {
            Some("da") => Language::Da,
            Some("en" | "*") => Language::En,
            _ => continue,
        };
        if range.quality > best.0 {
            best = (range.quality, language);
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
            ("en; q=0.8, da; q=0.9", Language::Da),
            ("en ; Q=0.3 , da ; Q=0.30", Language::En),
            ("en;q=0.3,DA-dk;q=0.301", Language::Da),
            ("da;q=0", Language::En),
            ("da;q=2, *;q=0.1", Language::En),
            ("*, da;q=0.9", Language::En),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_LANGUAGE, header.parse().unwrap());
            assert_eq!(preferred(&headers), language, "{header}");
        }
    }
}
