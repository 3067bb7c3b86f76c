//! The users of an account: who may sign in for it. Signing in is in `sessions`.

use actix_web::web::{Data, Path};
use actix_web::{delete, get, post};
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{IntoParams, ToSchema};

use super::accounts::AccountPath;
use super::answer::Answer;
use super::extract::{
    Body, Cursor, Idempotency, IdempotencyHeader, IfMatch, IfMatchHeader, PageParams, Pages,
    Params, Plain, list_params,
};
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::auth::{Access, Authenticator};
use crate::domain::access::UserId;
use crate::domain::account::AccountId;
use crate::domain::language::Language;
use crate::domain::permissions::Role;
use crate::domain::permissions::UsersManage;
use crate::domain::values::{Email, LanguageTag, Line};
use crate::error::{Code, Result};
use crate::repository::users::User;
use crate::repository::{self, accounts};
use crate::types::{Instant, text_enum};
use crate::workflows::users::{self, Newcomer};

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
            remove_user,
            Callers::account(UsersManage),
            RateLimit::PerCaller,
        );
}

text_enum! {
    /// How far a user is.
    pub enum UserStatus {
        /// Has not accepted yet, which is possible for 5 days.
        Invited = "invited",
        /// Can sign in.
        Active = "active",
    }
}

/// The roles that a user of an account can have; those of staff are not among them.
fn account_role() -> RefOr<Schema> {
    let roles = Role::ALL.iter().filter(|role| role.is_account_user());
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(roles.map(|role| role.as_str())))
        .into()
}

/// A user of an account.
#[derive(Serialize, ToSchema)]
struct UserView {
    id: UserId,
    email: String,
    name: String,
    #[schema(schema_with = account_role)]
    role: Role,
    /// Of the mails to this user.
    language: Language,
    status: UserStatus,
    /// Counts the changes; what `If-Match` names.
    #[schema(minimum = 1)]
    version: i64,
    created_at: Instant,
}

impl UserView {
    fn of(user: User) -> Result<Self> {
        let status = match user.password_hash {
            Some(_) => UserStatus::Active,
            None => UserStatus::Invited,
        };
        Ok(Self {
            role: user.roles()?.first().copied().ok_or(Code::InternalError)?,
            id: user.id,
            email: user.email,
            name: user.name,
            language: user.language,
            status,
            version: user.version,
            created_at: user.created_at,
        })
    }
}

/// A page of users.
#[derive(Serialize, ToSchema)]
struct UserPage {
    items: Vec<UserView>,
    #[schema(required = true)]
    next_cursor: Option<String>,
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
