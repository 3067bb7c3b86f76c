//! What the systems of a dealer sign in with. Secrets are shown once.

use actix_web::web::{Data, Path};
use actix_web::{delete, get, patch, post};
use serde::Deserialize;
use utoipa::IntoParams;

use super::PartnerPath;
use super::bodies::{CreateCredential, RotateSecret, UpdateCredential};
use super::views::{CredentialPage, CredentialView, SecretView};
use crate::auth::{Authenticator, StaffOnly};
use crate::domain::partner::{CredentialId, PartnerId};
use crate::domain::permissions::PartnersManage;
use crate::error::{Code, Result};
use crate::handlers::answer::Answer;
use crate::handlers::extract::{
    Body, Cursor, Idempotency, IdempotencyHeader, IfMatch, IfMatchHeader, PageParams, Pages,
    Params, list_params,
};
use crate::handlers::service::Service;
use crate::handlers::{Callers, RateLimit, Routes};
use crate::repository::{credentials as stored, partners};
use crate::workflows::credentials;

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    let (callers, limit) = (Callers::staff(PartnersManage), RateLimit::PerCaller);
    config
        .service(list_credentials, callers, limit)
        .service(create_credential, callers, limit)
        .service(update_credential, callers, limit)
        .service(revoke_credential, callers, limit)
        .service(rotate_secret, callers, limit)
        .service(end_previous_secret, callers, limit);
}

/// Names a credential of a dealer in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct CredentialPath {
    /// The dealer.
    #[param(example = "ptn_0000000000007000800000000000012c")]
    partner_id: PartnerId,
    /// The credential.
    #[param(example = "crd_0000000000007000800000000000012d")]
    credential_id: CredentialId,
}

impl CredentialPath {
    fn of(&self) -> credentials::Of {
        (self.partner_id, self.credential_id)
    }
}

list_params! {
    /// Which credentials to list.
    struct CredentialsParams {}
}

/// List the credentials of a dealer
///
/// Those that were not revoked, newest first; never a secret. For administrators.
#[utoipa::path(
    tag = "partners",
    operation_id = "listCredentials",
    security(("bearer" = [])),
    params(PartnerPath, CredentialsParams),
    responses((status = 200, description = "The credentials", body = CredentialPage))
)]
#[get("/partners/{partner_id}/credentials")]
async fn list_credentials(
    service: Data<Service>,
    _staff: StaffOnly<PartnersManage>,
    path: Path<PartnerPath>,
    params: Params<CredentialsParams>,
    pages: Pages,
) -> Result<Answer> {
    let (size, id) = (params.0.size(), path.partner_id);
    let before = pages.after(&params.0)?.map(|cursor| cursor.id.into());
    let rows = service
        .db
        .read(move |conn| {
            partners::find_by_id(conn, id)?.ok_or(Code::NotFound)?;
            stored::list(conn, id, before, size + 1)
        })
        .await?;
    let (rows, next_cursor) = pages.cut(rows, size, |one| Cursor::of_id(one.id.uuid()));
    let items = rows.into_iter().map(CredentialView::of);
    let items = items.collect::<Result<_>>()?;
    let link = pages.link_next(next_cursor.as_deref());
    Ok(Answer::ok(&CredentialPage { items, next_cursor })?.header_if("Link", link))
}

/// Give a system a credential
///
/// For administrators. The answer has the secret, which is shown this once. A dealer has 10 credentials at most: 409 `credential_limit_reached`.
#[utoipa::path(
    tag = "partners",
    operation_id = "createCredential",
    security(("bearer" = [])),
    params(PartnerPath, IdempotencyHeader),
    request_body = CreateCredential,
    responses((status = 201, description = "The credential with its secret", body = SecretView, headers(("ETag" = String))))
)]
#[post("/partners/{partner_id}/credentials")]
async fn create_credential(
    service: Data<Service>,
    access: StaffOnly<PartnersManage>,
    path: Path<PartnerPath>,
    key: Idempotency,
    body: Body<CreateCredential>,
) -> Result<Answer> {
    let (context, hash) = (service.context(), body.hash().to_owned());
    let (stamp, prefix) = (access.staff.stamp(context.now), service.secret_prefix);
    let (id, new) = (path.partner_id, body.value);
    key.write(&service, &hash, move |conn| {
        let made = credentials::create(conn, &context, &stamp, (id, new), prefix)?;
        let version = made.0.version;
        Ok(Answer::created(&SecretView::of(made)?)?
            .etag(version)
            .header("Cache-Control", "no-store"))
    })
    .await
}

