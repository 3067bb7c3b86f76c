//! The document of an invoice or a credit note: Peppol BIS Billing 3.0.21, element by element in the order of UBL 2.1.

use rust_decimal::Decimal;

use super::means::{Means, danish_account, means};
use super::party::parties;
use super::xml::Xml;
use super::{Issued, Missing};
use crate::domain::invoice::v2::{Content, Line, Payment, VatShare};
use crate::domain::invoice::{InvoiceKind, VatTreatment};
use crate::domain::money::Amount;
use crate::domain::words;

const CUSTOMIZATION: &str =
    "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0";
const PROFILE: &str = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0";
const SCHEMAS: &str = "urn:oasis:names:specification:ubl:schema:xsd";

/// The document; what has to be filled in first where there can be none.
pub fn ubl(issued: Issued<'_>) -> Result<String, Vec<Missing>> {
    let account = lacks_account(issued);
    let (seller, buyer) = match parties(issued.content) {
        Ok(parties) if account.is_none() => parties,
        parties => {
            let parties = parties.err().unwrap_or_default();
            return Err(parties.into_iter().chain(account).collect());
        }
    };
    let root = match issued.kind {
        InvoiceKind::Invoice => "Invoice",
        InvoiceKind::CreditNote => "CreditNote",
    };
    let schema = |name: &str| format!("{SCHEMAS}:{name}-2");
    let namespaces = [
        ("xmlns", schema(root)),
        ("xmlns:cac", schema("CommonAggregateComponents")),
        ("xmlns:cbc", schema("CommonBasicComponents")),
    ];
    let namespaces = namespaces
        .each_ref()
        .map(|(name, uri)| (*name, uri.as_str()));
    let mut xml = Xml::document();
    xml.with(root, &namespaces, |xml| {
        head(xml, issued);
        seller.write(xml, "cac:AccountingSupplierParty");
        buyer.write(xml, "cac:AccountingCustomerParty");
        payment(xml, issued);
        sums(xml, issued);
        for (number, line) in (1..).zip(&issued.content.lines) {
            write_line(xml, issued, number, line);
        }
    });
    Ok(xml.into_text())
}

fn head(xml: &mut Xml, issued: Issued<'_>) {
    let content = issued.content;
    xml.text("cbc:CustomizationID", CUSTOMIZATION);
    xml.text("cbc:ProfileID", PROFILE);
    xml.text("cbc:ID", issued.number);
    xml.text("cbc:IssueDate", &issued.issued_date.to_string());
    match issued.kind {
        InvoiceKind::Invoice => {
            let due = issued.due_date.map(|due| due.to_string());
            xml.text("cbc:DueDate", &due.unwrap_or_default());
            xml.text("cbc:InvoiceTypeCode", "380");
        }
        InvoiceKind::CreditNote => xml.text("cbc:CreditNoteTypeCode", "381"),
    }
    // One note at most (R002), so all notices are in it.
    xml.text("cbc:Note", &content.notices.join(" "));
    xml.text("cbc:DocumentCurrencyCode", issued.currency.as_str());
    let own = content
        .buyer
        .your_reference
        .as_deref()
        .filter(|own| !own.is_empty());
    xml.text(
        "cbc:BuyerReference",
        own.unwrap_or(&content.buyer.account_number),
    );
    references(xml, content);
}

/// What it is about, and what it corrects.
fn references(xml: &mut Xml, content: &Content) {
    if let Some((starts, ends)) = content.period() {
        xml.element("cac:InvoicePeriod", |xml| {
            xml.text("cbc:StartDate", &starts.to_string());
            xml.text("cbc:EndDate", &ends.to_string());
        });
    }
    if let Some(corrected) = &content.corrects {
        xml.element("cac:BillingReference", |xml| {
            xml.element("cac:InvoiceDocumentReference", |xml| {
                xml.text("cbc:ID", &corrected.number);
                xml.text("cbc:IssueDate", &corrected.issued_date.to_string());
            });
        });
    }
}

