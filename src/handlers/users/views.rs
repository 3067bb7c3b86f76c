//! What callers see of a user.

use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};

use crate::domain::access::UserId;
use crate::domain::language::Language;
use crate::domain::permissions::Role;
use crate::error::{Code, Result};
use crate::repository::users::User;
use crate::types::{Instant, text_enum};

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
pub fn account_role() -> RefOr<Schema> {
    let roles = Role::ALL.iter().filter(|role| role.is_account_user());
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(roles.map(|role| role.as_str())))
        .into()
}

/// A user of an account.
#[derive(Serialize, ToSchema)]
pub struct UserView {
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
    pub version: i64,
    created_at: Instant,
}

impl UserView {
    /// The view of a user.
    pub fn of(user: User) -> Result<Self> {
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
pub struct UserPage {
    pub items: Vec<UserView>,
    #[schema(required = true)]
    pub next_cursor: Option<String>,
}
