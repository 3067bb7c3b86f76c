//! The users of an account: who may sign in for it. Signing in is in `sessions`.

mod views;

use actix_web::web::{Data, Path};
use actix_web::{delete, get, patch, post};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::accounts::AccountPath;
use super::answer::Answer;
use super::extract::{
    Body, Cursor, Idempotency, IdempotencyHeader, IfMatch, IfMatchHeader, Input, MERGE_PATCH,
    PageParams, Pages, Params, Plain, list_params,
};
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::auth::{Access, Authenticator};
use crate::domain::access::UserId;
use crate::domain::account::AccountId;
use crate::domain::permissions::{Role, UsersManage};
use crate::domain::values::{Email, LanguageTag, Line};
use crate::error::{Faults, Result};
use crate::programme::Programme;
use crate::repository::{self, accounts};
use crate::workflows::users::{self, Newcomer};
pub use views::UserStatus;
use views::{UserPage, UserView, account_role};

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(
            list_users,
            Callers::account(UsersManage),
            RateLimit::PerCaller,
        )
        .service(
            invite_user,
            Callers::account(UsersManage),
            RateLimit::PerCaller,
        )
        .service(
            read_user,
            Callers::account(UsersManage),
            RateLimit::PerCaller,
        )
        .service(
            update_user,
            Callers::account(UsersManage),
            RateLimit::PerCaller,
        )
        .service(
            remove_user,
            Callers::account(UsersManage),
            RateLimit::PerCaller,
        );
}

list_params! {
    /// Which users to list.
    struct UsersParams {}
}

/// List the users of an account
///
/// Newest first. For its superusers and administrators.
#[utoipa::path(
    tag = "accounts",
    operation_id = "listUsers",
    security(("bearer" = [])),
    params(AccountPath, UsersParams),
    responses((status = 200, description = "The users", body = UserPage))
)]
#[get("/accounts/{account_id}/users")]
async fn list_users(
    service: Data<Service>,
    access: Access<UsersManage>,
    params: Params<UsersParams>,
    pages: Pages,
) -> Result<Answer> {
    let size = params.0.size();
    let before = pages.after(&params.0)?.map(|cursor| cursor.id.into());
    let rows = service
        .db
        .fetch(move |conn| {
            let rows = repository::users::list(conn, &access.account, before, size + 1)?;
            accounts::exists_unless(conn, &access.account, !rows.is_empty())?;
            Ok(rows)
        })
        .await?;
    let (rows, next_cursor) = pages.cut(rows, size, |user| Cursor::of_id(user.id.uuid()));
    let items = rows.into_iter().map(UserView::of).collect::<Result<_>>()?;
    let link = pages.link_next(next_cursor.as_deref());
    Ok(Answer::ok(&UserPage { items, next_cursor })?.header_if("Link", link))
}

/// Who is to be a user.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "email": "nina@fjordfoto.example", "name": "Nina Fjord", "role": "member", "language": "da" }))]
struct InviteUser {
    /// The user signs in with it.
    email: Email,
    name: Line<100>,
    /// `read_only` may look, `member` also registers products, `superuser` may do everything on the account.
    #[schema(schema_with = account_role)]
    role: Role,
    /// Without one, that of the account.
    #[schema(nullable = false)]
    language: Option<LanguageTag>,
}

impl Plain for InviteUser {}

impl From<InviteUser> for Newcomer {
    fn from(body: InviteUser) -> Self {
        Self {
            email: body.email,
            name: body.name.into(),
            roles: vec![body.role],
            language: body.language.map(LanguageTag::language),
        }
    }
}

/// Add a user
///
/// Mails a link to set the first password. A further superuser can be added too, so that the last one can be replaced. An invitation that is not
/// accepted ends after 5 days; inviting again sends a new link. 409 `email_in_use` where the address has a user, 409 `account_not_active` unless the
/// account is active.
#[utoipa::path(
    tag = "accounts",
    operation_id = "inviteUser",
    security(("bearer" = [])),
    params(AccountPath, IdempotencyHeader),
    request_body = InviteUser,
    responses((status = 201, description = "The user", body = UserView, headers(("ETag" = String))))
)]
#[post("/accounts/{account_id}/users")]
async fn invite_user(
    service: Data<Service>,
    access: Access<UsersManage>,
    key: Idempotency,
    body: Body<InviteUser>,
) -> Result<Answer> {
    let (context, hash) = (service.context(), body.hash().to_owned());
    let new = Newcomer::from(body.value);
    key.write(&service, &hash, move |conn| {
        let user = users::invite(conn, &context, &access.account, new)?;
        let version = user.version;
        Ok(Answer::created(&UserView::of(user)?)?.etag(version))
    })
    .await
}

