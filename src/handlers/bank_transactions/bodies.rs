//! What finance sends about a line.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::account::AccountId;
use crate::domain::invoice::InvoiceId;
use crate::domain::money::Money;
use crate::domain::values::{Field, Text};
use crate::error::{Fault, FaultCode, Faults, Partial, Result};
use crate::handlers::extract::{Input, Plain};
use crate::programme::Programme;
use crate::workflows::bank::{WantedMatch, WantedPlacing};

/// So much of a line is for this invoice.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MatchedInvoice)]
pub struct MatchedInvoice {
    #[schema(value_type = InvoiceId)]
    invoice_id: Field<InvoiceId>,
    /// At least a cent.
    #[schema(value_type = Money)]
    amount: Field<Money>,
}

/// Whose a line is.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "allocations": [{
    "invoice_id": "inv_00000000000070008000000000000002", "amount": { "amount": "200.00", "currency": "EUR" }
}] }))]
pub struct MatchTransaction {
    #[serde(default)]
    #[schema(value_type = Vec<MatchedInvoice>, required = false, max_items = 100)]
    allocations: Field<Vec<Field<MatchedInvoice>>>,
    /// Whose the rest is.
    #[serde(default)]
    #[schema(value_type = Option<AccountId>, nullable = false)]
    account_id: Field<AccountId>,
    /// For the record that staff keep.
    #[serde(default)]
    #[schema(value_type = Option<Text<1000>>, nullable = false)]
    reason: Field<Text<1000>>,
}

/// The database knows which accounts and invoices there are.
impl Input for MatchTransaction {
    type Parsed = Partial<WantedMatch>;

    fn parse(self, _: &Programme, mut faults: Faults) -> Result<Self::Parsed> {
        let is_nobodys = self.account_id.optional() == Some(None);
        let placings = self.allocations.optional();
        let placings = placings.map(|all| read_placings(all.unwrap_or_default()));
        if is_nobodys && placings.as_ref().is_some_and(Vec::is_empty) {
            faults.push(Fault::new("#/allocations", FaultCode::Required));
        }
        let placings = placings.unwrap_or_default();
        faults.extend(faults_of(&placings));
        let read = WantedMatch {
            placings,
            account: self.account_id.value(),
            reason: self.reason.map(String::from).value(),
        };
        Ok(Partial { read, faults })
    }
}

fn read_placings(all: Vec<Field<MatchedInvoice>>) -> Vec<WantedPlacing> {
    let read = |one: Field<MatchedInvoice>| match one.value() {
        Some(one) => WantedPlacing {
            invoice: one.invoice_id.value(),
            amount: one.amount.value(),
        },
        None => WantedPlacing::default(),
    };
    all.into_iter().map(read).collect()
}

/// An invoice that is named twice, and amounts of less than a cent.
fn faults_of(placings: &[WantedPlacing]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (at, one) in placings.iter().enumerate() {
        let mut before = placings.iter().take(at);
        if one.invoice.is_some() && before.any(|other| other.invoice == one.invoice) {
            let pointer = format!("#/allocations/{at}/invoice_id");
            faults.push(Fault::new(pointer, FaultCode::NotUnique));
        }
        if one.amount.is_some_and(|amount| amount.cents < 1) {
            let pointer = format!("#/allocations/{at}/amount/amount");
            faults.push(Fault::new(pointer, FaultCode::TooSmall).with("min", "0.01"));
        }
    }
    faults
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
