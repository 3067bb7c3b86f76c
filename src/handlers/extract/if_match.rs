//! `If-Match`: nobody overwrites what they have not seen.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{EntityTag, IF_MATCH};
use actix_web::{FromRequest, HttpRequest};

use crate::error::{Code, Error, Result};

/// The versions that the caller has seen; a request without one is answered 428.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    /// Whatever there is.
    Any,
    /// One of these.
    Tags(Vec<EntityTag>),
}

impl FromRequest for IfMatch {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let lines = request.headers().get_all(IF_MATCH);
        let lines: Result<Vec<&str>, _> = lines.map(|line| line.to_str()).collect();
        ready(match lines {
            Ok(lines) if lines.is_empty() => Err(Code::PreconditionRequired.into()),
            Ok(lines) => read(&lines.join(",")).ok_or_else(|| Code::IfMatchMalformed.into()),
            Err(_) => Err(Code::IfMatchMalformed.into()),
        })
    }
}

/// Reads `*` or a list of tags (RFC 9110, 8.8.3 and 13.1.1).
fn read(text: &str) -> Option<IfMatch> {
    if text.trim() == "*" {
        return Some(IfMatch::Any);
    }
    let mut tags = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return (!tags.is_empty()).then_some(IfMatch::Tags(tags));
        }
        let quoted = rest.strip_prefix("W/");
        let (tag, behind) = quoted.unwrap_or(rest).strip_prefix('"')?.split_once('"')?;
        let is_in_tags = |byte: u8| byte == b'!' || (b'#'..=b'~').contains(&byte);
        let behind = behind.trim_start_matches([' ', '\t']);
        if !tag.bytes().all(is_in_tags) || !(behind.is_empty() || behind.starts_with(',')) {
            return None;
        }
        tags.push(EntityTag::new(quoted.is_some(), tag.to_owned()));
        rest = behind;
    }
}

impl IfMatch {
    /// Refuses unless the row still has a version that the caller has seen.
    pub fn check(&self, version: i64) -> Result<()> {
        let Self::Tags(tags) = self else {
            return Ok(());
        };
        let version = version.to_string();
        let mut seen = tags.iter().filter(|tag| version_of(tag) == version);
        let is_weak = match seen.clone().next() {
            Some(_) if seen.any(|tag| !tag.weak) => return Ok(()),
            Some(_) => "yes",
            None => "",
        };
        Err(Code::PreconditionFailed.with("is_weak", is_weak).into())
    }
}

/// The version in a tag; a digest of what else is in the answer may follow it.
fn version_of(tag: &EntityTag) -> &str {
    let version = tag.tag().split_once('-');
    version.map_or(tag.tag(), |(version, _)| version)
}

/// The header, as the contract names it.
#[derive(serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code)]
pub struct IfMatchHeader {
    /// The `ETag` of the version that the change is based on.
    #[serde(rename = "If-Match")]
    #[param(pattern = r#"^("[!#-~]+"|\*)$"#, example = "\"1\"")]
    if_match: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(header: &str) -> Result<(), Option<&'static str>> {
        let seen = read(header).ok_or(None)?;
        seen.check(2).map_err(|error| match error {
            Error::Refused(refusal) if refusal.params == [("is_weak", "yes".to_owned())] => {
                Some("weak")
            }
            _ => Some("stale"),
        })
    }

    #[test]
    fn a_tag_is_held_against_the_version_in_it() {
        for seen in [
            "*",
            " * ",
            "\"2\"",
            "\"1\", \"2\"",
            "\"a,b\",\"2\"",
            "W/\"2\", \"2\"",
            "\"2-0a1b\"",
            ",\"2\",",
        ] {
            assert_eq!(judged(seen), Ok(()), "{seen}");
        }
        for stale in [
            "\"1\"", "W/\"1\"", "\"22\"", "\"\"", "\"02\"", "\"*\"", "\"1-2\"",
        ] {
            assert_eq!(judged(stale), Err(Some("stale")), "{stale}");
        }
        for weak in ["W/\"2\"", "\"1\", W/\"2-0a1b\""] {
            assert_eq!(judged(weak), Err(Some("weak")), "{weak}");
        }
    }

    #[test]
    fn what_has_no_quotation_marks_is_no_tag() {
        for header in [
            "",
            ",",
            "2",
            "\"2",
            "2\"",
            "w/\"2\"",
            "W/ \"2\"",
            "\"2\" \"3\"",
            "\"2\"x",
            "'2'",
            "\"a b\"",
            "*, \"2\"",
            "\"2\", *",
        ] {
            assert_eq!(judged(header), Err(None), "{header}");
        }
    }
}
