//! The types of what payloads say, gathered for the list in `event`.

pub use crate::domain::access::{SessionId, UserId};
pub use crate::domain::account::{AccountId, AccountStatus};
pub use crate::domain::bank::{
    BankStatementId, BankTransactionId, StatementState, TransactionState,
};
pub use crate::domain::document::{DocumentId, DocumentKind, DocumentStatus, RejectionCode};
pub use crate::domain::invoice::{InvoiceId, PaymentId};
pub use crate::domain::job::JobId;
pub use crate::domain::legacy_migration::LegacyAccountId;
pub use crate::domain::membership::{EndedReason, MembershipId};
pub use crate::domain::model::ModelId;
pub use crate::domain::money::Money;
pub use crate::domain::partner::{AlertCause, CredentialId, PartnerId, PartnerStatus, Scope};
pub use crate::domain::payment::{RefundId, RefundState};
pub use crate::domain::permissions::Role;
pub use crate::domain::points::EntryId;
pub use crate::domain::product::{EndReason, ProductId, ProductStatus};
pub use crate::domain::product_check::CheckDecision;
pub use crate::domain::registration::{RefusalReason, RegistrationId, RegistrationStatus};
pub use crate::domain::registration_batch::{BatchId, BatchLineStatus};
pub use crate::domain::review::CaseDecision;
pub use crate::domain::work_item::WorkItemId;
pub use crate::types::Instant;
pub use chrono::NaiveDate;
pub use std::collections::BTreeMap;
