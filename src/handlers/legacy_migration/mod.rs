//! Taking over the products of an old CPS account: what waits, the proof, the takeover; staff attach an account.

mod views;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, get, post, put};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::accounts::AccountPath;
use super::answer::Answer;
use super::extract::{Body, Idempotency, IdempotencyHeader, Input, OptionalBody, Plain};
use super::language::preferred;
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::auth::Access;
use crate::domain::permissions::{LegacyAttach, ProductsChange, ProductsRead};
use crate::domain::values::{Field, Line};
use crate::error::{Faults, Partial, Result};
use crate::programme::Programme;
use crate::workflows::legacy_migration;
use crate::workflows::legacy_migration::Attachment;
use views::{MigratedView, MigrationView};

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(
            read_migration,
            Callers::account(ProductsRead),
            RateLimit::PerCaller,
        )
        .service(
            migrate_products,
            Callers::account(ProductsChange),
            RateLimit::PerCaller,
        )
        .service(
            send_code,
            Callers::account(ProductsChange),
            RateLimit::PerCaller,
        )
        .service(
            prove_address,
            Callers::account(ProductsChange),
            RateLimit::PerCaller,
        )
        .service(
            attach_account,
            Callers::account(LegacyAttach),
            RateLimit::PerCaller,
        );
}

/// Read what can be taken over
///
/// Whether products of old CPS accounts wait: which, with what each will lack, and if none, why and what to do. Before the old address is proven,
/// every address answers `awaiting_proof`.
#[utoipa::path(
    tag = "migration",
    operation_id = "readMigration",
    security(("bearer" = [])),
    params(AccountPath),
    responses((status = 200, description = "What waits", body = MigrationView))
)]
#[get("/accounts/{account_id}/migration")]
async fn read_migration(
    service: Data<Service>,
    access: Access<ProductsRead>,
    request: HttpRequest,
) -> Result<Answer> {
    let context = service.context();
    let (found, waiting) = service
        .db
        .read(move |conn| legacy_migration::waiting(conn, &context, &access.account))
        .await?;
    let language = preferred(request.headers());
    Answer::ok(&MigrationView::of(found, waiting, language))
}

/// Which products to take over.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "legacy_references": ["L-5001", "L-5002"] }))]
struct MigrateProducts {
    /// Their references in the old account; without it, all.
    #[schema(value_type = Vec<Line<100>>, required = false, min_items = 1, max_items = 5000)]
    legacy_references: Option<Vec<String>>,
}

impl Plain for MigrateProducts {}

/// Take over the products
///
/// MIGRATE PRODUCTS: registers the products of the old accounts, each with its result. The same call again answers the same items and grants 0 points.
/// 409 with the `reason` as code where nothing is available.
#[utoipa::path(
    tag = "migration",
    operation_id = "migrateProducts",
    security(("bearer" = [])),
    params(AccountPath, IdempotencyHeader),
    request_body(content = Option<MigrateProducts>, example = json!({ "legacy_references": ["L-5001", "L-5002"] })),
    responses((status = 200, description = "What became of each", body = MigratedView))
)]
#[post("/accounts/{account_id}/migration")]
async fn migrate_products(
    service: Data<Service>,
    access: Access<ProductsChange>,
    key: Idempotency,
    body: OptionalBody<MigrateProducts>,
) -> Result<Answer> {
    let (context, hash) = (service.context(), body.hash().to_owned());
    let references = body.value.and_then(|body| body.legacy_references);
    key.write(&service, &hash, move |conn| {
        let migrated =
            legacy_migration::migrate(conn, &context, &access.account, references.as_deref())?;
        Answer::ok(&MigratedView::of(migrated))
    })
    .await
}

/// Send the code
///
/// Mails a code to the old CPS address: 15 minutes, 5 tries, 3 mails a day (429 after that). Nothing is sent where the address is proven already.
#[utoipa::path(
    tag = "migration",
    operation_id = "sendMigrationCode",
    security(("bearer" = [])),
    params(AccountPath),
    responses((status = 202, description = "A mail is on its way to the old address"))
)]
#[post("/accounts/{account_id}/migration/proof")]
async fn send_code(
    service: Data<Service>,
    access: Access<ProductsChange>,
    _path: Path<AccountPath>,
) -> Result<Answer> {
    let context = service.context();
    service
        .db
        .write(move |conn| legacy_migration::send_code(conn, &context, &access.account))
        .await?;
    Ok(Answer::accepted())
}

/// The code of the mail.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "code": "12345678" }))]
struct ProveAddress {
    #[schema(value_type = String, min_length = 1, max_length = 20)]
    code: SecretString,
}

impl Plain for ProveAddress {}

/// Enter the code
///
/// Proves the old CPS address. 422 `code_invalid` for a wrong or old code, 429 after 5 wrong ones: have a new one sent.
#[utoipa::path(
    tag = "migration",
    operation_id = "proveLegacyAddress",
    security(("bearer" = [])),
    params(AccountPath),
    request_body = ProveAddress,
    responses((status = 204, description = "The address is proven"))
)]
#[put("/accounts/{account_id}/migration/proof")]
async fn prove_address(
    service: Data<Service>,
    access: Access<ProductsChange>,
    _path: Path<AccountPath>,
    body: Body<ProveAddress>,
) -> Result<Answer> {
    let (context, code) = (service.context(), body.value.code);
    service
        .db
        .write(move |conn| legacy_migration::prove(conn, &context, &access.account, &code))
        .await??;
    Ok(Answer::no_content())
}

/// Which old account, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "member_number": "4410023", "reason": "Proof of purchase seen, the old mailbox is gone" }))]
struct AttachLegacyAccount {
    /// The member number of the old CPS account, with or without blanks and hyphens.
    #[schema(value_type = String, min_length = 1, max_length = 40)]
    member_number: Field<String>,
    #[schema(value_type = Line<500>)]
    reason: Field<Line<500>>,
}

/// The database knows which numbers there are.
impl Input for AttachLegacyAccount {
    type Parsed = Partial<Attachment>;

    fn parse(self, _: &Programme, faults: Faults) -> Result<Self::Parsed> {
        let member_number = self.member_number.map(|number| number.trim().to_owned());
        let read = Attachment {
            member_number: member_number.value(),
            reason: self.reason.map(String::from).value(),
        };
        Ok(Partial { read, faults })
    }
}

/// An old account that is attached.
#[derive(Serialize, ToSchema)]
struct AttachedView {
    email: String,
    member_number: String,
}

/// Attach an old account
///
/// Support attach the old CPS account of a member number to an account that cannot prove the old address, beside those that it has. The account then
/// takes its products over. 409 `legacy_account_taken` where another account has it.
#[utoipa::path(
    tag = "migration",
    operation_id = "attachLegacyAccount",
    security(("bearer" = [])),
    params(AccountPath),
    request_body = AttachLegacyAccount,
    responses((status = 200, description = "The old account", body = AttachedView))
)]
#[put("/accounts/{account_id}/legacy-account")]
async fn attach_account(
    service: Data<Service>,
    access: Access<LegacyAttach>,
    _path: Path<AccountPath>,
    body: Body<AttachLegacyAccount>,
) -> Result<Answer> {
    let (context, attachment) = (service.context(), body.value);
    let legacy = service
        .db
        .write(move |conn| legacy_migration::attach(conn, &context, &access.account, attachment))
        .await?;
    Answer::ok(&AttachedView {
        email: legacy.email,
        member_number: legacy.member_number,
    })
}