fn paid_by(issued: Issued<'_>) -> Means {
    let (content, payment) = (issued.content, &issued.content.payment);
    let has_creditor = payment.inpayment.is_some();
    let means = means(
        content.seller.country,
        issued.currency,
        payment.method,
        has_creditor,
    );
    let lacks_account = means == Means::DanishAccount && danish_account(&payment.iban).is_none();
    match issued.kind {
        // Nothing is paid by a credit note, so a seller with a creditor number needs no Danish account for it.
        InvoiceKind::CreditNote if lacks_account => Means::Unsaid,
        _ => means,
    }
}

/// A Danish transfer names registration number and account (DK-R-006), which only a Danish IBAN has.
fn lacks_account(issued: Issued<'_>) -> Option<Missing> {
    let is_danish = paid_by(issued) == Means::DanishAccount;
    let has_account = danish_account(&issued.content.payment.iban).is_some();
    (is_danish && !has_account).then_some(Missing::SELLER_IBAN)
}

fn payment(xml: &mut Xml, issued: Issued<'_>) {
    let (payment, means) = (&issued.content.payment, paid_by(issued));
    xml.element("cac:PaymentMeans", |xml| {
        xml.text("cbc:PaymentMeansCode", &means.code().to_string());
        match (means, &payment.inpayment) {
            (Means::Card, _) => card(xml, payment),
            (Means::Unsaid, _) => {}
            (Means::Inpayment, Some(form)) => {
                xml.text("cbc:PaymentID", &format!("71#{}", form.identification));
                account(xml, &form.creditor, "");
            }
            (Means::DanishAccount, _) => {
                let (branch, number) = danish_account(&payment.iban).unwrap_or_default();
                xml.text(
                    "cbc:PaymentID",
                    payment.reference.as_deref().unwrap_or_default(),
                );
                account(xml, number, branch);
            }
            _ => {
                xml.text(
                    "cbc:PaymentID",
                    payment.reference.as_deref().unwrap_or_default(),
                );
                account(xml, &payment.iban, &payment.bic);
            }
        }
    });
    if let Some(due) = issued.due_date {
        xml.element("cac:PaymentTerms", |xml| {
            xml.text("cbc:Note", &words::date(issued.content.language, due));
        });
    }
}

fn card(xml: &mut Xml, payment: &Payment) {
    if let Some(card) = &payment.card {
        xml.element("cac:CardAccount", |xml| {
            xml.text("cbc:PrimaryAccountNumberID", &card.last4);
            xml.text("cbc:NetworkID", &card.brand);
        });
    }
}

fn account(xml: &mut Xml, number: &str, branch: &str) {
    xml.element("cac:PayeeFinancialAccount", |xml| {
        xml.text("cbc:ID", number);
        if !branch.is_empty() {
            xml.element("cac:FinancialInstitutionBranch", |xml| {
                xml.text("cbc:ID", branch);
            });
        }
    });
}

fn amount(xml: &mut Xml, issued: Issued<'_>, name: &str, cents: i64) {
    let currency = [("currencyID", issued.currency.as_str())];
    xml.text_with(name, &currency, &Amount(cents).to_string());
}

fn sums(xml: &mut Xml, issued: Issued<'_>) {
    let totals = issued.totals;
    xml.element("cac:TaxTotal", |xml| {
        amount(xml, issued, "cbc:TaxAmount", totals.vat);
        for share in &issued.content.vat {
            xml.element("cac:TaxSubtotal", |xml| {
                amount(xml, issued, "cbc:TaxableAmount", share.base_cents);
                amount(xml, issued, "cbc:TaxAmount", share.amount_cents);
                category(xml, "cac:TaxCategory", share, true);
            });
        }
    });
    xml.element("cac:LegalMonetaryTotal", |xml| {
        amount(xml, issued, "cbc:LineExtensionAmount", totals.net);
        amount(xml, issued, "cbc:TaxExclusiveAmount", totals.net);
        amount(xml, issued, "cbc:TaxInclusiveAmount", totals.gross);
        amount(xml, issued, "cbc:PayableAmount", totals.gross);
    });
}

