//! Money that came: of an account, and of all for the books. Giving it back is in `refunds`.

mod views;

use actix_web::web::Data;
use actix_web::{Either, HttpResponse, get};
use chrono::NaiveDate;

use super::answer::Answer;
use super::csv_answer::csv_file;
use super::extract::{Cursor, PageParams, Pages, Params, list_params};
use super::invoices::InvoicesPath;
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::auth::{Access, StaffOnly};
use crate::domain::invoice::PaymentId;
use crate::domain::language::Language;
use crate::domain::permissions::{BooksRead, InvoicesRead};
use crate::domain::values::Date;
use crate::error::Result;
use crate::repository::payments::{self, Days};
use crate::repository::{DbConn, accounts};
use crate::workflows::csv_file::{ListFormat, Spreadsheet};
use crate::workflows::finance_files;
use crate::workflows::payments::trace;
use views::{OwnedPaymentPage, OwnedPaymentView, PaymentPage, PaymentView};

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(
            list_account_payments,
            Callers::account(InvoicesRead),
            RateLimit::PerCaller,
        )
        .service(
            list_payments,
            Callers::staff(BooksRead),
            RateLimit::PerCaller,
        );
}

list_params! {
    /// Which payments to list.
    struct AccountPaymentsParams {}
}

/// List the payments of an account
///
/// What the account has paid, newest first, with the invoices that each payment is on, what went back, and what is open: that is set off against the next
/// invoice.
#[utoipa::path(
    tag = "payments",
    operation_id = "listAccountPayments",
    security(("bearer" = [])),
    params(InvoicesPath, AccountPaymentsParams),
    responses((status = 200, description = "The payments", body = PaymentPage))
)]
#[get("/accounts/{account_id}/payments")]
async fn list_account_payments(
    service: Data<Service>,
    access: Access<InvoicesRead>,
    params: Params<AccountPaymentsParams>,
    pages: Pages,
    language: Language,
) -> Result<Answer> {
    let size = params.0.size();
    let before = pages.after(&params.0)?;
    let before = before.map(|cursor| PaymentId::from(cursor.id));
    let load = move |conn: &mut DbConn| {
        let rows = payments::list(conn, &access.account, before, size + 1)?;
        accounts::exists_unless(conn, &access.account, !rows.is_empty())?;
        trace(conn, rows)
    };
    let rows = service.db.read(load).await?;
    let (rows, next_cursor) = pages.cut(rows, size, |row| Cursor::of_id(row.payment.id.uuid()));
    let items = rows.into_iter();
    let items = items.map(|row| PaymentView::of(row, language)).collect();
    let link = pages.link_next(next_cursor.as_deref());
    Ok(Answer::ok(&PaymentPage { items, next_cursor })?.header_if("Link", link))
}

list_params! {
    /// Which payments to list, and how.
    struct PaymentsParams {
        /// Only what came on this day or later.
        #[param(nullable = false, inline, value_type = Option<Date>)]
        from: Option<Date>,
        /// Only what came on this day or before.
        #[param(nullable = false, inline, value_type = Option<Date>)]
        to: Option<Date>,
        /// `json` is a list by pages; `csv` is a file of all, for the books.
        #[param(inline, nullable = false)]
        format: Option<ListFormat>,
        /// The program that a CSV file is for; else it has commas and no byte order mark.
        #[serde(rename = "for")]
        #[param(inline, nullable = false)]
        reader: Option<Spreadsheet>,
    }
}

impl PaymentsParams {
    fn days(&self, pages: &Pages) -> Result<Days> {
        Ok(Days {
            from: self.from.map(Date::day),
            to: self.to.map(Date::day),
            after: pages.after_as(self, read_place)?,
            limit: self.size() + 1,
        })
    }
}

fn read_place(cursor: &Cursor) -> Option<(NaiveDate, PaymentId)> {
    Some((cursor.key.parse().ok()?, cursor.id.into()))
}

/// List payments
///
/// For finance and the bookkeeper: what all accounts paid, in the order in which it came, with where each cent went. As a file it has a row for each allocation, each
/// refund and what is open: the rows of a payment add up to it.
#[utoipa::path(
    tag = "payments",
    operation_id = "listPayments",
    security(("bearer" = [])),
    params(PaymentsParams),
    responses((status = 200, description = "The payments", content(
        (OwnedPaymentPage = "application/json"),
        (String = "text/csv"),
    )))
)]
#[get("/payments")]
async fn list_payments(
    service: Data<Service>,
    _: StaffOnly<BooksRead>,
    params: Params<PaymentsParams>,
    pages: Pages,
    language: Language,
) -> Result<Either<Answer, HttpResponse>> {
    let days = params.0.days(&pages)?;
    if params.0.format == Some(ListFormat::Csv) {
        let (reader, zone) = (params.0.reader, service.programme.seller.zone);
        let write = move |conn: &mut DbConn| finance_files::payments(conn, days, (reader, zone));
        let text = service.db.read(write).await?;
        return Ok(Either::Right(csv_file("payments", text)));
    }
    let load = move |conn: &mut DbConn| {
        let (rows, owners): (Vec<_>, Vec<_>) = payments::of_days(conn, days)?.into_iter().unzip();
        Ok(trace(conn, rows)?.into_iter().zip(owners).collect())
    };
    let rows: Vec<_> = service.db.read(load).await?;
    let (rows, next_cursor) = pages.cut(rows, params.0.size(), |(row, _)| Cursor {
        key: row.payment.received_date.to_string(),
        id: row.payment.id.uuid(),
    });
    let items = rows.into_iter();
    let items = items
        .map(|row| OwnedPaymentView::of(row, language))
        .collect();
    let link = pages.link_next(next_cursor.as_deref());
    let page = Answer::ok(&OwnedPaymentPage { items, next_cursor })?;
    Ok(Either::Left(page.header_if("Link", link)))
}
