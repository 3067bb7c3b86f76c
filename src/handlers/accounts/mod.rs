//! Registering a business, and its account.

mod bodies;
mod change;
mod staff;
mod views;

use actix_web::web::{Data, Path};
use actix_web::{HttpMessage, HttpRequest, get, patch, post};
use secrecy::ExposeSecret;
use serde::Deserialize;
use utoipa::IntoParams;

use super::ClientAddress;
use super::answer::Answer;
use super::extract::{Body, Idempotency, IfMatch, IfMatchHeader};
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::auth::Access;
use crate::domain::access::Anonymous;
use crate::domain::account::AccountId;
use crate::domain::language::Language;
use crate::domain::permissions::{AccountChange, AccountRead, ApplicationChange};
use crate::error::Result;
use crate::repository::accounts;
use crate::types::uuid_at;
use crate::workflows;
use crate::workflows::accounts::Registration;
use crate::workflows::tasks::{Task, enqueue};
use bodies::{ApplicantLinkRequest, RegisterAccount};
use change::UpdateAccount;
use views::RegisteredView;
pub use views::{AccountView, load_view};

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(register_account, Callers::Anybody, RateLimit::Register)
        .service(send_applicant_link, Callers::Anybody, RateLimit::Reset)
        .service(
            read_account,
            Callers::account(AccountRead),
            RateLimit::PerCaller,
        )
        .service(
            update_account,
            Callers::account(AccountChange),
            RateLimit::PerCaller,
        )
        .configure(staff::routes)
        .service(
            read_requirements,
            Callers::account(AccountRead),
            RateLimit::PerCaller,
        )
        .service(
            submit_application,
            Callers::account(ApplicationChange),
            RateLimit::PerCaller,
        )
        .service(
            withdraw_application,
            Callers::account(ApplicationChange),
            RateLimit::PerCaller,
        );
}

/// Names one account in a path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct AccountPath {
    /// The account.
    #[param(example = "acc_00000000000070008000000000000001")]
    pub account_id: AccountId,
}

/// Register a business
///
/// Opens a draft application and returns the token that fills it in. The answer is the same whether the e-mail address or the VAT number is known or not.
#[utoipa::path(
    tag = "accounts",
    operation_id = "registerAccount",
    params(super::extract::IdempotencyHeader),
    request_body = RegisterAccount,
    responses((status = 201, description = "The draft, and the applicant's token; the token is shown once", body = RegisteredView, headers(("ETag" = String), ("Location" = String))))
)]
#[post("/accounts")]
async fn register_account(
    service: Data<Service>,
    key: Idempotency,
    who: Anonymous,
    body: Body<RegisterAccount>,
    language: Language,
    request: HttpRequest,
) -> Result<Answer> {
    let hash = body.hash().to_owned();
    let declared_from = request
        .extensions()
        .get::<ClientAddress>()
        .map(|from| from.0.to_string())
        .unwrap_or_default();
    let (context, new) = (
        service.context(),
        Registration {
            declared_from,
            ..body.value
        },
    );
    key.write(&service, &hash, move |conn| {
        let (account, token) = workflows::accounts::register(conn, &context, who, new)?;
        let location = format!("/v1/accounts/{}", account.id);
        let version = account.version;
        let view = RegisteredView {
            account: load_view(conn, account, language)?,
            applicant_token: token.expose_secret().to_owned(),
        };
        Ok(Answer::created(&view)?.location(location).etag(version))
    })
    .await
}

/// Ask for the applicant's link again
///
/// Mails the links of the open applications of the address, one mail for all, at most 3 an hour. Always 202, whether there is one or not; the tokens
/// before it stay good.
#[utoipa::path(
    tag = "accounts",
    operation_id = "sendApplicantLink",
    request_body = ApplicantLinkRequest,
    responses((status = 202, description = "If the address has an open application, a mail is on its way"))
)]
#[post("/applicant-links")]
async fn send_applicant_link(
    service: Data<Service>,
    body: Body<ApplicantLinkRequest>,
) -> Result<Answer> {
    let now = service.now();
    let task = Task::SendApplicantLinks {
        request: uuid_at(now).to_string(),
        email: body.value.email.to_string(),
    };
    service
        .db
        .write(move |conn| enqueue(conn, &task, now, now))
        .await?;
    Ok(Answer::accepted())
}

