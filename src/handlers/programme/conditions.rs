//! What a form keeps to and tells before it is sent: limits, when staff answer, the terms, what a bank transfer costs.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::calendar::Calendar;
use crate::domain::collection::OverdueRules;
use crate::domain::language::Language;
use crate::domain::media_type::MediaType;
use crate::domain::money::Money;
use crate::error::Result;
use crate::programme::Programme;
use crate::types::Instant;
use crate::workflows::invoices::bank_fee_notice;

/// What the current version of the terms says.
#[derive(Serialize, ToSchema)]
pub struct ProgrammeTerms {
    /// Whether it is made up.
    example: bool,
    text: String,
}

impl ProgrammeTerms {
    pub fn of(programme: &Programme, language: Language) -> Self {
        Self {
            example: programme.terms.example,
            text: programme.terms.in_language(language).to_owned(),
        }
    }
}

/// What the documents of an application keep to.
#[derive(Serialize, ToSchema)]
struct DocumentLimits {
    media_types: &'static [MediaType],
    /// Bytes of one document.
    #[schema(minimum = 1, example = 4_194_304)]
    max_bytes: u64,
    #[schema(minimum = 1, example = 10)]
    max_documents: u32,
    /// Bytes of all documents together.
    #[schema(minimum = 1, example = 20_971_520)]
    max_bytes_together: u64,
    /// A business invoice is at most so many months old.
    #[schema(minimum = 0, example = 3)]
    business_invoice_months: u32,
}

/// What a password keeps to.
#[derive(Serialize, ToSchema)]
struct PasswordLimits {
    #[schema(minimum = 1, example = 12)]
    min_characters: usize,
    #[schema(minimum = 1, example = 128)]
    max_characters: usize,
}

/// What forms keep to.
#[derive(Serialize, ToSchema)]
pub struct ProgrammeLimits {
    documents: DocumentLimits,
    passwords: PasswordLimits,
}

impl ProgrammeLimits {
    pub fn of(programme: &Programme) -> Self {
        let (documents, passwords) = (&programme.application, &programme.passwords);
        Self {
            documents: DocumentLimits {
                media_types: MediaType::ALL,
                max_bytes: documents.file_bytes,
                max_documents: documents.documents,
                max_bytes_together: documents.bytes,
                business_invoice_months: documents.business_invoice_months,
            },
            passwords: PasswordLimits {
                min_characters: passwords.min_characters,
                max_characters: passwords.max_characters,
            },
        }
    }
}

/// When staff answer an application.
#[derive(Serialize, ToSchema)]
pub struct AnswerTime {
    /// By the end of so many working days after the day on which it is submitted.
    #[schema(minimum = 0, example = 2)]
    working_days: u32,
    /// When a working day ends, in `zone`.
    #[schema(example = "17:00")]
    closes_at: String,
    #[schema(example = "Europe/Copenhagen")]
    zone: String,
    /// No working days, beside Saturdays and Sundays, of the year that begins today.
    days_off: Vec<NaiveDate>,
}

impl AnswerTime {
    pub fn of(calendar: &Calendar, now: Instant) -> Self {
        Self {
            working_days: calendar.working_days,
            closes_at: calendar.closes_at.format("%H:%M").to_string(),
            zone: calendar.zone.to_string(),
            days_off: calendar.days_off(calendar.date_of(now)),
        }
    }
}

/// What follows when an invoice is not paid by its due date, in days after it.
#[derive(Serialize, ToSchema)]
pub struct OverdueSteps {
    /// A reminder goes out on these.
    #[schema(example = json!([3, 13, 23]))]
    reminder_days: Vec<u32>,
    /// The benefits stop until it is paid.
    #[schema(minimum = 0, example = 30)]
    benefits_suspended_after_days: u32,
    /// The membership ends.
    #[schema(minimum = 0, example = 90)]
    membership_ended_after_days: u32,
}

impl OverdueSteps {
    pub fn of(rules: &OverdueRules) -> Self {
        Self {
            reminder_days: rules.reminder_days.clone(),
            benefits_suspended_after_days: rules.benefits_suspended_after_days,
            membership_ended_after_days: rules.membership_ended_after_days,
        }
    }
}

/// What paying by bank transfer costs.
#[derive(Serialize, ToSchema)]
pub struct BankTransfer {
    /// What the seller charges, without VAT.
    fee: Money,
    /// Whose the fees of the payer's bank are.
    notice: String,
}

impl BankTransfer {
    pub fn of(programme: &Programme, language: Language) -> Result<Self> {
        let currency = programme.seller.currency;
        Ok(Self {
            fee: Money::new(programme.invoice.bank_transfer_fee.0, currency),
            notice: bank_fee_notice(currency, language)?,
        })
    }
}
