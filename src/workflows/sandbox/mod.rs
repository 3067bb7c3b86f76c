//! What every sandbox begins with: one member of staff for each role, two members, an application that waits; products and the membership have their own files.

mod membership;
mod products;

use serde_json::json;
use uuid::Uuid;

use super::Context;
use crate::domain::access::{ServiceAccess, UserId};
use crate::domain::account::{AccountId, AccountStatus, account_number};
use crate::domain::actor::Cause;
use crate::domain::document::{DocumentId, DocumentKind, DocumentStatus};
use crate::domain::event::Event;
use crate::domain::file::FileState;
use crate::domain::language::Language;
use crate::domain::media_type::MediaType;
use crate::domain::permissions::Role;
use crate::domain::values::{Country, email_key};
use crate::error::Result;
use crate::repository::accounts::{self, Account};
use crate::repository::documents::{self, Document};
use crate::repository::files::{self, StoredFile};
use crate::repository::reviews::{self, Review};
use crate::repository::users::{self, User};
use crate::repository::{DbConn, events};
use crate::secrets::sha256_hex;
use crate::types::Json;

pub use products::TAKEN_SERIAL;

/// The password of everybody who is seeded.
pub const PASSWORD: &str = "Sandbox-Adgang-2026";

/// The staff: e-mail, name, role.
pub const STAFF: [(&str, &str, Role); 4] = [
    ("reviewer@cps.example", "Rikke Reviewer", Role::Reviewer),
    ("support@cps.example", "Simon Support", Role::Support),
    ("finance@cps.example", "Freja Finans", Role::Finance),
    ("admin@cps.example", "Anders Admin", Role::Admin),
];

/// The members: e-mail, name, company, city, VAT number.
pub const MEMBERS: [(&str, &str, &str, &str, &str); 2] = [
    (
        "mette@fjordfoto.example",
        "Mette Fjord",
        "Fjord Foto ApS",
        "Aarhus C",
        "24256790",
    ),
    (
        "jonas@lysogskygge.example",
        "Jonas Lys",
        "Lys & Skygge Produktion A/S",
        "Odense C",
        "10150817",
    ),
];

/// A file that the seeded application has handed in.
pub const SAMPLE_PDF: &[u8] = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 0/Kids[]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";
/// Where that file is kept.
pub const SAMPLE_KEY: &str = "sandbox/certificate";

/// The fixed id of the `n`-th seeded thing, so that the contract's examples exist in every sandbox.
pub const fn fixed(n: u128) -> Uuid {
    Uuid::from_u128(0x7000_8000_0000_0000_0000 | n)
}

/// The `n`-th seeded account.
pub fn account_id(n: u128) -> AccountId {
    fixed(n).into()
}

/// The proof of who seeds.
#[expect(
    clippy::disallowed_methods,
    reason = "the sandbox's seed acts as the service"
)]
fn seeding() -> ServiceAccess {
    ServiceAccess::new(Cause::Seed)
}

/// Who may do with the `n`-th seeded account what the seed does.
#[cfg(test)]
pub(super) fn member(n: u128) -> crate::domain::access::AccountAccess {
    seeding().on(account_id(n))
}

/// Seeds staff, members and one submitted application; `password_hash` is that of [`PASSWORD`].
pub fn seed(conn: &mut DbConn, context: &Context, password_hash: &str) -> Result<()> {
    for ((email, name, role), n) in STAFF.into_iter().zip(100..) {
        let user = user(context, n, None, (email, name), role, password_hash);
        users::insert(conn, &user)?;
    }
    for ((email, name, company, city, vat), n) in MEMBERS.into_iter().zip(1..) {
        let mut account = account(context, n, company, city, (name, email));
        account.vat_number = Some(vat.to_owned());
        account.status = AccountStatus::Active;
        account.approved_at = Some(context.now);
        accounts::insert(conn, &account)?;
        let active = Event::AccountActive {
            account_id: account.id,
            status: account.status,
        };
        events::record(conn, &seeding().stamp(context.now), &[active])?;
        documents::insert(
            conn,
            &document(context, 10 + n, account.id, DocumentStatus::Accepted),
        )?;
        let user = user(
            context,
            110 + n,
            Some(account.id),
            (email, name),
            Role::Superuser,
            password_hash,
        );
        users::insert(conn, &user)?;
    }
    seed_application(conn, context)?;
    products::seed(conn, context)?;
    membership::seed(conn, context)
}

