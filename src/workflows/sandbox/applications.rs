//! The applications that every sandbox begins with, one for each step on the way to an account.

use serde_json::json;

use super::businesses::{account, user};
use super::people::Business;
use super::{REVIEWER, SUPPORT, account_id, fixed, seeding, tokens};
use crate::domain::access::UserId;
use crate::domain::account::{AccountId, AccountStatus};
use crate::domain::document::{DocumentId, DocumentKind, DocumentStatus};
use crate::domain::event::Event;
use crate::domain::file::{FileState, SAMPLES};
use crate::domain::media_type::MediaType;
use crate::domain::permissions::Role;
use crate::error::Result;
use crate::repository::accounts::{self, Account};
use crate::repository::documents::{self, Document};
use crate::repository::files::{self, StoredFile};
use crate::repository::reviews::{self, Review};
use crate::repository::{DbConn, events, users};
use crate::secrets::sha256_hex;
use crate::types::Json;
use crate::workflows::{Context, Links, review_deadlines};

/// A file that the seeded applications have handed in.
pub const SAMPLE_PDF: &[u8] = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 0/Kids[]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";

/// A seeded application, and what opens it.
#[derive(Debug, Clone, Copy)]
pub struct Application {
    pub business: Business,
    pub status: AccountStatus,
    pub applicant_token: Option<&'static str>,
    /// Where the file is kept that waits to be looked at.
    file: Option<&'static str>,
}

/// One of each step.
pub const APPLICATIONS: [Application; 4] = [
    Application {
        business: Business {
            n: 3,
            company: "Havblik Billeder ApS",
            vat_number: "47458714",
            postal_code: "6700",
            city: "Esbjerg",
            contact: ("karl@havblik.example", "Karl Hav"),
        },
        status: AccountStatus::Submitted,
        applicant_token: Some("cpa_SandboxApplicationThatWasSubmittedByHavblik"),
        file: Some(SAMPLES[0]),
    },
    Application {
        business: Business {
            n: 4,
            company: "Birkelund Fotografi ApS",
            vat_number: "61298444",
            postal_code: "7100",
            city: "Vejle",
            contact: ("bodil@birkelund.example", "Bodil Birkelund"),
        },
        status: AccountStatus::Draft,
        applicant_token: Some("cpa_SandboxApplicationThatIsADraftOfBirkelunds0"),
        file: Some(SAMPLES[1]),
    },
    Application {
        business: Business {
            n: 5,
            company: "Nordkyst Film ApS",
            vat_number: "35353534",
            postal_code: "3000",
            city: "Helsingør",
            contact: ("niels@nordkyst.example", "Niels Nord"),
        },
        status: AccountStatus::Approved,
        applicant_token: None,
        file: None,
    },
    Application {
        business: Business {
            n: 9,
            company: "Søbred Medier ApS",
            vat_number: "98765417",
            postal_code: "8600",
            city: "Silkeborg",
            contact: ("signe@soebred.example", "Signe Søbred"),
        },
        status: AccountStatus::InReview,
        applicant_token: None,
        file: Some(SAMPLES[2]),
    },
];

/// Where support asks that the contact of the approved application be mailed; an administrator has not answered.
const PROPOSED_EMAIL: &str = "post@nordkyst.example";

/// The days for which the case that is in review stays with its reviewer.
const LEASE_DAYS: i64 = 30;

/// The link of the mail that lets the contact of the approved application set a password.
pub fn set_password_url(links: &Links) -> String {
    links.with_token("set-password", tokens::FIRST_PASSWORD)
}

/// Seeds each of them, with its document.
pub fn seed(conn: &mut DbConn, context: &Context) -> Result<()> {
    for application in APPLICATIONS {
        let account = stored(conn, context, &application)?;
        hand_in(conn, context, &application)?;
        match application.status {
            AccountStatus::Draft => {}
            AccountStatus::Approved => approve(conn, context, &account, &application.business)?,
            _ => submit(conn, context, &account)?,
        }
    }
    Ok(())
}

fn stored(conn: &mut DbConn, context: &Context, application: &Application) -> Result<Account> {
    let mut account = account(context, &application.business);
    account.status = application.status;
    let token = application.applicant_token;
    account.applicant_token_hash = token.map(|token| sha256_hex(token.as_bytes()));
    account.approved_at = (account.status == AccountStatus::Approved).then_some(context.now);
    if account.status == AccountStatus::Approved {
        account.contact_email_proposed = Some(PROPOSED_EMAIL.to_owned());
        account.contact_email_proposed_by = Some(UserId::from(fixed(SUPPORT)));
    }
    accounts::insert(conn, &account)?;
    Ok(account)
}

fn submit(conn: &mut DbConn, context: &Context, account: &Account) -> Result<()> {
    let mut happened = vec![Event::AccountSubmitted {
        account_id: account.id,
        status: AccountStatus::Submitted,
    }];
    let due_at = context.programme.review.review_due(context.now);
    let mut review = Review::opened(account.id, context.now, due_at);
    if account.status == AccountStatus::InReview {
        let until = context.now.plus(chrono::TimeDelta::days(LEASE_DAYS));
        review.claimed_by = Some(UserId::from(fixed(REVIEWER)));
        review.claimed_until = Some(until);
        happened.push(Event::AccountInReview {
            account_id: account.id,
            status: account.status,
        });
    }
    events::record(conn, &seeding().stamp(context.now), &happened)?;
    reviews::insert(conn, &review)?;
    review_deadlines::watch(conn, context, account.id, due_at)
}

/// The account has its first user, who has no password yet, and the mail with the link to set it.
fn approve(
    conn: &mut DbConn,
    context: &Context,
    account: &Account,
    business: &Business,
) -> Result<()> {
    let approved = Event::AccountApproved {
        account_id: account.id,
        status: account.status,
    };
    let proposed = Event::AccountContactEmailProposed {
        account_id: account.id,
    };
    let happened = [approved, proposed];
    events::record(conn, &seeding().stamp(context.now), &happened)?;
    let (id, role) = (Some(account.id), Role::Superuser);
    let user = user(context, 110 + business.n, id, business.contact, role);
    users::insert(conn, &user)?;
    tokens::seed_first_password(conn, context, account, &user)
}

/// The document of an application: with its file where that is still to be looked at, else accepted.
fn hand_in(conn: &mut DbConn, context: &Context, application: &Application) -> Result<()> {
    let (n, account_id) = (application.business.n, account_id(application.business.n));
    let status = match application.file {
        Some(_) => DocumentStatus::Pending,
        None => DocumentStatus::Accepted,
    };
    if let Some(key) = application.file {
        let file = StoredFile {
            key: key.to_owned(),
            account_id,
            state: FileState::Stored,
            created_at: context.now,
            changed_at: context.now,
        };
        files::insert(conn, &file)?;
    }
    let mut document = document(context, 10 + n, account_id, status);
    document.file_key = application.file.map(str::to_owned);
    documents::insert(conn, &document)
}

/// A document of an account, without its file.
pub fn document(
    context: &Context,
    n: u128,
    account_id: AccountId,
    status: DocumentStatus,
) -> Document {
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
