//! Forgotten passwords, and setting new ones.

use actix_web::web::Data;
use actix_web::{post, put};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use utoipa::ToSchema;

use super::take_back;
use crate::auth::Authenticator;
use crate::domain::access::{Anonymous, UserAccess};
use crate::domain::password::{Owner, check_password};
use crate::domain::values::Email;
use crate::error::{Error, Fault, FaultCode, Result};
use crate::handlers::answer::Answer;
use crate::handlers::extract::{Body, Plain};
use crate::handlers::service::Service;
use crate::handlers::{Callers, RateLimit, Routes};
use crate::repository::users::User;
use crate::types::uuid_at;
use crate::workflows::tasks::{Task, enqueue};
use crate::workflows::{me, passwords};

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(request_password_reset, Callers::Anybody, RateLimit::Reset)
        .service(set_password, Callers::Anybody, RateLimit::Reset)
        .service(change_password, Callers::User, RateLimit::SignIn);
}

/// Whose password is forgotten.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "email": "mette@fjordfoto.example" }))]
struct PasswordResetRequest {
    email: Email,
}

impl Plain for PasswordResetRequest {}

/// Ask for a new password
///
/// Always 202, in the same time; at most 3 mails an hour to an address, and the links before one stay good. A user gets a link for an hour; before approval the mail tells how far the application is, and carries no token.
#[utoipa::path(
    tag = "sessions",
    operation_id = "requestPasswordReset",
    request_body = PasswordResetRequest,
    responses((status = 202, description = "If the address is known, a mail is on its way"))
)]
#[post("/password-resets")]
async fn request_password_reset(
    service: Data<Service>,
    body: Body<PasswordResetRequest>,
) -> Result<Answer> {
    let now = service.now();
    let task = Task::AnswerReset {
        request: uuid_at(now).to_string(),
        email: body.value.email.to_string(),
    };
    service
        .db
        .write(move |conn| enqueue(conn, &task, now, now))
        .await?;
    Ok(Answer::accepted())
}

/// A new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "token": "cpt_mJ0p9hDJb2b4a2m7o1yJ7v9S0m0lqk5Jc3vYw1dZx8E", "new_password": "en lang og god sætning" }))]
struct SetPassword {
    /// What stands behind `#token=` in the mail's link.
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    token: SecretString,
    /// 12 to 128 characters; not easy to guess, and without the company's name, the user's or the e-mail's local part.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 128)]
    new_password: SecretString,
}

impl Plain for SetPassword {}

/// Set a password
///
/// With the token of a mail: the first password, or a new one. It is used up only here. Every other session of the user ends.
/// Unknown, used and expired tokens get the same 400 `token_invalid`.
#[utoipa::path(
    tag = "sessions",
    operation_id = "setPassword",
    request_body = SetPassword,
    responses((status = 204, description = "The password is set"))
)]
#[post("/passwords")]
async fn set_password(
    service: Data<Service>,
    authenticator: Data<Authenticator>,
    who: Anonymous,
    body: Body<SetPassword>,
) -> Result<Answer> {
    let SetPassword {
        token,
        new_password,
    } = body.value;
    let (context, looked_up) = (service.context(), token.clone());
    let (user, company) = service
        .db
        .read(move |conn| passwords::owner_of(conn, &context, looked_up.expose_secret()))
        .await?;
    let faults = faults_of(&service, &new_password, (&user, &company));
    if !faults.is_empty() {
        return Err(Error::invalid(faults));
    }
    let (hash, context) = (service.hasher.hash(new_password).await?, service.context());
    service
        .db
        .write(move |conn| passwords::set(conn, &context, &who, token.expose_secret(), hash))
        .await?;
    authenticator.forget_all();
    Ok(Answer::no_content())
}

/// The password that was, and a new one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "current_password": "Sandbox-Adgang-2026", "new_password": "en lang og god sætning" }))]
struct ChangePassword {
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 128)]
    current_password: SecretString,
    /// 12 to 128 characters; not easy to guess, and without the company's name, the user's or the e-mail's local part.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 128)]
    new_password: SecretString,
}

impl Plain for ChangePassword {}

/// Change your own password
///
/// The session that asks goes on, every other one of yours ends, and a mail tells you. A wrong current password is 422 with `password_wrong` at its field;
/// after 5 of them the next waits, longer each time: 429 `too_many_attempts`.
#[utoipa::path(
    tag = "sessions",
    operation_id = "changePassword",
    security(("bearer" = [])),
    request_body = ChangePassword,
    responses((status = 204, description = "The password is changed"))
)]
#[put("/me/password")]
async fn change_password(
    service: Data<Service>,
    authenticator: Data<Authenticator>,
    access: UserAccess,
    body: Body<ChangePassword>,
) -> Result<Answer> {
    let user = check_current(&service, &access, &body.value).await?;
    let hash = service.hasher.hash(body.value.new_password).await?;
    let context = service.context();
    service
        .db
        .write(move |conn| me::change_password(conn, &context, &access, &user, hash))
        .await?;
    authenticator.forget_all();
    Ok(Answer::no_content())
}

/// The user whose current password was sent, with a new one that passes; a try that was right is not held against them.
async fn check_current(
    service: &Service,
    access: &UserAccess,
    sent: &ChangePassword,
) -> Result<User> {
    // First: a try counts only where its password will be compared.
    let place = service.hasher.reserve()?;
    let (context, own) = (service.context(), access.clone());
    let tried_at = context.now;
    let (user, company) = service
        .db
        .write(move |conn| me::begin(conn, &context, &own))
        .await?;
    let (typed, stored) = (sent.current_password.clone(), user.password_hash.clone());
    let matches = service.hasher.verify(place, typed, stored).await?;
    let mut faults = faults_of(service, &sent.new_password, (&user, &company));
    if matches {
        take_back(service, me::own_tries(user.id), tried_at);
    } else {
        let wrong = Fault::new("#/current_password", FaultCode::PasswordWrong);
        faults.insert(0, wrong);
    }
    match faults.is_empty() {
        true => Ok(user),
        false => Err(Error::invalid(faults)),
    }
}

/// All that is wrong with a new password of a user of this company.
fn faults_of(
    service: &Service,
    new_password: &SecretString,
    (user, company): (&User, &str),
) -> Vec<Fault> {
    let owner = Owner {
        company_name: company,
        name: &user.name,
        email: &user.email,
    };
    let rules = &service.programme.passwords;
    let codes = check_password(new_password.expose_secret(), owner, rules);
    let faults = codes.into_iter().map(|code| password_fault(service, code));
    faults.collect()
}

fn password_fault(service: &Service, code: FaultCode) -> Fault {
    let rules = &service.programme.passwords;
    let fault = Fault::new("#/new_password", code);
    match code {
        FaultCode::TooShort => fault.with("min", rules.min_characters),
        FaultCode::TooLong => fault.with("max", rules.max_characters),
        _ => fault,
    }
}