fn seed_application(conn: &mut DbConn, context: &Context) -> Result<()> {
    let mut account = account(
        context,
        3,
        "Havblik Billeder ApS",
        "Esbjerg",
        ("Karl Hav", "karl@havblik.example"),
    );
    account.vat_number = Some("47458714".to_owned());
    account.status = AccountStatus::Submitted;
    accounts::insert(conn, &account)?;
    let submitted = Event::AccountSubmitted {
        account_id: account.id,
        status: account.status,
    };
    events::record(conn, &seeding().stamp(context.now), &[submitted])?;
    let mut document = document(context, 13, account.id, DocumentStatus::Pending);
    document.file_key = Some(SAMPLE_KEY.to_owned());
    files::insert(conn, &sample_file(context, account.id))?;
    documents::insert(conn, &document)?;
    let due_at = context.programme.review.review_due(context.now);
    let review = Review::opened(account.id, context.now, due_at);
    reviews::insert(conn, &review)?;
    crate::workflows::review_deadlines::watch(conn, context, account.id, due_at)
}

/// The bytes that an account number would be drawn from.
fn drawn(n: u128) -> [u8; 8] {
    u64::try_from(n).unwrap_or(0).to_be_bytes()
}

fn account(context: &Context, n: u128, company: &str, city: &str, of: (&str, &str)) -> Account {
    let (name, email) = of;
    Account {
        id: account_id(n),
        account_number: account_number(drawn(n)),
        status: AccountStatus::Draft,
        version: 1,
        company_name: company.to_owned(),
        company_key: company.to_lowercase(),
        country: Country::DK,
        vat_registered: true,
        vat_number: None,
        street: format!("Strandvejen {n}"),
        postal_code: "8000".to_owned(),
        city: city.to_owned(),
        contact_name: name.to_owned(),
        contact_email: email.to_owned(),
        contact_email_key: email_key(email),
        contact_phone: None,
        legacy_cps_email: None,
        language: Language::Da,
        source: Some("sandbox".to_owned()),
        authority_declared_at: context.now,
        authority_declared_from: "127.0.0.1".to_owned(),
        terms_version: context.programme.terms_version.clone(),
        terms_accepted_at: context.now,
        applicant_token_hash: None,
        created_at: context.now,
        updated_at: context.now,
        approved_at: None,
        ended_at: None,
        suspended_from: None,
        mailbox_used_at: None,
        contact_email_proposed: None,
        contact_email_proposed_by: None,
    }
}

fn user(
    context: &Context,
    n: u128,
    account_id: Option<AccountId>,
    (email, name): (&str, &str),
    role: Role,
    password_hash: &str,
) -> User {
    User {
        id: UserId::from(fixed(n)),
        version: 1,
        account_id,
        email: email.to_owned(),
        email_key: email_key(email),
        name: name.to_owned(),
        roles: Json(json!([role])),
        language: Language::Da,
        password_hash: Some(password_hash.to_owned()),
        session_version: 1,
        created_at: context.now,
        removed_at: None,
        invited_until: None,
    }
}

fn sample_file(context: &Context, account_id: AccountId) -> StoredFile {
    StoredFile {
        key: SAMPLE_KEY.to_owned(),
        account_id,
        state: FileState::Stored,
        created_at: context.now,
        changed_at: context.now,
    }
}

fn document(context: &Context, n: u128, account_id: AccountId, status: DocumentStatus) -> Document {
    Document {
        id: DocumentId::from(fixed(n)),
        account_id,
        version: 1,
        kind: DocumentKind::VatRegistrationCertificate,
        status,
        codes: Json(json!([])),
        media_type: MediaType::Pdf,
        size: i64::try_from(SAMPLE_PDF.len()).unwrap_or(1),
        sha256: sha256_hex(SAMPLE_PDF),
        file_name: "certifikat.pdf".to_owned(),
        issued_date: None,
        file_key: None,
        decided_by: None,
        decided_at: (status == DocumentStatus::Accepted).then_some(context.now),
        created_at: context.now,
        removed_at: None,
    }
}
