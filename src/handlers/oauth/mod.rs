//! The token endpoint of RFC 6749 for the systems of partners. People sign in at `sessions`.

mod refused;
mod request;

use actix_web::post;
use actix_web::web::Data;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::Answer;
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::auth::tokens::{ACCESS_SECONDS, Bearer};
use crate::domain::partner::scope_text;
use crate::error::{Code, Result};
use crate::workflows::oauth;
pub use refused::{Refused, refuse};
use request::Request;

/// Where tokens are made, as it is routed.
pub const PATH: &str = "/v1/oauth/token";

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config.service(create_token, Callers::Anybody, RateLimit::PerCaller);
}

/// What kind of sign-in is asked for.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code)] // read by `request`, name by name
enum GrantType {
    ClientCredentials,
}

/// What a system asks for. Client id and secret stand here or in the `Authorization` header (Basic), not in both.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({
    "grant_type": "client_credentials", "client_id": "crd_0000000000007000800000000000012d",
    "client_secret": "cps_test_FotoNord-FotoNord-FotoNord-FotoNord-0000001"
}))]
#[allow(dead_code)] // read by `request`, name by name
struct TokenRequest {
    #[schema(inline)]
    grant_type: GrantType,
    /// Scopes with a space between each; without any, all that the credential has.
    #[schema(nullable = false)]
    scope: Option<String>,
    #[schema(nullable = false)]
    client_id: Option<String>,
    #[schema(value_type = Option<String>, nullable = false, format = Password)]
    client_secret: Option<SecretString>,
}

/// A token of a partner's system.
#[derive(Serialize, ToSchema)]
struct TokenView {
    /// A bearer token for 10 minutes. There is no refresh token: the system signs in again.
    access_token: String,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds until it runs out.
    #[schema(example = 600)]
    expires_in: i64,
    /// What it may do: scopes with a space between each.
    #[schema(example = "registrations:write registrations:read webhooks")]
    scope: String,
}

/// Sign a system in
///
/// The client credentials grant of RFC 6749 (4.4). Client id and secret are sent as HTTP Basic or in the form. A wrong secret, an unknown or revoked
/// client, a suspended dealer and an address outside the credential's networks all get the same 401 `invalid_client`, in the same time; after 10 of them
/// from one address within 15 minutes 429 `temporarily_unavailable`. Errors are those of RFC 6749 (5.2), no problems.
#[utoipa::path(
    tag = "partners",
    operation_id = "createToken",
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The token", body = TokenView),
        (status = 400, description = "`invalid_request`, `unsupported_grant_type` or `invalid_scope`", body = Refused),
        (status = 401, description = "`invalid_client`", body = Refused, headers(("WWW-Authenticate" = String))),
        (status = 429, description = "`temporarily_unavailable`: too many tries or tokens", body = Refused, headers(("Retry-After" = u64))),
        (status = 500, description = "`server_error`: the service failed", body = Refused),
        (status = 503, description = "`temporarily_unavailable`: the service is busy, or its database away", body = Refused, headers(("Retry-After" = u64)))
    )
)]
#[post("/oauth/token")]
async fn create_token(service: Data<Service>, request: Request) -> Result<Answer> {
    let (context, attempt) = (service.context(), request.0);
    let signed_in = service
        .db
        .write(move |conn| oauth::sign_in(conn, &context, &attempt))
        .await?;
    let oauth::SignedIn { credential, scopes } = signed_in.ok_or(Code::InvalidClient)?;
    service.token_rate.count(credential.id)?;
    let bearer = Bearer::partner(credential.id, credential.partner_id, &scopes);
    let version = credential.token_version;
    let view = TokenView {
        scope: scope_text(&scopes),
        access_token: service.keys.issue(bearer, version, service.now())?,
        token_type: "Bearer",
        expires_in: ACCESS_SECONDS,
    };
    Ok(Answer::ok(&view)?.header("Cache-Control", "no-store"))
}