/// Change a credential
///
/// For administrators. Where it may do less than before its tokens end within 5 seconds; from other networks than these they do not hold.
#[utoipa::path(
    tag = "partners",
    operation_id = "updateCredential",
    security(("bearer" = [])),
    params(CredentialPath, IfMatchHeader),
    request_body(content(
        (UpdateCredential = "application/merge-patch+json"),
        (UpdateCredential = "application/json")
    )),
    responses((status = 200, description = "The credential", body = CredentialView, headers(("ETag" = String))))
)]
#[patch("/partners/{partner_id}/credentials/{credential_id}")]
async fn update_credential(
    service: Data<Service>,
    authenticator: Data<Authenticator>,
    access: StaffOnly<PartnersManage>,
    path: Path<CredentialPath>,
    seen: IfMatch,
    body: Body<UpdateCredential>,
) -> Result<Answer> {
    let (stamp, of, change) = (access.staff.stamp(service.now()), path.of(), body.value);
    let credential = service
        .db
        .write(move |conn| {
            let check = |version| seen.check(version);
            credentials::change(conn, &stamp, of, change.clone(), check)
        })
        .await?;
    authenticator.forget_all();
    let version = credential.version;
    Ok(Answer::ok(&CredentialView::of(credential)?)?.etag(version))
}

/// Revoke a credential
///
/// For administrators. The system signs in no more, and its tokens end within 5 seconds.
#[utoipa::path(
    tag = "partners",
    operation_id = "revokeCredential",
    security(("bearer" = [])),
    params(CredentialPath, IfMatchHeader),
    responses((status = 204, description = "The credential is revoked"))
)]
#[delete("/partners/{partner_id}/credentials/{credential_id}")]
async fn revoke_credential(
    service: Data<Service>,
    authenticator: Data<Authenticator>,
    access: StaffOnly<PartnersManage>,
    path: Path<CredentialPath>,
    seen: IfMatch,
) -> Result<Answer> {
    let (stamp, of) = (access.staff.stamp(service.now()), path.of());
    service
        .db
        .write(move |conn| credentials::revoke(conn, &stamp, of, |version| seen.check(version)))
        .await?;
    authenticator.forget_all();
    Ok(Answer::no_content())
}

/// Give a system another secret
///
/// For administrators. The answer has the new secret, which is shown this once; the one before opens for `overlap_hours` more, a week where nothing is
/// said. Until then 409 `secret_rotation_open`.
#[utoipa::path(
    tag = "partners",
    operation_id = "rotateSecret",
    security(("bearer" = [])),
    params(CredentialPath, IdempotencyHeader),
    request_body = RotateSecret,
    responses((status = 200, description = "The credential with its new secret", body = SecretView, headers(("ETag" = String))))
)]
#[post("/partners/{partner_id}/credentials/{credential_id}/secret-rotation")]
async fn rotate_secret(
    service: Data<Service>,
    access: StaffOnly<PartnersManage>,
    path: Path<CredentialPath>,
    key: Idempotency,
    body: Body<RotateSecret>,
) -> Result<Answer> {
    let (stamp, hash) = (access.staff.stamp(service.now()), body.hash().to_owned());
    let (of, overlap, prefix) = (path.of(), body.value.overlap(), service.secret_prefix);
    key.write(&service, &hash, move |conn| {
        let made = credentials::rotate_secret(conn, &stamp, of, overlap, prefix)?;
        let version = made.0.version;
        Ok(Answer::ok(&SecretView::of(made)?)?
            .etag(version)
            .header("Cache-Control", "no-store"))
    })
    .await
}

/// End the secret before the newest one
///
/// For administrators. It opens nothing from now on, and the system's tokens end within 5 seconds: with the newest secret it signs in anew. Nothing
/// happens where there is none.
#[utoipa::path(
    tag = "partners",
    operation_id = "endPreviousSecret",
    security(("bearer" = [])),
    params(CredentialPath),
    responses((status = 204, description = "Only the newest secret opens"))
)]
#[delete("/partners/{partner_id}/credentials/{credential_id}/previous-secret")]
async fn end_previous_secret(
    service: Data<Service>,
    authenticator: Data<Authenticator>,
    access: StaffOnly<PartnersManage>,
    path: Path<CredentialPath>,
) -> Result<Answer> {
    let (stamp, of) = (access.staff.stamp(service.now()), path.of());
    service
        .db
        .write(move |conn| credentials::end_previous(conn, &stamp, of))
        .await?;
    authenticator.forget_all();
    Ok(Answer::no_content())
}
