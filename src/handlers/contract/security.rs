//! With what callers prove who they are: people with a bearer token, partners' systems with one that they sign in for.

use serde_json::{Value, json};
use utoipa::openapi::Components;
use utoipa::openapi::security::{
    ClientCredentials, Flow, HttpAuthScheme, HttpBuilder, OAuth2, Scopes, SecurityScheme,
};

use super::Object;
use crate::domain::partner::Scope;
use crate::handlers::{Callers, oauth};

/// The scheme of people's tokens.
const BEARER: &str = "bearer";
/// The scheme of partners' systems.
const PARTNER: &str = "partner";

/// Where the address of the token endpoint stands, which each service puts its own before.
pub const TOKEN_URL: &str = "/components/securitySchemes/partner/flows/clientCredentials/tokenUrl";

/// What a system may do with each scope.
const fn meaning(scope: Scope) -> &'static str {
    match scope {
        Scope::RegistrationsWrite => {
            "Report what was sold, and ask whether a member number is valid"
        }
        Scope::RegistrationsRead => "Read what was reported, and what came of it",
        Scope::Webhooks => "Read the dealer's events",
    }
}

/// Describes both.
pub fn describe(components: &mut Components) {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "The `access_token` of a session, or the `applicant_token` that registering returned.",
        ))
        .build();
    let scopes = Scope::ALL.iter();
    let scopes = Scopes::from_iter(scopes.map(|scope| (scope.as_str(), meaning(*scope))));
    let token_url = format!("https://api.cps.example{}", oauth::PATH);
    let flow = ClientCredentials::new(token_url, scopes);
    let partner = OAuth2::with_description(
        [Flow::ClientCredentials(flow)],
        "For dealers' systems: client id and secret get a token for 10 minutes.",
    );
    components.add_security_scheme(BEARER, SecurityScheme::Http(bearer));
    components.add_security_scheme(PARTNER, SecurityScheme::OAuth2(partner));
}

/// Names what an operation asks for: what its handler says, and what partners' systems call it with.
pub fn tell(operation: &mut Object, callers: Callers) {
    let all = operation.entry("security").or_insert_with(|| json!([]));
    if let (Some(scopes), Value::Array(all)) = (callers.scopes(), all) {
        all.push(json!({ PARTNER: scopes }));
    }
}
