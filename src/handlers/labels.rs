//! What people call each word of each vocabulary. The words themselves are the domain's.

use std::collections::BTreeMap;
use std::fmt::Display;

use actix_web::web::Data;
use actix_web::{HttpRequest, get};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::extract::Params;
use super::language::preferred;
use super::problem::title;
use super::service::Service;
use super::users::UserStatus;
use super::{Callers, RateLimit, Routes};
use crate::domain::account::AccountStatus;
use crate::domain::bank::{BankEvidence, StatementState, StatementWhy, TransactionState};
use crate::domain::document::{DocumentKind, DocumentStatus, RejectionCode, RevisionCode};
use crate::domain::invoice::v2::LineKind;
use crate::domain::invoice::{CreditReason, InvoiceKind, InvoiceStatus, PaymentMethod};
use crate::domain::language::Language;
use crate::domain::membership::{EndedReason, MembershipStatus, MembershipStep, Track};
use crate::domain::model::Category;
use crate::domain::offer::Blocked;
use crate::domain::payment::{RefundKind, RefundState};
use crate::domain::permissions::Role;
use crate::domain::points::EntryKind;
use crate::domain::product::{EndReason, Evidence, ProductField, ProductStatus};
use crate::domain::product_check::CheckDecision;
use crate::domain::registration::{RefusalReason, RegistrationStatus};
use crate::domain::registration_batch::{BatchLineStatus, BatchStatus};
use crate::domain::review::{CaseDecision, DocumentVerdict};
use crate::domain::work_item::WorkItemKind;
use crate::error::{Code, Result};
use crate::programme::Programme;
use crate::texts::{Subject, Value, say, word};

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config.service(read_labels, Callers::Anybody, RateLimit::PerCaller);
}

/// In which language.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LabelsParams {
    /// Instead of that of `Accept-Language`.
    #[param(inline, nullable = false)]
    language: Option<Language>,
}

/// The words of one vocabulary, each with what people call it.
#[derive(Serialize, ToSchema)]
struct Words(BTreeMap<String, String>);

/// What people call the words of the contract.
#[derive(Serialize, ToSchema)]
struct LabelsView {
    language: Language,
    /// By vocabulary, then by word.
    #[schema(example = json!({ "payment_methods": { "card": "Card", "bank_transfer": "Bank transfer" } }))]
    labels: BTreeMap<&'static str, Words>,
}

/// Read the words
///
/// What people call statuses, kinds, categories, codes, levels and payment methods, in one language, for menus and tables.
#[utoipa::path(
    tag = "operation",
    operation_id = "readLabels",
    params(LabelsParams),
    responses((status = 200, description = "The words", body = LabelsView, headers(("ETag" = String))))
)]
#[get("/labels")]
async fn read_labels(
    request: HttpRequest,
    service: Data<Service>,
    params: Params<LabelsParams>,
) -> Result<Answer> {
    let language = params
        .0
        .language
        .unwrap_or_else(|| preferred(request.headers()));
    let view = LabelsView {
        language,
        labels: labels(&service.programme, language),
    };
    Ok(Answer::ok(&view)?
        .etag_of_body()
        .header("Content-Language", language.as_str()))
}

fn labels(programme: &Programme, language: Language) -> BTreeMap<&'static str, Words> {
    let of_texts = vocabularies().into_iter().map(|(vocabulary, words)| {
        let label = |word: String| {
            let key = format!("{vocabulary}.{word}");
            (word, say(Subject::Labels, &key, language, Value::UNDEFINED))
        };
        (vocabulary, Words(words.into_iter().map(label).collect()))
    });
    let of_rules = rules().into_iter().map(|(vocabulary, words, section)| {
        let label = |one: String| {
            let label = word(section, &one, language).unwrap_or_default();
            (one, label)
        };
        (vocabulary, Words(words.into_iter().map(label).collect()))
    });
    let codes = Code::ALL.iter();
    let codes = codes.map(|code| (code.as_str().to_owned(), title(*code, language)));
    let levels = programme.levels.iter();
    let levels = levels.map(|level| (level.code.clone(), level.name.clone()));
    let others = [
        ("problems", Words(codes.collect())),
        ("levels", Words(levels.collect())),
    ];
    of_texts.chain(of_rules).chain(others).collect()
}

/// What people call one word of a vocabulary.
pub fn label(vocabulary: &str, word: impl Display, language: Language) -> String {
    let key = format!("{vocabulary}.{word}");
    say(Subject::Labels, &key, language, Value::UNDEFINED)
}

fn listed<T: Display>(words: &[T]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

/// The vocabularies whose words have a label of their own.
fn vocabularies() -> [(&'static str, Vec<String>); 33] {
    [
        ("account_statuses", listed(AccountStatus::ALL)),
        ("bank_evidence", listed(BankEvidence::ALL)),
        ("bank_statement_states", listed(StatementState::ALL)),
        ("bank_statement_whys", listed(StatementWhy::ALL)),
        ("bank_transaction_states", listed(TransactionState::ALL)),
        ("batch_line_statuses", listed(BatchLineStatus::ALL)),
        ("batch_statuses", listed(BatchStatus::ALL)),
        ("categories", listed(Category::ALL)),
        ("check_decisions", listed(CheckDecision::ALL)),
        ("credit_reasons", listed(CreditReason::ALL)),
        ("document_decisions", listed(DocumentVerdict::ALL)),
        ("document_statuses", listed(DocumentStatus::ALL)),
        ("end_reasons", listed(EndReason::ALL)),
        ("invoice_kinds", listed(InvoiceKind::ALL)),
        ("invoice_line_kinds", listed(LineKind::ALL)),
        ("invoice_statuses", listed(InvoiceStatus::ALL)),
        ("membership_end_reasons", listed(EndedReason::ALL)),
        ("membership_statuses", listed(MembershipStatus::ALL)),
        ("membership_steps", listed(MembershipStep::ALL)),
        ("offer_blocks", listed(Blocked::ALL)),
        ("offer_refusals", listed(RefusalReason::ALL)),
        ("payment_methods", listed(PaymentMethod::ALL)),
        ("point_entries", listed(EntryKind::ALL)),
        ("product_evidence", listed(Evidence::ALL)),
        ("product_statuses", listed(ProductStatus::ALL)),
        ("refund_kinds", listed(RefundKind::ALL)),
        ("refund_states", listed(RefundState::ALL)),
        ("registration_statuses", listed(RegistrationStatus::ALL)),
        ("review_decisions", listed(CaseDecision::ALL)),
        ("roles", listed(Role::ALL)),
        ("tracks", listed(Track::ALL)),
        ("user_statuses", listed(UserStatus::ALL)),
        ("work_item_kinds", listed(WorkItemKind::ALL)),
    ]
}

/// Those that mails and answers speak of in the same words, and the section of the words that has them.
fn rules() -> [(&'static str, Vec<String>, &'static str); 4] {
    [
        ("document_kinds", listed(DocumentKind::ALL), "documents"),
        (
            "product_fields",
            listed(ProductField::ALL),
            "product_fields",
        ),
        ("rejection_codes", listed(RejectionCode::ALL), "rejections"),
        ("revision_codes", listed(RevisionCode::ALL), "revisions"),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::texts::keys;

    #[test]
    fn each_word_has_its_label_and_no_other_has_one() {
        let asked = vocabularies().into_iter().flat_map(|(vocabulary, words)| {
            words
                .into_iter()
                .map(move |word| format!("{vocabulary}.{word}"))
        });
        assert_eq!(keys(Subject::Labels), asked.collect::<BTreeSet<_>>());
    }
}
