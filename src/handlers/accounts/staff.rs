//! What staff do with accounts: finding, suspending, sending a first link again.

use actix_web::web::Data;
use actix_web::{delete, get, post};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::views::{AccountPage, AccountSummary};
use super::{AccountPath, AccountView, load_view};
use crate::auth::{Access, StaffOnly};
use crate::domain::account::AccountStatus;
use crate::domain::language::Language;
use crate::domain::permissions::{
    AccountSuspend, AccountsList, ContactEmailDecide, FirstPasswordLink,
};
use crate::domain::values::Text;
use crate::error::Result;
use crate::handlers::answer::Answer;
use crate::handlers::extract::{
    Body, Cursor, Idempotency, IdempotencyHeader, PageParams, Pages, Params, Plain, list_params,
};
use crate::handlers::service::Service;
use crate::handlers::{Callers, RateLimit, Routes};
use crate::repository::accounts::{self, Search};
use crate::workflows;

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(
            list_accounts,
            Callers::staff(AccountsList),
            RateLimit::PerCaller,
        )
        .service(
            suspend_account,
            Callers::account(AccountSuspend),
            RateLimit::PerCaller,
        )
        .service(
            lift_suspension,
            Callers::account(AccountSuspend),
            RateLimit::PerCaller,
        )
        .service(
            accept_contact_email,
            Callers::account(ContactEmailDecide),
            RateLimit::PerCaller,
        )
        .service(
            refuse_contact_email,
            Callers::account(ContactEmailDecide),
            RateLimit::PerCaller,
        )
        .service(
            send_first_password_link,
            Callers::account(FirstPasswordLink),
            RateLimit::PerCaller,
        );
}

list_params! {
    /// Which accounts to list.
    struct AccountsParams {
        /// Only those of this status.
        #[param(inline, nullable = false)]
        status: Option<AccountStatus>,
        /// Part of the company's name, or the whole e-mail address, account number or VAT number.
        #[param(
            min_length = 1,
            max_length = 254,
            pattern = r"^[^\x00-\x1f\x7f]+$",
            nullable = false,
            example = "Fjord"
        )]
        query: Option<String>,
    }
}

/// List accounts
///
/// For staff: applications and accounts, newest first.
#[utoipa::path(
    tag = "accounts",
    operation_id = "listAccounts",
    security(("bearer" = [])),
    params(AccountsParams),
    responses((status = 200, description = "The accounts", body = AccountPage))
)]
#[get("/accounts")]
async fn list_accounts(
    service: Data<Service>,
    _staff: StaffOnly<AccountsList>,
    params: Params<AccountsParams>,
    pages: Pages,
) -> Result<Answer> {
    let size = params.0.size();
    let search = Search {
        before: pages.after(&params.0)?.map(|cursor| cursor.id.into()),
        status: params.0.status,
        text: params.0.query,
        limit: size + 1,
    };
    let rows = service
        .db
        .fetch(move |conn| accounts::search(conn, &search))
        .await?;
    let (rows, next_cursor) = pages.cut(rows, size, |account| Cursor::of_id(account.id.uuid()));
    let items = rows.into_iter().map(AccountSummary::of).collect();
    let link = pages.link_next(next_cursor.as_deref());
    Ok(Answer::ok(&AccountPage { items, next_cursor })?.header_if("Link", link))
}

/// Why an account is suspended.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "Two members claim the same serial numbers." }))]
struct SuspendAccount {
    /// For the record that staff keep.
    reason: Text<1000>,
}

impl Plain for SuspendAccount {}

/// Suspend an account
///
/// For administrators, with a reason. Its users can still sign in and look, but change nothing: 409 `account_not_active`. Only an account that is
/// approved or active can be suspended (409 `account_state_conflict`).
#[utoipa::path(
    tag = "accounts",
    operation_id = "suspendAccount",
    security(("bearer" = [])),
    params(AccountPath, IdempotencyHeader),
    request_body = SuspendAccount,
    responses((status = 200, description = "The account", body = AccountView, headers(("ETag" = String))))
)]
#[post("/accounts/{account_id}/suspension")]
async fn suspend_account(
    service: Data<Service>,
    access: Access<AccountSuspend>,
    key: Idempotency,
    language: Language,
    body: Body<SuspendAccount>,
) -> Result<Answer> {
    let (context, hash) = (service.context(), body.hash().to_owned());
    let reason = body.value.reason.to_string();
    key.write(&service, &hash, move |conn| {
        let account = workflows::accounts::suspend(conn, &context, &access.account, &reason)?;
        let version = account.version;
        Ok(Answer::ok(&load_view(conn, account, language)?)?.etag_with_digest(version))
    })
    .await
}

