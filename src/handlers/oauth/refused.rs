//! How the token endpoint refuses: RFC 6749, section 5.2. What a code says is in the texts of problems.

use actix_web::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::language::Language;
use crate::error::{Code, Error, Refusal};
use crate::handlers::problem::{Context, refusal_of, render, status};
use crate::types::text_enum;

text_enum! {
    /// Why there is no token.
    pub enum TokenError {
        /// Something is missing, stands twice or cannot be read.
        InvalidRequest = "invalid_request",
        /// The client may not sign in.
        InvalidClient = "invalid_client",
        /// Only `client_credentials` is offered.
        UnsupportedGrantType = "unsupported_grant_type",
        /// The credential does not have such a scope.
        InvalidScope = "invalid_scope",
        /// Later perhaps: `Retry-After` says when.
        TemporarilyUnavailable = "temporarily_unavailable",
        /// The service failed.
        ServerError = "server_error",
    }
}

/// Why there is no token (RFC 6749, 5.2).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TokenRefusal)]
pub struct Refused {
    error: TokenError,
    /// What happened and what to do next: in English, and without quotation marks, as the RFC has it.
    error_description: String,
    /// Opens a page that explains it.
    #[schema(format = "uri")]
    error_uri: String,
}

/// What the contract shows of a refusal with this code.
pub fn example(code: Code) -> Refused {
    refuse(&code.into(), "https://api.cps.example").1
}

/// What becomes of `error` at the token endpoint, and its status.
pub fn refuse(error: &Error, public_url: &str) -> (StatusCode, Refused) {
    let refusal = refusal_of(error);
    let kind = kind(refusal.code);
    let status = match kind {
        TokenError::InvalidRequest => StatusCode::BAD_REQUEST,
        _ => status(refusal.code),
    };
    let refused = Refused {
        error: kind,
        error_description: description(&refusal, error, public_url),
        error_uri: format!("{public_url}/problems/{}", refusal.code.as_str()),
    };
    (status, refused)
}

fn kind(code: Code) -> TokenError {
    match code {
        Code::InvalidClient => TokenError::InvalidClient,
        Code::UnsupportedGrantType => TokenError::UnsupportedGrantType,
        Code::InvalidScope => TokenError::InvalidScope,
        code => match status(code) {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                TokenError::TemporarilyUnavailable
            }
            status if status.is_server_error() => TokenError::ServerError,
            _ => TokenError::InvalidRequest,
        },
    }
}

/// The text of the problem, and of each parameter that does not pass, in the letters that the RFC allows.
fn description(refusal: &Refusal, error: &Error, public_url: &str) -> String {
    let context = Context {
        public_url,
        language: Language::En,
        instance: String::new(),
        request_id: String::new(),
    };
    let problem = render(error, &context);
    let names = refusal.faults.iter();
    let names = names.map(|fault| fault.pointer.trim_start_matches("#/"));
    let faults = names
        .zip(&problem.errors)
        .map(|(name, fault)| format!(" {name}: {}", fault.detail));
    let lead = match problem.errors.is_empty() {
        true => problem.detail.clone(),
        // The text points at a list, which stands here.
        false => format!("{}.", problem.title),
    };
    let text = lead + &faults.collect::<String>();
    text.replace('"', "'")
        .replace(|letter| !matches!(letter, ' '..='~') || letter == '\\', "?")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Fault, FaultCode};

    #[test]
    fn every_refusal_has_an_error_of_the_rfc_and_a_description_in_its_letters() {
        for code in Code::ALL {
            let (status, refused) = refuse(&(*code).into(), "https://api.cps.example");
            let expected: &[u16] = match refused.error {
                TokenError::InvalidClient => &[401],
                TokenError::TemporarilyUnavailable => &[429, 503],
                TokenError::ServerError => &[500],
                _ => &[400],
            };
            assert!(expected.contains(&status.as_u16()), "{code:?}: {status}");
            let text = &refused.error_description;
            assert!(
                text.chars().all(|letter| matches!(letter, ' '..='~')),
                "{text}"
            );
            assert!(!text.contains(['"', '\\']), "{text}");
        }
    }

    #[test]
    fn a_parameter_is_named() {
        let fault = Fault::new("#/grant_type", FaultCode::Required);
        let (_, refused) = refuse(&fault.into(), "");
        let text = refused.error_description;
        assert_eq!(
            text,
            "Something has to be corrected. grant_type: This field is required."
        );
        let odd = Fault::new("#/ø\"\\", FaultCode::NotUnique);
        let (_, refused) = refuse(&odd.into(), "");
        assert!(
            refused.error_description.contains(" ?'?: "),
            "{}",
            refused.error_description
        );
    }
}
