//! What finance sends about a line.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::account::AccountId;
use crate::domain::invoice::InvoiceId;
use crate::domain::money::Money;
use crate::domain::values::Text;
use crate::error::{Faults, Result};
use crate::handlers::extract::{Input, Plain};
use crate::programme::Programme;
use crate::workflows::bank::{NewMatch, Placing};

/// So much of a line is for this invoice.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MatchedInvoice)]
pub struct MatchedInvoice {
    invoice_id: InvoiceId,
    amount: Money,
}

/// Whose a line is.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "allocations": [{
    "invoice_id": "inv_00000000000070008000000000000002", "amount": { "amount": "200.00", "currency": "EUR" }
}] }))]
pub struct MatchTransaction {
    #[serde(default)]
    #[schema(max_items = 100)]
    allocations: Vec<MatchedInvoice>,
    /// Whose the rest is.
    #[serde(default)]
    #[schema(nullable = false)]
    account_id: Option<AccountId>,
    /// For the record that staff keep.
    #[serde(default)]
    #[schema(value_type = Option<Text<1000>>, nullable = false)]
    reason: Option<Text<1000>>,
}

impl Input for MatchTransaction {
    type Parsed = NewMatch;

    fn parse(self, _: &Programme, faults: Faults) -> Result<NewMatch> {
        let placings = self.allocations.iter().map(|one| Placing {
            invoice: one.invoice_id,
            amount: one.amount,
        });
        faults.judge(Some(NewMatch {
            placings: placings.collect(),
            account: self.account_id,
            reason: self.reason.map(|reason| reason.to_string()),
        }))
    }
}

/// Why a line is put aside.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "The bank's interest" }))]
pub struct DismissTransaction {
    /// For the record that staff keep.
    pub reason: Text<1000>,
}

impl Plain for DismissTransaction {}