/// The category of a share of VAT, and why there is none of it where that is asked for.
fn category(xml: &mut Xml, name: &str, share: &VatShare, with_reason: bool) {
    let percent = (share.rate * Decimal::ONE_HUNDRED).normalize().to_string();
    let (code, percent, exempt) = match share.category {
        VatTreatment::Standard => ("S", percent.as_str(), None),
        VatTreatment::ReverseCharge => ("AE", "0", Some(("VATEX-EU-AE", "Reverse charge"))),
        VatTreatment::OutsideScope => ("O", "", Some(("VATEX-EU-O", "Not subject to VAT"))),
    };
    xml.element(name, |xml| {
        xml.text("cbc:ID", code);
        xml.text("cbc:Percent", percent);
        if let Some((code, reason)) = exempt.filter(|_| with_reason) {
            xml.text("cbc:TaxExemptionReasonCode", code);
            xml.text("cbc:TaxExemptionReason", reason);
        }
        xml.element("cac:TaxScheme", |xml| xml.text("cbc:ID", "VAT"));
    });
}

fn write_line(xml: &mut Xml, issued: Issued<'_>, number: u32, line: &Line) {
    let (element, quantity) = match issued.kind {
        InvoiceKind::Invoice => ("cac:InvoiceLine", "cbc:InvoicedQuantity"),
        InvoiceKind::CreditNote => ("cac:CreditNoteLine", "cbc:CreditedQuantity"),
    };
    xml.element(element, |xml| {
        xml.text("cbc:ID", &number.to_string());
        xml.text_with(quantity, &[("unitCode", "C62")], "1");
        amount(xml, issued, "cbc:LineExtensionAmount", line.net_cents);
        xml.element("cac:Item", |xml| {
            xml.text("cbc:Name", &line.description);
            if let Some(share) = issued.content.vat.first() {
                category(xml, "cac:ClassifiedTaxCategory", share, false);
            }
        });
        xml.element("cac:Price", |xml| {
            amount(xml, issued, "cbc:PriceAmount", line.net_cents);
        });
    });
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::invoice::totals;
    use crate::domain::money::Currency;

    fn content(change: impl FnOnce(&mut Value)) -> Content {
        let mut content = json!({
            "language": "da",
            "membership_id": "mem_00000000000070008000000000000001",
            "seller": {
                "example": true, "name": "CPS Voorbeeld B.V.", "street": "Voorbeeldlaan 1", "postal_code": "1000 AA", "city": "Amsterdam", "country": "NL",
                "vat_number": "999999990B51", "company_number": "12345678", "company_scheme": "0106",
            },
            "buyer": {
                "company_name": "Foto Ærø ApS & Søn", "street": "Havnegade 2", "postal_code": "5970", "city": "Ærøskøbing", "country": "DK",
                "vat_number": "10150817", "account_number": "ACC-100001", "member_number": "1",
            },
            "lines": [{"kind": "membership", "description": "CPS Platinum", "net_cents": 35000, "starts": "2026-11-26", "ends": "2027-11-25"}],
            "vat": [{"category": "reverse_charge", "rate": "0", "base_cents": 35000, "amount_cents": 0}],
            "notices": ["Omvendt betalingspligt", "Reverse charge"],
            "payment": {"method": "bank_transfer", "iban": "NL13TEST0123456789", "bic": "TESTNL2A", "bank": "Voorbeeldbank", "reference": "RF8020250001"},
        });
        change(&mut content);
        serde_json::from_value(content).unwrap()
    }

    fn issued(content: &Content) -> Issued<'_> {
        let nets: Vec<i64> = content.lines.iter().map(|line| line.net_cents).collect();
        Issued {
            kind: InvoiceKind::Invoice,
            number: "2026-000001",
            issued_date: "2026-11-26".parse().unwrap(),
            due_date: Some("2026-12-26".parse().unwrap()),
            currency: Currency::EUR,
            totals: totals(&nets, content.vat.first().unwrap().rate).unwrap(),
            content,
        }
    }

    fn made(change: impl FnOnce(&mut Value)) -> String {
        ubl(issued(&content(change))).unwrap()
    }

    fn missing(change: impl FnOnce(&mut Value)) -> Vec<&'static str> {
        let missing = ubl(issued(&content(change))).unwrap_err();
        missing.into_iter().map(|one| one.0).collect()
    }

    fn outside(content: &mut Value) {
        content["vat"][0]["category"] = json!("outside_scope");
    }

    #[test]
    fn an_invoice_says_all_that_its_content_says_and_nothing_empty() {
        let text = made(|_| {});
        for piece in [
            "<cbc:ID>2026-000001</cbc:ID><cbc:IssueDate>2026-11-26</cbc:IssueDate><cbc:DueDate>2026-12-26</cbc:DueDate><cbc:InvoiceTypeCode>380",
            "<cbc:Note>Omvendt betalingspligt Reverse charge</cbc:Note>",
            "<cbc:BuyerReference>ACC-100001</cbc:BuyerReference>",
            "<cbc:StartDate>2026-11-26</cbc:StartDate><cbc:EndDate>2027-11-25</cbc:EndDate>",
            "<cbc:EndpointID schemeID=\"9944\">NL999999990B51</cbc:EndpointID>",
            "<cbc:EndpointID schemeID=\"0184\">10150817</cbc:EndpointID>",
            "<cbc:CompanyID>DK10150817</cbc:CompanyID>",
            "<cbc:CompanyID schemeID=\"0106\">12345678</cbc:CompanyID>",
            "<cbc:CompanyID schemeID=\"0184\">10150817</cbc:CompanyID>",
            "Foto Ærø ApS &amp; Søn",
            "<cbc:PaymentMeansCode>58</cbc:PaymentMeansCode><cbc:PaymentID>RF8020250001</cbc:PaymentID>",
            "<cbc:ID>NL13TEST0123456789</cbc:ID><cac:FinancialInstitutionBranch><cbc:ID>TESTNL2A</cbc:ID>",
            "<cbc:ID>AE</cbc:ID><cbc:Percent>0</cbc:Percent><cbc:TaxExemptionReasonCode>VATEX-EU-AE",
            "<cbc:PayableAmount currencyID=\"EUR\">350.00</cbc:PayableAmount>",
            "<cbc:PriceAmount currencyID=\"EUR\">350.00</cbc:PriceAmount>",
        ] {
            assert!(text.contains(piece), "{piece}\n{text}");
        }
        assert!(!text.contains("></cbc:"), "{text}");
        assert!(
            made(|content| content["buyer"]["your_reference"] = json!("PO 7"))
                .contains("<cbc:BuyerReference>PO 7<")
        );
    }

    #[test]
    fn a_credit_note_names_what_it_corrects() {
        let content = content(|content| {
            content["corrects"] = json!({"number": "2026-000001", "issued_date": "2026-11-26"});
        });
        let note = Issued {
            kind: InvoiceKind::CreditNote,
            due_date: None,
            ..issued(&content)
        };
        let text = ubl(note).unwrap();
        for piece in [
            "<CreditNote xmlns=\"urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2\"",
            "<cbc:CreditNoteTypeCode>381</cbc:CreditNoteTypeCode>",
            "<cac:BillingReference><cac:InvoiceDocumentReference><cbc:ID>2026-000001</cbc:ID>",
            "<cac:CreditNoteLine><cbc:ID>1</cbc:ID><cbc:CreditedQuantity unitCode=\"C62\">1</cbc:CreditedQuantity>",
        ] {
            assert!(text.contains(piece), "{piece}\n{text}");
        }
        assert!(!text.contains("DueDate") && !text.contains("PaymentTerms"));
    }

    #[test]
    fn outside_the_scope_there_is_no_percentage_and_no_vat_number() {
        let text = made(outside);
        assert!(text.contains("<cbc:ID>O</cbc:ID><cbc:TaxExemptionReasonCode>VATEX-EU-O"));
        assert!(!text.contains("Percent") && !text.contains("PartyTaxScheme"));
    }

    #[test]
    fn a_rate_is_written_as_a_percentage() {
        let text = made(|content| {
            content["vat"][0] = json!({"category": "standard", "rate": "0.255", "base_cents": 35000, "amount_cents": 8925});
        });
        assert!(text.contains("<cbc:ID>S</cbc:ID><cbc:Percent>25.5</cbc:Percent>"));
        assert!(text.contains("<cbc:TaxInclusiveAmount currencyID=\"EUR\">439.25<"));
    }

    /// Of a Danish seller, in kroner.
    fn danish(change: impl FnOnce(&mut Value)) -> Result<String, Vec<Missing>> {
        let content = content(|content| {
            content["seller"]["country"] = json!("DK");
            content["seller"]["vat_number"] = json!("13585628");
            content["seller"]["company_number"] = json!("13585628");
            content["seller"]["company_scheme"] = json!("0184");
            content["payment"]["iban"] = json!("DK5000400440116243");
            change(content);
        });
        ubl(Issued {
            currency: Currency::DKK,
            ..issued(&content)
        })
    }

    #[test]
    fn each_way_of_paying_says_where_the_money_goes() {
        let card = made(|content| {
            content["payment"]["method"] = json!("card");
            content["payment"]["card"] = json!({"brand": "Visa", "last4": "4242"});
        });
        assert!(card.contains("<cbc:PaymentMeansCode>48</cbc:PaymentMeansCode><cac:CardAccount><cbc:PrimaryAccountNumberID>4242"));
        let danish = |inpayment: Value| {
            let with = |content: &mut Value| content["payment"]["inpayment"] = inpayment;
            danish(with).unwrap()
        };
        let form = danish(json!({"identification": "000020260000011", "creditor": "81234567"}));
        assert!(form.contains("<cbc:PaymentMeansCode>93</cbc:PaymentMeansCode><cbc:PaymentID>71#000020260000011</cbc:PaymentID><cac:PayeeFinancialAccount><cbc:ID>81234567<"));
        let account = danish(Value::Null);
        assert!(
            account.contains(
                "<cbc:ID>0440116243</cbc:ID><cac:FinancialInstitutionBranch><cbc:ID>0040<"
            )
        );
    }

    #[test]
    fn a_credit_note_needs_no_account() {
        let note = |iban: &str| {
            let content = content(|content| {
                content["seller"] = json!({
                    "example": true, "name": "CPS Eksempel ApS", "street": "Eksempelvej 1", "postal_code": "1058", "city": "K\u{f8}benhavn", "country": "DK",
                    "vat_number": "13585628", "company_number": "13585628", "company_scheme": "0184",
                });
                content["payment"]["iban"] = json!(iban);
            });
            let note = Issued {
                kind: InvoiceKind::CreditNote,
                due_date: None,
                currency: Currency::DKK,
                ..issued(&content)
            };
            ubl(note).unwrap()
        };
        let elsewhere = note("NL13TEST0123456789");
        let unsaid =
            "<cac:PaymentMeans><cbc:PaymentMeansCode>1</cbc:PaymentMeansCode></cac:PaymentMeans>";
        assert!(elsewhere.contains(unsaid), "{elsewhere}");
        let at_home = note("DK5000400440116243");
        assert!(at_home.contains("<cbc:PaymentMeansCode>42<"), "{at_home}");
    }

    #[test]
    fn what_has_to_be_filled_in_first_is_named() {
        let number = "#/buyer/company_number";
        assert_eq!(
            missing(|content| content["buyer"]["vat_number"] = Value::Null),
            [number]
        );
        let german = |content: &mut Value| {
            content["buyer"]["country"] = json!("DE");
            content["buyer"]["vat_number"] = Value::Null;
            content["buyer"]["company_number"] = json!("HRB 1");
        };
        assert_eq!(missing(german), ["#/buyer/electronic_address"]);
        let dutch = |content: &mut Value| {
            content["buyer"]["country"] = json!("NL");
            content["buyer"]["vat_number"] = json!("005916343B01");
            content["vat"][0] = json!({"category": "standard", "rate": "0.21", "base_cents": 35000, "amount_cents": 7350});
        };
        assert_eq!(missing(dutch), [number]);
        assert_eq!(
            missing(|content| content["seller"]["company_number"] = Value::Null),
            ["#/seller/company_number"]
        );
        let both = missing(|content| {
            content["seller"]["company_number"] = Value::Null;
            content["buyer"]["vat_number"] = Value::Null;
        });
        assert_eq!(both, ["#/seller/company_number", number]);
        assert_eq!(
            missing(|content| content["seller"]["company_scheme"] = json!("0184")),
            ["#/seller/company_scheme"]
        );
        let abroad = danish(|content| {
            content["seller"]["company_scheme"] = json!("0106");
            content["payment"]["iban"] = json!("NL13TEST0123456789");
        });
        let lacking = vec![Missing::SELLER_COMPANY_SCHEME, Missing::SELLER_IBAN];
        assert_eq!(abroad, Err(lacking));
    }
}
