//! Money that goes back by bank: asked for, listed, and said to be paid.

mod views;

use actix_web::web::{Data, Path};
use actix_web::{Either, HttpResponse, get, post};
use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::csv_answer::csv_file;
use super::extract::{
    Body, Cursor, Input, PageParams, Pages, Params, RequiredIdempotencyHeader, RequiredKey,
    list_params,
};
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::auth::{Access, StaffOnly};
use crate::domain::account::AccountId;
use crate::domain::invoice::PaymentId;
use crate::domain::language::Language;
use crate::domain::money::Money;
use crate::domain::payment::{RefundId, RefundState};
use crate::domain::permissions::{RefundsMake, RefundsRead};
use crate::domain::values::{Date, Field, Line};
use crate::error::{Fault, FaultCode, Faults, Partial, Result};
use crate::programme::Programme;
use crate::repository::{self, DbConn};
use crate::workflows::csv_file::{ListFormat, Spreadsheet};
use crate::workflows::finance_files;
use crate::workflows::refunds::{self, WantedRefund};
use views::{RefundPage, RefundView};

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(
            refund_payment,
            Callers::account(RefundsMake),
            RateLimit::PerCaller,
        )
        .service(
            list_refunds,
            Callers::staff(RefundsRead),
            RateLimit::PerCaller,
        )
        .service(
            pay_out_refund,
            Callers::staff(RefundsMake),
            RateLimit::PerCaller,
        );
}

/// Names one payment in a path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct PaymentPath {
    /// The account.
    #[param(example = "acc_00000000000070008000000000000002")]
    #[allow(dead_code)]
    account_id: AccountId,
    /// The payment.
    #[param(example = "pay_00000000000070008000000000000002")]
    payment_id: PaymentId,
}

/// What goes back of a payment.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "amount": { "amount": "10.00", "currency": "EUR" }, "reason": "Paid twice." }))]
struct RefundPayment {
    /// At least a cent, in the currency of the payment.
    #[schema(value_type = Money)]
    amount: Field<Money>,
    /// For the record that staff keep.
    #[schema(value_type = Line<500>)]
    reason: Field<Line<500>>,
}

/// The database knows the currency of the payment.
impl Input for RefundPayment {
    type Parsed = Partial<WantedRefund>;

    fn parse(self, _: &Programme, mut faults: Faults) -> Result<Self::Parsed> {
        faults.note(check_amount("#/amount/amount", self.amount));
        let read = WantedRefund {
            amount: self.amount.value(),
            reason: self.reason.map(String::from).value(),
        };
        Ok(Partial { read, faults })
    }
}

/// At least a cent.
fn check_amount(pointer: &str, amount: Field<Money>) -> Result<(), Vec<Fault>> {
    match amount {
        Field::Read(money) if money.cents < 1 => {
            let fault = Fault::new(pointer, FaultCode::TooSmall);
            Err(vec![fault.with("min", "0.01")])
        }
        _ => Ok(()),
    }
}

/// Give money back
///
/// Of what is open of a payment that came by bank: the refund waits in the list until somebody has paid it at the bank, to the account that the money came from and to no
/// other. 409 `refund_exceeds_payment` where so much is not open, `payment_in_dispute` while the holder of the card disputes it, `paying_account_unknown` where the bank
/// did not say which account it came from.
#[utoipa::path(
    tag = "payments",
    operation_id = "refundPayment",
    security(("bearer" = [])),
    params(PaymentPath, RequiredIdempotencyHeader),
    request_body = RefundPayment,
    responses((status = 202, description = "The refund waits to be paid", body = RefundView))
)]
#[post("/accounts/{account_id}/payments/{payment_id}/refunds")]
async fn refund_payment(
    service: Data<Service>,
    access: Access<RefundsMake>,
    path: Path<PaymentPath>,
    key: RequiredKey,
    body: Body<RefundPayment>,
    language: Language,
) -> Result<Answer> {
    let (hash, context) = (body.hash().to_owned(), service.context());
    let (id, wanted) = (path.payment_id, body.value);
    let ask = move |conn: &mut DbConn| {
        let asked = refunds::ask(conn, &context, &access.account, id, wanted)?;
        Answer::accepted_with(&RefundView::of(asked, language))
    };
    key.0.write(&service, &hash, ask).await
}

