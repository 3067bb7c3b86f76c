//! Money that comes to the sandbox's bank account when somebody asks for it.

use std::io::Write;

use actix_web::post;
use actix_web::web::Data;
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::answer::Answer;
use super::super::bank_statements::ImportView;
use super::super::extract::{Body, Input};
use super::super::service::Service;
use crate::domain::bank::StatementFormat;
use crate::domain::language::Language;
use crate::domain::money::{Amount, Currency};
use crate::domain::values::{Line, Text};
use crate::error::{Error, Fault, FaultCode, Faults, Result};
use crate::jobs::bank::{Importer, SentFile};
use crate::programme::Programme;
use crate::secrets::sha256_hex;
use crate::types::text_enum;
use crate::workflows::sandbox::{self, Transfer};

/// The most payments that are all the same.
const MOST: u32 = 100;

text_enum! {
    /// Whether the bank has booked it.
    pub enum TransferStatus {
        /// The money is there.
        Booked = "booked",
        /// It is only announced.
        Pending = "pending",
    }
}

/// Money that is to come.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SandboxBankTransfer, example = json!({ "reference": "RF42 2026 0000 01", "amount": "200.00", "payer_name": "Foto Nord ApS" }))]
struct BankTransfer {
    /// In the field for it.
    #[schema(nullable = false)]
    reference: Option<Line<140>>,
    /// What the payer writes.
    #[schema(nullable = false)]
    text: Option<Text<500>>,
    #[schema(value_type = String, pattern = r"^[0-9]{1,12}\.[0-9]{2}$")]
    amount: Amount,
    /// That of the seller where there is none.
    #[schema(nullable = false)]
    currency: Option<Currency>,
    #[schema(nullable = false)]
    payer_name: Option<Line<140>>,
    /// So many payments that are all the same.
    #[serde(default = "once")]
    #[schema(minimum = 1, maximum = 100, default = 1)]
    times: u32,
    #[schema(nullable = false)]
    status: Option<TransferStatus>,
}

const fn once() -> u32 {
    1
}

impl Input for BankTransfer {
    type Parsed = Transfer;

    fn parse(self, programme: &Programme, mut faults: Faults) -> Result<Transfer> {
        if self.amount.0 <= 0 {
            faults.push(Fault::new("#/amount", FaultCode::TooSmall).with("min", "0.01"));
        }
        if !(1..=MOST).contains(&self.times) {
            faults.push(Fault::new("#/times", FaultCode::TooLarge).with("max", MOST));
        }
        faults.judge(Some(Transfer {
            reference: self.reference.map(String::from),
            text: self.text.map(|text| text.to_string()),
            amount: self.amount,
            currency: self.currency.unwrap_or(programme.seller.currency),
            payer_name: self.payer_name.map(String::from),
            times: self.times,
            is_booked: self.status != Some(TransferStatus::Pending),
        }))
    }
}

/// Have money come
///
/// A bank statement of today with this transfer is made and taken in as a real one would be.
#[utoipa::path(
    tag = "sandbox",
    operation_id = "createBankTransfer",
    request_body = BankTransfer,
    responses((status = 201, description = "It came", body = ImportView))
)]
#[post("/sandbox/bank-transfers")]
pub async fn create_bank_transfer(
    service: Data<Service>,
    language: Language,
    body: Body<BankTransfer>,
) -> Result<Answer> {
    let context = service.context();
    let statement = sandbox::camt(&context, &body.value);
    let importer = Importer {
        db: service.db.clone(),
        stamp: sandbox::stamp(context.now),
        context,
    };
    let outcome = importer.import(spooled(statement).await?).await?;
    Answer::created(&ImportView::of(&outcome, language))
}

async fn spooled(statement: String) -> Result<SentFile> {
    let failed = Error::internal("keeping a statement while it is read");
    let sha256 = sha256_hex(statement.as_bytes());
    let write = move || {
        let mut file = tempfile::tempfile()?;
        file.write_all(statement.as_bytes()).map(|()| file)
    };
    let file = tokio::task::spawn_blocking(write).await;
    let file = file.map_err(Error::internal("keeping a statement while it is read"))?;
    Ok(SentFile {
        file: file.map_err(failed)?,
        sha256,
        format: StatementFormat::Camt,
    })
}