/// Read an account
///
/// The account with its application: what it says of itself, where it stands, what is still due and when it will be answered.
#[utoipa::path(
    tag = "accounts",
    operation_id = "readAccount",
    security(("bearer" = [])),
    params(AccountPath),
    responses((status = 200, description = "The account", body = AccountView, headers(("ETag" = String))))
)]
#[get("/accounts/{account_id}")]
async fn read_account(
    service: Data<Service>,
    access: Access<AccountRead>,
    language: Language,
    _path: Path<AccountPath>,
) -> Result<Answer> {
    let view = service
        .db
        .read(move |conn| {
            let account = accounts::find(conn, &access.account)?;
            load_view(conn, account, language)
        })
        .await?;
    Ok(Answer::ok(&view)?.etag_with_digest(view.version))
}

/// Change an account
///
/// A JSON Merge Patch: what is left out stays, null deletes. What comes out is checked like a registration. The applicant and the account's superuser
/// change data of the company while the application is a draft or information is requested (else 409 `application_not_editable`), contact details and the
/// language also once it is approved, and once it is active the address in the same country. Support changes contact details and the language, and of an
/// active account `company_name` and `vat_number` with `reason` and `document_id` (403 `forbidden` for the rest; 409 `vat_number_in_use`). A user's
/// sign-in address is the user's own and stays. On a suspended account 409 `account_not_active`.
#[utoipa::path(
    tag = "accounts",
    operation_id = "updateAccount",
    security(("bearer" = [])),
    params(AccountPath, IfMatchHeader),
    request_body(content(
        (UpdateAccount = "application/merge-patch+json"),
        (UpdateAccount = "application/json")
    )),
    responses((status = 200, description = "The account", body = AccountView, headers(("ETag" = String))))
)]
#[patch("/accounts/{account_id}")]
async fn update_account(
    service: Data<Service>,
    access: Access<AccountChange>,
    seen: IfMatch,
    language: Language,
    body: Body<UpdateAccount>,
) -> Result<Answer> {
    let context = service.context();
    let view = service
        .db
        .write(move |conn| {
            let patch = body
                .value
                .map(|patch| |account: &mut accounts::Account| patch.merge(account));
            let check = |version| seen.check(version);
            let account =
                workflows::accounts::change(conn, &context, &access.account, check, patch)?;
            load_view(conn, account, language)
        })
        .await?;
    Ok(Answer::ok(&view)?.etag_with_digest(view.version))
}

/// Read what is still due
///
/// What the application needs before it can be submitted, the sets of documents of which one is enough, and what is wrong with those that were sent.
#[utoipa::path(
    tag = "accounts",
    operation_id = "readRequirements",
    security(("bearer" = [])),
    params(AccountPath),
    responses((status = 200, description = "The requirements", body = crate::domain::document::Requirements))
)]
#[get("/accounts/{account_id}/requirements")]
async fn read_requirements(
    service: Data<Service>,
    access: Access<AccountRead>,
    language: Language,
    _path: Path<AccountPath>,
) -> Result<Answer> {
    let view = service
        .db
        .read(move |conn| {
            let account = accounts::find(conn, &access.account)?;
            load_view(conn, account, language)
        })
        .await?;
    Answer::ok(&view.requirements)
}

/// Submit the application
///
/// Hands it to the reviewers; `review_due_at` says when they will have answered. 409 `requirements_due` while a document is missing, 409
/// `application_not_editable` where it is with them already or decided.
#[utoipa::path(
    tag = "accounts",
    operation_id = "submitApplication",
    security(("bearer" = [])),
    params(AccountPath),
    responses((status = 200, description = "The account", body = AccountView, headers(("ETag" = String))))
)]
#[post("/accounts/{account_id}/submission")]
async fn submit_application(
    service: Data<Service>,
    access: Access<ApplicationChange>,
    language: Language,
) -> Result<Answer> {
    let context = service.context();
    let view = service
        .db
        .write(move |conn| {
            let account = workflows::documents::submit(conn, &context, &access.account)?;
            load_view(conn, account, language)
        })
        .await?;
    Ok(Answer::ok(&view)?.etag_with_digest(view.version))
}

/// Withdraw the application
///
/// Takes it back before it is decided; the applicant's tokens end, the files are deleted after 30 days.
#[utoipa::path(
    tag = "accounts",
    operation_id = "withdrawApplication",
    security(("bearer" = [])),
    params(AccountPath),
    responses((status = 200, description = "The account", body = AccountView, headers(("ETag" = String))))
)]
#[post("/accounts/{account_id}/withdrawal")]
async fn withdraw_application(
    service: Data<Service>,
    access: Access<ApplicationChange>,
    language: Language,
) -> Result<Answer> {
    let context = service.context();
    let view = service
        .db
        .write(move |conn| {
            let account = workflows::documents::withdraw(conn, &context, &access.account)?;
            load_view(conn, account, language)
        })
        .await?;
    Ok(Answer::ok(&view)?.etag_with_digest(view.version))
}
