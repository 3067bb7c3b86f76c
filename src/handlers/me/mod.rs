//! Who a token is, and what its user says of themselves. Their password is in `sessions`.

mod sessions;

use actix_web::web::Data;
use actix_web::{get, patch};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::Answer;
use super::extract::{Body, IfMatch, IfMatchHeader, Input, MERGE_PATCH};
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::auth::Signed;
use crate::domain::access::{UserAccess, UserId};
use crate::domain::account::AccountId;
use crate::domain::language::Language;
use crate::domain::partner::{CredentialId, PartnerId, Scope};
use crate::domain::permissions::Role;
use crate::domain::values::{LanguageTag, Line};
use crate::error::{Faults, Result};
use crate::programme::Programme;
use crate::repository::users::{self, User};
use crate::types::{Instant, text_enum};
use crate::workflows::me::{self, Own};

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(read_me, Callers::TokenHolder, RateLimit::PerCaller)
        .service(update_me, Callers::User, RateLimit::PerCaller)
        .configure(sessions::routes);
}

text_enum! {
    /// What kind of caller a token is.
    pub enum CallerKind {
        /// Whoever registered a business, until it is decided.
        Applicant = "applicant",
        /// A user of a business.
        Member = "member",
        /// One of the programme's staff.
        Staff = "staff",
        /// A dealer's system.
        Partner = "partner",
    }
}

/// Who a token is.
#[derive(Serialize, ToSchema)]
struct MeView {
    caller: CallerKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user_id: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    name: Option<String>,
    /// Of the mails to this user.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    language: Option<Language>,
    /// The account that the caller belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    account_id: Option<AccountId>,
    /// The dealer whose system calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    partner_id: Option<PartnerId>,
    /// What that system is signed in with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    credential_id: Option<CredentialId>,
    /// Empty for a dealer's system.
    roles: Vec<Role>,
    /// What a dealer's system may do; empty for people.
    scopes: Vec<Scope>,
    /// When the access token runs out; an applicant's ends with the decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    expires_at: Option<Instant>,
    /// Counts the changes of the user; what `If-Match` names.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    version: Option<i64>,
}

/// What the token says, and what is known of its user.
fn answer(signed: &Signed, user: Option<User>) -> Result<Answer> {
    let Signed { caller, expires_at } = signed;
    let kind = match (caller.is_staff(), caller.user_id(), caller.partner_id()) {
        (true, ..) => CallerKind::Staff,
        (false, Some(_), _) => CallerKind::Member,
        (false, None, Some(_)) => CallerKind::Partner,
        (false, None, None) => CallerKind::Applicant,
    };
    let version = user.as_ref().map(|user| user.version);
    let language = user.as_ref().map(|user| user.language);
    let (email, name) = user.map(|user| (user.email, user.name)).unzip();
    let answer = Answer::ok(&MeView {
        caller: kind,
        user_id: caller.user_id(),
        email,
        name,
        language,
        account_id: caller.account_id(),
        roles: caller.roles().to_vec(),
        partner_id: caller.partner_id(),
        credential_id: caller.credential_id(),
        scopes: caller.scopes().to_vec(),
        expires_at: *expires_at,
        version,
    })?;
    Ok(match version {
        Some(version) => answer.etag_with_digest(version),
        None => answer.etag_of_body(),
    })
}

/// Tell who this token is
///
/// The caller behind the bearer token: who, of which account, with which roles, until when.
#[utoipa::path(
    tag = "accounts",
    operation_id = "readMe",
    security(("bearer" = [])),
    responses((status = 200, description = "The caller", body = MeView, headers(("ETag" = String))))
)]
#[get("/me")]
async fn read_me(service: Data<Service>, signed: Signed) -> Result<Answer> {
    let user = match signed.caller.user_id() {
        Some(id) => {
            service
                .db
                .fetch(move |conn| users::find_by_id(conn, id))
                .await?
        }
        None => None,
    };
    answer(&signed, user)
}

/// A change of what users say of themselves, as a JSON Merge Patch (RFC 7396): what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Mette Fjord", "language": "da" }))]
struct UpdateMe {
    #[schema(nullable = false)]
    name: Option<Line<100>>,
    /// Of the mails to this user.
    #[schema(nullable = false)]
    language: Option<LanguageTag>,
}

impl Input for UpdateMe {
    type Parsed = Own;
    const MEDIA_TYPES: &'static [&'static str] = &MERGE_PATCH;

    fn parse(self, _: &Programme, faults: Faults) -> Result<Own> {
        faults.judge(Some(Own {
            name: self.name.map(String::from),
            language: self.language.map(LanguageTag::language),
        }))
    }
}

/// Change your own name or language
///
/// The language is that of the mails to you. Your e-mail address stays: whoever has a new one is invited with it. On a suspended account 409
/// `account_not_active`.
#[utoipa::path(
    tag = "accounts",
    operation_id = "updateMe",
    security(("bearer" = [])),
    params(IfMatchHeader),
    request_body(content(
        (UpdateMe = "application/merge-patch+json"),
        (UpdateMe = "application/json")
    )),
    responses((status = 200, description = "The caller", body = MeView, headers(("ETag" = String))))
)]
#[patch("/me")]
async fn update_me(
    service: Data<Service>,
    access: UserAccess,
    signed: Signed,
    seen: IfMatch,
    body: Body<UpdateMe>,
) -> Result<Answer> {
    let context = service.context();
    let user = service
        .db
        .write(move |conn| {
            let check = |version| seen.check(version);
            me::change(conn, &context, &access, body.value, check)
        })
        .await?;
    answer(&signed, Some(user))
}
