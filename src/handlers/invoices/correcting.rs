//! What finance does about an issued invoice: credit it, and say that nothing is collected for a while.

use actix_web::web::{Data, Path};
use actix_web::{post, put};
use serde::Deserialize;
use utoipa::ToSchema;

use super::InvoicePath;
use super::view::InvoiceView;
use crate::auth::Access;
use crate::domain::invoice::{CreditCause, CreditReason};
use crate::domain::language::Language;
use crate::domain::money::Money;
use crate::domain::permissions::InvoicesCorrect;
use crate::domain::values::{Date, Field, Line};
use crate::error::{Fault, FaultCode, Faults, Partial, Result};
use crate::handlers::answer::Answer;
use crate::handlers::extract::{Body, Input, RequiredIdempotencyHeader, RequiredKey, nullable};
use crate::handlers::service::Service;
use crate::handlers::{Callers, RateLimit, Routes};
use crate::programme::Programme;
use crate::repository::DbConn;
use crate::workflows::credit_notes::{self, Credit, WantedCredit};
use crate::workflows::invoices::{WantedPause, details_of, pause};

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(
            credit_invoice,
            Callers::account(InvoicesCorrect),
            RateLimit::PerCaller,
        )
        .service(
            pause_collection,
            Callers::account(InvoicesCorrect),
            RateLimit::PerCaller,
        );
}

/// What is credited of an invoice, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "net": { "amount": "10.00", "currency": "EUR" }, "reason": "goodwill", "note": "Your loan camera came a month late."
}))]
struct CreditInvoice {
    /// Without VAT, at least a cent; left out, all that is left.
    #[serde(default)]
    #[schema(value_type = Option<Money>, nullable = false)]
    net: Field<Money>,
    #[schema(value_type = CreditReason)]
    reason: Field<CreditReason>,
    /// What the customer reads on the credit note.
    #[schema(value_type = Line<500>)]
    note: Field<Line<500>>,
    /// Credits all of it, and issues another invoice of the same purchase with what the account says today; then `net` is left out.
    #[serde(default)]
    #[schema(value_type = Option<bool>, nullable = false)]
    reissue: Field<bool>,
}

/// The database knows the currency of the invoice.
impl Input for CreditInvoice {
    type Parsed = Partial<WantedCredit>;

    fn parse(self, _: &Programme, mut faults: Faults) -> Result<Self::Parsed> {
        let (net, reissue) = (self.net.optional(), self.reissue.optional());
        let reissue = reissue.map(Option::unwrap_or_default);
        if let Some(Some(net)) = net {
            faults.note(check_net(net, reissue == Some(true)));
        }
        let (reason, note) = (self.reason.value(), self.note.value());
        let credit = || {
            Some(Credit {
                net: net?,
                cause: CreditCause::Staff(reason?),
                note: note?.into(),
                reissue: reissue?,
            })
        };
        let read = WantedCredit {
            net: net.flatten(),
            whole: credit(),
        };
        Ok(Partial { read, faults })
    }
}

fn check_net(net: Money, reissue: bool) -> Result<(), Vec<Fault>> {
    if reissue {
        return Err(vec![Fault::new("#/net", FaultCode::Invalid)]);
    }
    match net.cents {
        1.. => Ok(()),
        _ => {
            let fault = Fault::new("#/net/amount", FaultCode::TooSmall);
            Err(vec![fault.with("min", "0.01")])
        }
    }
}

/// Credit an invoice
///
/// In part or whole, by a credit note in the numbers of its seller, which is mailed to the customer. Beyond what is open it frees what was paid: that goes to other overdue
/// invoices of the account, else it waits for finance in the work queue. 409 `credit_exceeds_invoice` where so much is not left.
#[utoipa::path(
    tag = "invoices",
    operation_id = "creditInvoice",
    security(("bearer" = [])),
    params(InvoicePath, RequiredIdempotencyHeader),
    request_body = CreditInvoice,
    responses((status = 201, description = "The credit note", body = InvoiceView, headers(("ETag" = String), ("Location" = String))))
)]
#[post("/accounts/{account_id}/invoices/{invoice_id}/credit-notes")]
async fn credit_invoice(
    service: Data<Service>,
    access: Access<InvoicesCorrect>,
    path: Path<InvoicePath>,
    key: RequiredKey,
    body: Body<CreditInvoice>,
    language: Language,
) -> Result<Answer> {
    let (hash, context) = (body.hash().to_owned(), service.context());
    let (id, credit) = (path.invoice_id, body.value);
    let issue = move |conn: &mut DbConn| {
        let note = credit_notes::issue(conn, &context, &access.account, id, credit)?;
        let location = format!("/v1/accounts/{}/invoices/{}", note.account_id, note.id);
        let version = note.version;
        let view = InvoiceView::of(details_of(conn, &context, note)?, language);
        let answer = Answer::created(&view)?.location(location);
        Ok(answer.etag_with_digest(version))
    };
    key.0.write(&service, &hash, issue).await
}

/// Until when nothing is collected.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "paused_until": "2098-03-02", "reason": "The customer asked for another month." }))]
struct PauseCollection {
    /// The day on which collecting goes on, after today; null goes on at once.
    #[schema(schema_with = nullable::<Date>)]
    paused_until: Field<Date>,
    /// For the record that staff keep.
    #[schema(value_type = Line<500>)]
    reason: Field<Line<500>>,
}

/// The clock knows which day is today.
impl Input for PauseCollection {
    type Parsed = Partial<WantedPause>;

    fn parse(self, _: &Programme, faults: Faults) -> Result<Self::Parsed> {
        let read = WantedPause {
            until: self.paused_until.map(Date::day).optional(),
            reason: self.reason.map(String::from).value(),
        };
        Ok(Partial { read, faults })
    }
}

/// Pause collecting
///
/// Until that day nobody is reminded of the invoice, no card is charged by itself, and no membership is suspended or ended for it. It stays due.
#[utoipa::path(
    tag = "invoices",
    operation_id = "pauseCollection",
    security(("bearer" = [])),
    params(InvoicePath),
    request_body = PauseCollection,
    responses((status = 200, description = "The invoice", body = InvoiceView, headers(("ETag" = String))))
)]
#[put("/accounts/{account_id}/invoices/{invoice_id}/collection")]
async fn pause_collection(
    service: Data<Service>,
    access: Access<InvoicesCorrect>,
    path: Path<InvoicePath>,
    body: Body<PauseCollection>,
    language: Language,
) -> Result<Answer> {
    let (context, id, wanted) = (service.context(), path.invoice_id, body.value);
    let write = move |conn: &mut DbConn| {
        let invoice = pause(conn, &context, &access.account, id, wanted)?;
        details_of(conn, &context, invoice)
    };
    let details = service.db.write(write).await?;
    let version = details.invoice.version;
    Ok(Answer::ok(&InvoiceView::of(details, language))?.etag_with_digest(version))
}
