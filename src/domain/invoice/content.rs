//! What an invoice of content version 1 says: one that was issued before purchases were recorded. What is issued now says what `v2` has.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::v2::{self, Inpayment, LineKind, Payment, VatShare};
use super::{PaymentMethod, Totals, VatTreatment};
use crate::domain::document::{DocumentId, DocumentKind};
use crate::domain::language::Language;
use crate::domain::membership::MembershipId;
use crate::domain::values::Country;
use crate::types::Instant;

/// All that an issued invoice says beside its number, dates and sums.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// What its words are written in.
    pub language: Language,
    pub membership_id: MembershipId,
    pub seller: Seller,
    pub buyer: Buyer,
    pub lines: Vec<Line>,
    pub vat_treatment: VatTreatment,
    /// 0.21 is 21 %; 0 unless the treatment is `standard`.
    pub vat_rate: Decimal,
    /// What shows that the buyer is a business.
    pub vat_evidence: Option<Evidence>,
    /// The payment line of a Danish seller's invoice in kroner.
    pub fi_line: Option<String>,
    /// What the law and the payer have to read.
    pub notices: Vec<String>,
}

/// Who sells, with where the money goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seller {
    /// Whether it is made up.
    pub example: bool,
    pub name: String,
    pub street: String,
    pub postal_code: String,
    pub city: String,
    pub country: Country,
    /// Without the country's prefix.
    pub vat_number: String,
    pub iban: String,
    pub bic: String,
    pub bank: String,
}

/// Who buys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buyer {
    pub company_name: String,
    pub street: String,
    pub postal_code: String,
    pub city: String,
    pub country: Country,
    /// Without the country's prefix; a business may have none.
    #[serde(default)]
    pub vat_number: Option<String>,
    pub account_number: String,
    pub member_number: String,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub description: String,
    /// Without VAT, in the invoice's currency.
    pub net_cents: i64,
    /// The first and the last day that it is about.
    pub period: Option<(NaiveDate, NaiveDate)>,
}

/// The accepted document that proves the business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = VatEvidence)]
pub struct Evidence {
    pub document_id: DocumentId,
    pub kind: DocumentKind,
    /// Of its bytes, in lower-case hex.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub sha256: String,
    /// When a reviewer accepted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub decided_at: Option<Instant>,
}

impl Content {
    /// The same in the words of version 2, with what stood beside it.
    pub fn into_v2(
        self,
        totals: Totals,
        (method, reference): (PaymentMethod, Option<String>),
    ) -> v2::Content {
        let payment = Payment {
            method,
            card: None,
            iban: self.seller.iban.clone(),
            bic: self.seller.bic.clone(),
            bank: self.seller.bank.clone(),
            reference,
            inpayment: self.fi_line.as_deref().and_then(inpayment),
        };
        v2::Content {
            language: self.language,
            membership_id: self.membership_id,
            seller: self.seller.into_v2(),
            buyer: self.buyer.into_v2(),
            lines: self.lines.into_iter().map(Line::into_v2).collect(),
            vat: vec![VatShare {
                category: self.vat_treatment,
                rate: self.vat_rate,
                base_cents: totals.net,
                amount_cents: totals.vat,
            }],
            evidence: self.vat_evidence,
            notices: self.notices,
            payment,
            corrects: None,
        }
    }
}

/// The parts of `+71<15 digits+creditor<`.
fn inpayment(line: &str) -> Option<Inpayment> {
    let line = line.strip_prefix("+71<")?.strip_suffix('<')?;
    let (identification, creditor) = line.split_once('+')?;
    Some(Inpayment {
        identification: identification.to_owned(),
        creditor: creditor.to_owned(),
    })
}

impl Seller {
    fn into_v2(self) -> v2::Seller {
        v2::Seller {
            example: self.example,
            name: self.name,
            street: self.street,
            postal_code: self.postal_code,
            city: self.city,
            country: self.country,
            vat_number: self.vat_number,
            company_number: None,
            company_scheme: None,
            electronic_address: None,
        }
    }
}

impl Buyer {
    fn into_v2(self) -> v2::Buyer {
        v2::Buyer {
            company_name: self.company_name,
            street: self.street,
            postal_code: self.postal_code,
            city: self.city,
            country: self.country,
            vat_number: self.vat_number,
            company_number: None,
            electronic_address: None,
            your_reference: None,
            account_number: self.account_number,
            member_number: self.member_number,
        }
    }
}

impl Line {
    fn into_v2(self) -> v2::Line {
        v2::Line {
            kind: match self.period {
                Some(_) => LineKind::Membership,
                None => LineKind::TransferFee,
            },
            description: self.description,
            level: None,
            net_cents: self.net_cents,
            starts: self.period.map(|(starts, _)| starts),
            ends: self.period.map(|(_, ends)| ends),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_issued_first_says_the_same_in_version_2() {
        let content: Content = serde_json::from_value(json!({
            "language": "da", "membership_id": "mem_00000000000070008000000000000001",
            "seller": {
                "example": true, "name": "s", "street": "s", "postal_code": "1000", "city": "c", "country": "DK", "vat_number": "1", "iban": "i",
                "bic": "b", "bank": "k",
            },
            "buyer": {
                "company_name": "b", "street": "s", "postal_code": "1000", "city": "c", "country": "DK", "account_number": "1", "member_number": "1",
            },
            "lines": [
                {"description": "m", "net_cents": 79000, "period": ["2026-11-26", "2027-11-25"]},
                {"description": "f", "net_cents": 100, "period": null},
            ],
            "vat_treatment": "standard", "vat_rate": "0.25", "vat_evidence": null, "fi_line": "+71<000020260000011+81234567<", "notices": ["n"],
        }))
        .unwrap();
        let totals = Totals::of(79100, 19775).unwrap();
        let content = content.into_v2(totals, (PaymentMethod::BankTransfer, Some("RF80".into())));
        assert!(content.adds_up(super::super::InvoiceKind::Invoice, totals));
        let line = content.payment.inpayment.as_ref().map(Inpayment::line);
        assert_eq!(line.as_deref(), Some("+71<000020260000011+81234567<"));
        let days = ("2026-11-26".parse().unwrap(), "2027-11-25".parse().unwrap());
        assert_eq!(content.period(), Some(days));
        assert_eq!(content.payment.reference.as_deref(), Some("RF80"));
    }
}