/// Names one user of an account in a path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
#[allow(dead_code)]
struct UserPath {
    /// The account.
    #[param(example = "acc_00000000000070008000000000000001")]
    account_id: AccountId,
    /// The user.
    #[param(example = "usr_0000000000007000800000000000006f")]
    user_id: UserId,
}

/// Read a user of an account
///
/// For the account's superusers and administrators.
#[utoipa::path(
    tag = "accounts",
    operation_id = "readUser",
    security(("bearer" = [])),
    params(UserPath),
    responses((status = 200, description = "The user", body = UserView, headers(("ETag" = String))))
)]
#[get("/accounts/{account_id}/users/{user_id}")]
async fn read_user(
    service: Data<Service>,
    access: Access<UsersManage>,
    path: Path<UserPath>,
) -> Result<Answer> {
    let id = path.user_id;
    let user = service
        .db
        .fetch(move |conn| repository::users::find(conn, &access.account, id))
        .await?;
    let view = UserView::of(user)?;
    Ok(Answer::ok(&view)?.etag(view.version))
}

/// A change of a user, as a JSON Merge Patch (RFC 7396).
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "role": "superuser" }))]
struct UpdateUser {
    /// What the user may do from now on.
    #[schema(schema_with = account_role, required = false)]
    role: Option<Role>,
}

impl Input for UpdateUser {
    type Parsed = Self;
    const MEDIA_TYPES: &'static [&'static str] = &MERGE_PATCH;

    fn parse(self, _: &Programme, faults: Faults) -> Result<Self> {
        faults.judge(Some(self))
    }
}

/// Give a user another role
///
/// Their sessions end, so that they sign in again with the new role. The last superuser who can sign in keeps theirs: 409 `last_superuser`. Name and
/// language are the user's own to change. 409 `account_not_active` unless the account is active.
#[utoipa::path(
    tag = "accounts",
    operation_id = "updateUser",
    security(("bearer" = [])),
    params(UserPath, IfMatchHeader),
    request_body(content(
        (UpdateUser = "application/merge-patch+json"),
        (UpdateUser = "application/json")
    )),
    responses((status = 200, description = "The user", body = UserView, headers(("ETag" = String))))
)]
#[patch("/accounts/{account_id}/users/{user_id}")]
async fn update_user(
    service: Data<Service>,
    authenticator: Data<Authenticator>,
    access: Access<UsersManage>,
    path: Path<UserPath>,
    seen: IfMatch,
    body: Body<UpdateUser>,
) -> Result<Answer> {
    let (context, id, role) = (service.context(), path.user_id, body.value.role);
    let user = service
        .db
        .write(move |conn| {
            let check = |version| seen.check(version);
            users::change_role(conn, &context, &access.account, (id, role), check)
        })
        .await?;
    authenticator.forget_all();
    let view = UserView::of(user)?;
    Ok(Answer::ok(&view)?.etag(view.version))
}

/// Remove a user
///
/// Their sessions and links end at once; the address can be invited again. The last superuser stays: 409 `last_superuser`.
#[utoipa::path(
    tag = "accounts",
    operation_id = "removeUser",
    security(("bearer" = [])),
    params(UserPath, IfMatchHeader),
    responses((status = 204, description = "The user is removed"))
)]
#[delete("/accounts/{account_id}/users/{user_id}")]
async fn remove_user(
    service: Data<Service>,
    authenticator: Data<Authenticator>,
    access: Access<UsersManage>,
    path: Path<UserPath>,
    seen: IfMatch,
) -> Result<Answer> {
    let (context, id) = (service.context(), path.user_id);
    service
        .db
        .write(move |conn| {
            let check = |version| seen.check(version);
            users::remove(conn, &context, &access.account, id, check)
        })
        .await?;
    authenticator.forget_all();
    Ok(Answer::no_content())
}
