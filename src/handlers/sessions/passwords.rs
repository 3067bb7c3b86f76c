//! Forgotten passwords, and setting new ones.

use actix_web::post;
use actix_web::web::Data;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::auth::Authenticator;
use crate::domain::access::Anonymous;
use crate::domain::password::{Owner, check_password};
use crate::domain::values::Email;
use crate::error::{Error, Fault, FaultCode, Result};
use crate::handlers::answer::Answer;
use crate::handlers::extract::{Body, Plain};
use crate::handlers::service::Service;
use crate::handlers::{Callers, RateLimit, Routes};
use crate::types::uuid_at;
use crate::workflows::passwords;
use crate::workflows::tasks::{Task, enqueue};

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(request_password_reset, Callers::Anybody, RateLimit::Reset)
        .service(set_password, Callers::Anybody, RateLimit::Reset);
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
    let owner = Owner {
        company_name: &company,
        name: &user.name,
        email: &user.email,
    };
    let (typed, rules) = (new_password.expose_secret(), &service.programme.passwords);
    let faults = check_password(typed, owner, rules);
    if !faults.is_empty() {
        return Err(Error::invalid(
            faults
                .into_iter()
                .map(|code| password_fault(&service, code))
                .collect(),
        ));
    }
    let (hash, context) = (service.hasher.hash(new_password).await?, service.context());
    service
        .db
        .write(move |conn| passwords::set(conn, &context, &who, token.expose_secret(), hash))
        .await?;
    authenticator.forget_all();
    Ok(Answer::no_content())
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