/// Why a suspension ends.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LiftParams {
    /// For the record that staff keep.
    #[param(inline, example = "The serial numbers were checked.")]
    reason: Text<1000>,
}

/// Lift a suspension
///
/// For administrators, with a reason. The account is what it was before; 409 `account_state_conflict` where it is not suspended.
#[utoipa::path(
    tag = "accounts",
    operation_id = "liftSuspension",
    security(("bearer" = [])),
    params(AccountPath, LiftParams),
    responses((status = 200, description = "The account", body = AccountView, headers(("ETag" = String))))
)]
#[delete("/accounts/{account_id}/suspension")]
async fn lift_suspension(
    service: Data<Service>,
    access: Access<AccountSuspend>,
    params: Params<LiftParams>,
    language: Language,
) -> Result<Answer> {
    let (context, reason) = (service.context(), params.0.reason.to_string());
    let view = service
        .db
        .write(move |conn| {
            let account =
                workflows::accounts::lift_suspension(conn, &context, &access.account, &reason)?;
            load_view(conn, account, language)
        })
        .await?;
    Ok(Answer::ok(&view)?.etag_with_digest(view.version))
}

/// Accept another e-mail address of the contact
///
/// For an administrator other than the one who asked for it (403 `own_proposal`): the contact has the address that staff asked for, and the one before is
/// told. 409 `account_state_conflict` where none waits, 409 `email_in_use` where the account waits for its first password and the address has a user.
#[utoipa::path(
    tag = "accounts",
    operation_id = "acceptContactEmail",
    security(("bearer" = [])),
    params(AccountPath),
    responses((status = 200, description = "The account", body = AccountView, headers(("ETag" = String))))
)]
#[post("/accounts/{account_id}/contact-email/acceptance")]
async fn accept_contact_email(
    service: Data<Service>,
    access: Access<ContactEmailDecide>,
    language: Language,
) -> Result<Answer> {
    let context = service.context();
    let view = service
        .db
        .write(move |conn| {
            let account =
                workflows::accounts::accept_contact_email(conn, &context, &access.account)?;
            load_view(conn, account, language)
        })
        .await?;
    Ok(Answer::ok(&view)?.etag_with_digest(view.version))
}

/// Refuse another e-mail address of the contact
///
/// For an administrator other than the one who asked for it (403 `own_proposal`): the contact keeps its address. 409 `account_state_conflict` where none
/// waits.
#[utoipa::path(
    tag = "accounts",
    operation_id = "refuseContactEmail",
    security(("bearer" = [])),
    params(AccountPath),
    responses((status = 200, description = "The account", body = AccountView, headers(("ETag" = String))))
)]
#[post("/accounts/{account_id}/contact-email/refusal")]
async fn refuse_contact_email(
    service: Data<Service>,
    access: Access<ContactEmailDecide>,
    language: Language,
) -> Result<Answer> {
    let context = service.context();
    let view = service
        .db
        .write(move |conn| {
            let account =
                workflows::accounts::refuse_contact_email(conn, &context, &access.account)?;
            load_view(conn, account, language)
        })
        .await?;
    Ok(Answer::ok(&view)?.etag_with_digest(view.version))
}

/// Send the first-password link again
///
/// For support, while an approved account waits for its first password; the links before it stay good until they run out. Elsewhere 409 `account_state_conflict`.
#[utoipa::path(
    tag = "accounts",
    operation_id = "sendFirstPasswordLink",
    security(("bearer" = [])),
    params(AccountPath),
    responses((status = 202, description = "A mail is on its way"))
)]
#[post("/accounts/{account_id}/first-password-link")]
async fn send_first_password_link(
    service: Data<Service>,
    access: Access<FirstPasswordLink>,
) -> Result<Answer> {
    let context = service.context();
    service
        .db
        .write(move |conn| workflows::accounts::send_first_link(conn, &context, &access.account))
        .await?;
    Ok(Answer::accepted())
}