list_params! {
    /// Which refunds to list, and how.
    struct RefundsParams {
        /// Only those in this state.
        #[param(inline, nullable = false)]
        state: Option<RefundState>,
        /// `json` is a list by pages; `csv` is a file of all, from which somebody pays.
        #[param(inline, nullable = false)]
        format: Option<ListFormat>,
        /// The program that a CSV file is for; else it has commas and no byte order mark.
        #[serde(rename = "for")]
        #[param(inline, nullable = false)]
        reader: Option<Spreadsheet>,
    }
}

/// List refunds
///
/// Newest first. As a file each has payee, account, amount, the reference of its transfer and its state: who pays from it asks with `state=to_pay`.
#[utoipa::path(
    tag = "payments",
    operation_id = "listRefunds",
    security(("bearer" = [])),
    params(RefundsParams),
    responses((status = 200, description = "The refunds", content(
        (RefundPage = "application/json"),
        (String = "text/csv"),
    )))
)]
#[get("/refunds")]
async fn list_refunds(
    service: Data<Service>,
    _: StaffOnly<RefundsRead>,
    params: Params<RefundsParams>,
    pages: Pages,
    language: Language,
) -> Result<Either<Answer, HttpResponse>> {
    let (state, size) = (params.0.state, params.0.size());
    if params.0.format == Some(ListFormat::Csv) {
        let reader = params.0.reader;
        let write = move |conn: &mut DbConn| finance_files::refunds(conn, state, reader);
        let text = service.db.read(write).await?;
        return Ok(Either::Right(csv_file("refunds", text)));
    }
    let before = pages.after(&params.0)?;
    let before = before.map(|cursor| RefundId::from(cursor.id));
    let load = move |conn: &mut DbConn| repository::refunds::list(conn, state, before, size + 1);
    let rows = service.db.fetch(load).await?;
    let (rows, next_cursor) = pages.cut(rows, size, |(row, _)| Cursor::of_id(row.id.uuid()));
    let items = rows.into_iter().map(|row| RefundView::of(row, language));
    let items = items.collect();
    let link = pages.link_next(next_cursor.as_deref());
    let page = Answer::ok(&RefundPage { items, next_cursor })?;
    Ok(Either::Left(page.header_if("Link", link)))
}

/// Names one refund in a path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct RefundPath {
    /// The refund.
    #[param(example = "rfn_00000000000070008000000000000001")]
    refund_id: RefundId,
}

/// That a refund was paid.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "paid_date": "2026-03-02" }))]
struct PayOutRefund {
    /// The day on which the bank was told to pay; not a later one than today.
    #[schema(value_type = Date)]
    paid_date: Field<Date>,
}

/// The clock knows which day is today.
impl Input for PayOutRefund {
    type Parsed = Partial<Option<NaiveDate>>;

    fn parse(self, _: &Programme, faults: Faults) -> Result<Self::Parsed> {
        let read = self.paid_date.map(Date::day).value();
        Ok(Partial { read, faults })
    }
}

/// Say that a refund was paid
///
/// Somebody paid it at the bank. A line of a bank statement with its reference and amount says the same by itself. Saying the same again changes nothing; 409 `refund_not_to_pay` where it was paid on another day, or failed.
#[utoipa::path(
    tag = "payments",
    operation_id = "payOutRefund",
    security(("bearer" = [])),
    params(RefundPath, RequiredIdempotencyHeader),
    request_body = PayOutRefund,
    responses((status = 200, description = "The refund", body = RefundView))
)]
#[post("/refunds/{refund_id}/payout")]
async fn pay_out_refund(
    service: Data<Service>,
    access: StaffOnly<RefundsMake>,
    path: Path<RefundPath>,
    key: RequiredKey,
    body: Body<PayOutRefund>,
    language: Language,
) -> Result<Answer> {
    let (hash, context) = (body.hash().to_owned(), service.context());
    let (id, day) = (path.refund_id, body.value);
    let pay_out = move |conn: &mut DbConn| {
        let paid = refunds::pay_out(conn, &context, &access.staff, id, day)?;
        Answer::ok(&RefundView::of(paid, language))
    };
    key.0.write(&service, &hash, pay_out).await
}
