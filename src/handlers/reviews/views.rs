//! What staff see of a case.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::access::UserId;
use crate::domain::account::{AccountId, AccountStatus};
use crate::domain::language::Language;
use crate::domain::review::CaseDecision;
use crate::error::Result;
use crate::handlers::accounts::{AccountView, load_view};
use crate::handlers::documents::DocumentView;
use crate::repository::DbConn;
use crate::repository::accounts::{self, Account};
use crate::repository::reviews::Review;
use crate::types::Instant;
use crate::workflows::reviews::Case;

/// One case in the queue.
#[derive(Serialize, ToSchema)]
pub struct ReviewSummary {
    account_id: AccountId,
    company_name: String,
    status: AccountStatus,
    submitted_at: Instant,
    /// When the answer is due; not while the case waits for its applicant.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    due_at: Option<Instant>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    claimed_by: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    claimed_until: Option<Instant>,
}

impl ReviewSummary {
    pub fn of(review: &Review, account: &Account) -> Self {
        Self {
            account_id: account.id,
            company_name: account.company_name.clone(),
            status: account.status,
            submitted_at: review.submitted_at,
            due_at: review.due(account.status),
            claimed_by: review.claimed_by,
            claimed_until: review.claimed_until,
        }
    }
}

/// A page of cases.
#[derive(Serialize, ToSchema)]
pub struct ReviewPage {
    pub items: Vec<ReviewSummary>,
    #[schema(required = true)]
    pub next_cursor: Option<String>,
}

/// Another account that looks like this one.
#[derive(Serialize, ToSchema)]
pub struct SimilarAccount {
    account_id: AccountId,
    company_name: String,
    status: AccountStatus,
    same_email: bool,
    same_vat_number: bool,
}

/// A case with all that a reviewer needs.
#[derive(Serialize, ToSchema)]
pub struct CaseView {
    review: ReviewSummary,
    account: AccountView,
    documents: Vec<DocumentView>,
    /// Other accounts with the same VAT number, e-mail or address.
    similar_accounts: Vec<SimilarAccount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_decision: Option<CaseDecision>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_note: Option<String>,
}

pub fn case_view(conn: &mut DbConn, case: Case, language: Language) -> Result<CaseView> {
    let Case {
        account,
        review,
        documents,
    } = case;
    let similar = accounts::similar(conn, &account)?;
    let similar_accounts = similar.into_iter().map(|other| SimilarAccount {
        account_id: other.id,
        company_name: other.company_name,
        status: other.status,
        same_email: other.contact_email_key == account.contact_email_key,
        same_vat_number: other.vat_number.is_some() && other.vat_number == account.vat_number,
    });
    Ok(CaseView {
        similar_accounts: similar_accounts.collect(),
        review: ReviewSummary::of(&review, &account),
        account: load_view(conn, account, language)?,
        documents: documents
            .into_iter()
            .map(DocumentView::of)
            .collect::<Result<_>>()?,
        last_decision: review.decision,
        last_note: review.decision_note,
    })
}
