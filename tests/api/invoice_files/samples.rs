//! Invoices and credit notes of every kind, as rows: each VAT treatment, country, way of paying and odd name.

use serde_json::{Value, json};

use super::SEEDED;

/// One row of the member, beside the invoice that it has.
pub struct Sample {
    pub name: &'static str,
    n: usize,
    kind: &'static str,
    currency: &'static str,
    pub is_old: bool,
    content: Value,
    /// What is read on the paper and in the electronic invoice.
    pub printed: Vec<String>,
    pub written: Vec<String>,
    /// What stands in the way of an electronic one.
    pub missing: Vec<&'static str>,
}

impl Sample {
    fn new(name: &'static str, change: impl FnOnce(&mut Value)) -> Self {
        let mut content = content();
        change(&mut content);
        Self {
            name,
            n: 0,
            kind: "invoice",
            currency: "EUR",
            is_old: false,
            content,
            printed: Vec::new(),
            written: Vec::new(),
            missing: Vec::new(),
        }
    }

    fn in_kroner(self) -> Self {
        Self {
            currency: "DKK",
            ..self
        }
    }

    fn credit_note(mut self) -> Self {
        self.kind = "credit_note";
        self.content["corrects"] =
            json!({ "number": "CPS-2026-000002", "issued_date": "2026-03-01" });
        self
    }

    fn shows(mut self, words: &[&str]) -> Self {
        self.printed.extend(words.iter().map(ToString::to_string));
        self
    }

    fn says(mut self, words: &[&str]) -> Self {
        self.written.extend(words.iter().map(ToString::to_string));
        self
    }

    fn lacks(mut self, pointer: &'static str) -> Self {
        self.missing.push(pointer);
        self
    }

    pub fn number(&self) -> String {
        format!("CPS-2026-9{:05}", self.n)
    }

    pub fn id(&self) -> String {
        format!("inv_0000000000007000900000000000{:04x}", self.n)
    }

    /// The statement that stores it, with the seeded invoice's account and purchase.
    pub fn insert(&self) -> String {
        let (id, seeded) = (uuid(&self.id()), uuid(SEEDED));
        let lines = self.content["lines"].as_array().unwrap();
        let net: i64 = lines
            .iter()
            .map(|line| line["net_cents"].as_i64().unwrap())
            .sum();
        let vat = match self.is_old {
            true => 0,
            false => self.content["vat"][0]["amount_cents"].as_i64().unwrap(),
        };
        let is_invoice = self.kind == "invoice";
        let (corrects, due) = match is_invoice {
            true => ("NULL".to_owned(), "'2026-12-26'"),
            false => (format!("'{seeded}'"), "NULL"),
        };
        let (number, n, version) = (self.number(), self.n, if self.is_old { 1 } else { 2 });
        let content = self.content.to_string().replace('\'', "''");
        let (kind, currency, gross) = (self.kind, self.currency, net + vat);
        format!(
            "INSERT INTO invoices (id, account_id, membership_id, purchase_id, seller_terms_id, version, kind, issue_no, corrects_id, number, seller_key, year, seq,
                 status, issued_at, issued_date, due_date, collect_from, currency, net_cents, vat_cents, gross_cents, open_cents, payment_method, content_version,
                 content, created_at)
             SELECT '{id}', account_id, membership_id, purchase_id, seller_terms_id, 1, '{kind}', {n} + 100, {corrects}, '{number}', seller_key, year, {n} + 900000,
                 'open', issued_at, '2026-11-26', {due}, {due}, '{currency}', {net}, {vat}, {gross}, {gross}, 'bank_transfer', {version},
                 '{content}', created_at FROM invoices WHERE id = '{seeded}'"
        )
    }
}

/// An id as the database has it.
fn uuid(id: &str) -> String {
    let (_, hex) = id.split_once('_').unwrap();
    uuid::Uuid::parse_str(hex).unwrap().to_string()
}

/// A Dutch seller, a Danish buyer, a transfer in euro, in Danish.
fn content() -> Value {
    json!({
        "language": "da", "membership_id": "mem_00000000000070008000000000000002",
        "seller": {
            "example": true, "name": "CPS Voorbeeld B.V.", "street": "Voorbeeldlaan 1", "postal_code": "1000 AA", "city": "Amsterdam", "country": "NL",
            "vat_number": "999999990B51", "company_number": "12345678", "company_scheme": "0106",
        },
        "buyer": {
            "company_name": "Foto Ærø ApS", "street": "Havnegade 2", "postal_code": "5970", "city": "Ærøskøbing", "country": "DK", "vat_number": "10150817",
            "account_number": "4410000812", "member_number": "10000001",
        },
        "lines": [{ "kind": "membership", "description": "Medlemskab Platinum", "net_cents": 35000, "starts": "2026-11-26", "ends": "2027-11-25" }],
        "vat": [{ "category": "reverse_charge", "rate": "0", "base_cents": 35000, "amount_cents": 0 }],
        "notices": ["Omvendt betalingspligt (reverse charge).", "Sælgeren på denne faktura er et opdigtet eksempel."],
        "payment": { "method": "bank_transfer", "iban": "NL13TEST0123456789", "bic": "TESTNL2A", "bank": "Voorbeeldbank", "reference": "RF80CPS2026000001" },
    })
}

fn english(content: &mut Value) {
    content["language"] = json!("en");
    content["lines"][0]["description"] = json!("Platinum membership");
    content["notices"] = json!(["Reverse charge."]);
}

fn by_card(content: &mut Value) {
    content["payment"]["method"] = json!("card");
    content["payment"]["card"] = json!({ "brand": "Visa", "last4": "4242" });
}

fn outside(content: &mut Value) {
    content["vat"][0]["category"] = json!("outside_scope");
}

/// VAT of a rate in hundredths of a percent, half up.
fn standard(content: &mut Value, basis_points: i64) {
    let lines = content["lines"].as_array().unwrap();
    let base: i64 = lines
        .iter()
        .map(|line| line["net_cents"].as_i64().unwrap())
        .sum();
    let amount = (base * basis_points + 5000) / 10_000;
    let rate = format!("0.{basis_points:04}");
    content["vat"] = json!([{ "category": "standard", "rate": rate, "base_cents": base, "amount_cents": amount }]);
    content["notices"] = json!([]);
}

fn buyer(content: &mut Value, country: &str, vat_number: Option<&str>) {
    content["buyer"]["country"] = json!(country);
    content["buyer"]["vat_number"] = json!(vat_number);
}

fn danish_seller(content: &mut Value) {
    content["seller"] = json!({
        "example": true, "name": "Eksempelfirma CPS A/S", "street": "Eksempelvej 1", "postal_code": "2100", "city": "København Ø", "country": "DK",
        "vat_number": "13585628", "company_number": "13585628", "company_scheme": "0184",
    });
    content["lines"] = json!([
        { "kind": "membership", "description": "Medlemskab Gold", "net_cents": 75010, "starts": "2026-11-26", "ends": "2027-11-25" },
        { "kind": "transfer_fee", "description": "Gebyr for bankoverførsel", "net_cents": 3990 },
    ]);
    standard(content, 2500);
    content["payment"] = json!({ "method": "bank_transfer", "iban": "DK5000400440116243", "bic": "TESTDKKK", "bank": "Eksempelbanken", "reference": "RF80CPS2026000001" });
}

fn with_form(content: &mut Value) {
    danish_seller(content);
    content["payment"]["inpayment"] =
        json!({ "identification": "000020260000011", "creditor": "81234567" });
}

fn named(content: &mut Value, name: &str) {
    content["buyer"]["company_name"] = json!(name);
}

fn dutch_buyer(content: &mut Value) {
    buyer(content, "NL", Some("005916343B01"));
    content["buyer"]["company_number"] = json!("87654321");
    standard(content, 2100);
}

/// All of them.
pub fn samples() -> Vec<Sample> {
    let mut samples = ways_of_paying();
    samples.extend(credit_notes());
    samples.extend(names());
    samples.extend(countries());
    samples.extend(refused());
    for (n, sample) in (1..).zip(&mut samples) {
        sample.n = n;
    }
    samples
}

fn ways_of_paying() -> Vec<Sample> {
    let number = "NL999999990B51";
    vec![
        Sample::new("transfer", |_| {}).shows(&["Faktura", "OPDIGTET EKSEMPEL", number, "DK10150817", "26. december 2026", "RF80 CPS2 0260 0000 1", "350,00", "Side 1 af 1"]),
        Sample::new("english", english).shows(&["Invoice", "MADE-UP EXAMPLE", "26 December 2026", "350.00", "Denmark", "Page 1 of 1"]),
        Sample::new("card", by_card).shows(&["Visa, der ender på 4242", "Trækkes på kortet", "NL13 TEST 0123 4567 89"]).says(&["<cbc:PaymentMeansCode>48<"]),
        Sample::new("standard", dutch_buyer).shows(&["Moms 21 % af 350,00", "73,50", "423,50"]),
        Sample::new("half a percent", |content| {
            dutch_buyer(content);
            standard(content, 2550);
        })
        .shows(&["Moms 25,5 % af 350,00", "89,25"]),
        Sample::new("form", with_form).in_kroner().shows(&["+71<000020260000011+81234567<", "987,50", "CVR: 13585628"]).says(&["71#000020260000011"]),
        Sample::new("danish account", danish_seller).in_kroner().says(&["<cbc:PaymentMeansCode>42<"]),
        Sample::new("danish card", |content| {
            with_form(content);
            by_card(content);
        })
        .in_kroner(),
        Sample::new("own reference", |content| content["buyer"]["your_reference"] = json!("PO 4711 & 12")).shows(&["PO 4711 & 12"]).says(&["PO 4711 &amp; 12"]),
        Sample::new("many lines", |content| {
            let line = |n: i64| json!({ "kind": "membership", "description": format!("Medlemskab {n} med flere ord, end der er plads til på en linje i denne kolonne"), "net_cents": 1_000_000 + n });
            content["lines"] = (0..60).map(line).collect();
            let base: i64 = (0..60).map(|n| 1_000_000 + n).sum();
            content["vat"][0]["base_cents"] = json!(base);
        })
        .shows(&["Medlemskab 59 med", "600.017,70", "Side 4 af"]),
        old(),
    ]
}

/// As invoices were issued first.
fn old() -> Sample {
    let content = json!({
        "language": "da", "membership_id": "mem_00000000000070008000000000000002",
        "seller": {
            "example": true, "name": "CPS Voorbeeld B.V.", "street": "Voorbeeldlaan 1", "postal_code": "1000 AA", "city": "Amsterdam", "country": "NL",
            "vat_number": "999999990B51", "iban": "NL13TEST0123456789", "bic": "TESTNL2A", "bank": "Voorbeeldbank",
        },
        "buyer": {
            "company_name": "Foto Nord", "street": "Havnegade 2", "postal_code": "5970", "city": "Marstal", "country": "DK", "account_number": "4410000812",
            "member_number": "10000001",
        },
        "lines": [{ "description": "Medlemskab Gold", "net_cents": 20000, "period": ["2026-11-26", "2027-11-25"] }],
        "vat_treatment": "reverse_charge", "vat_rate": "0", "vat_evidence": null, "fi_line": null, "notices": ["Omvendt betalingspligt"],
    });
    Sample {
        is_old: true,
        content,
        ..Sample::new("old", |_| {}).shows(&[
            "Foto Nord",
            "Medlemskab Gold",
            "200,00",
            "26. november 2026 til 25. november 2027",
        ])
    }
}

fn credit_notes() -> Vec<Sample> {
    let corrected = "CPS-2026-000002";
    vec![
        Sample::new("credit note", |_| {})
            .credit_note()
            .shows(&[
                "Kreditnota",
                "Krediterer faktura",
                corrected,
                "Krediteret i alt, EUR",
            ])
            .says(&["<cbc:CreditNoteTypeCode>381<", corrected]),
        Sample::new("english credit note", english)
            .credit_note()
            .shows(&["Credit note", "Credits invoice"]),
        Sample::new("credit note at home", dutch_buyer).credit_note(),
        Sample::new("danish credit note", with_form)
            .in_kroner()
            .credit_note(),
        Sample::new("danish credit note from elsewhere", |content| {
            danish_seller(content);
            content["payment"]["iban"] = json!("NL13TEST0123456789");
        })
        .in_kroner()
        .credit_note()
        .says(&["<cbc:PaymentMeansCode>1<"]),
        Sample::new("credit note outside", |content| {
            buyer(content, "NO", Some("995525828MVA"));
            outside(content);
        })
        .credit_note(),
    ]
}

fn names() -> Vec<Sample> {
    let cases: [(&'static str, &str, &[&str]); 6] = [
        (
            "latin",
            "Æble ø ß ő Łódź Žluťoučký",
            &["Æble ø ß ő Łódź Žluťoučký"],
        ),
        ("greek", "Φωτογραφία Εταιρεία", &["Φωτογραφία Εταιρεία"]),
        ("cyrillic", "Фотография ООО", &["Фотография ООО"]),
        ("cjk", "写真館 Tokyo", &["\u{fffd}\u{fffd}\u{fffd} Tokyo"]),
        (
            "ampersand",
            "Søn & Co. <\"x\"> 'y'",
            &["Søn & Co. <\"x\"> 'y'"],
        ),
        ("emoji", "Foto \u{1f4f7} e\u{301}", &["Foto \u{fffd}"]),
    ];
    let mut samples: Vec<Sample> = cases
        .into_iter()
        .map(|(name, text, shown)| {
            let escaped = text
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;");
            let said = match name {
                "ampersand" => "Søn &amp; Co.".to_owned(),
                _ => escaped,
            };
            Sample::new(name, |content| named(content, text))
                .shows(shown)
                .says(&[&said])
        })
        .collect();
    let long = "Lichtbildnerei ".repeat(12) + &"W".repeat(120);
    samples.push(Sample::new("300 characters", |content| {
        named(content, &long);
        content["buyer"]["your_reference"] = json!("0123456789".repeat(6));
    }));
    samples
}

fn countries() -> Vec<Sample> {
    let cases: [(&'static str, &str); 16] = [
        ("AT", "U12345675"),
        ("BE", "0403170701"),
        ("CZ", "12345679"),
        ("DE", "136695976"),
        ("ES", "B58378431"),
        ("FI", "20774740"),
        ("FR", "40303265045"),
        ("HU", "12892312"),
        ("IE", "6388047V"),
        ("IT", "00743110157"),
        ("LU", "15027442"),
        ("PL", "8567346215"),
        ("PT", "501964843"),
        ("SE", "556188840401"),
        ("SK", "2022749619"),
        ("GB", "980780684"),
    ];
    let reverse = cases.into_iter().map(|(country, number)| {
        Sample::new(country, |content| {
            buyer(content, country, Some(number));
            if country == "GB" {
                outside(content);
            }
        })
    });
    let mut samples: Vec<Sample> = reverse.collect();
    samples.push(
        Sample::new("NO", |content| {
            buyer(content, "NO", Some("995525828MVA"));
            outside(content);
        })
        .shows(&["Uden for EU's momsområde", "NO995525828MVA"]),
    );
    samples.push(Sample::new("territory", |content| {
        buyer(content, "ES", Some("B58378431"));
        outside(content);
    }));
    samples
}

/// What lacks a number.
fn refused() -> Vec<Sample> {
    vec![
        Sample::new("no number", |content| buyer(content, "DK", None))
            .lacks("#/buyer/company_number"),
        Sample::new("no address", |content| {
            buyer(content, "DE", None);
            content["buyer"]["company_number"] = json!("HRB 1");
        })
        .lacks("#/buyer/electronic_address"),
        Sample::new("address given", |content| {
            buyer(content, "DE", None);
            content["buyer"]["company_number"] = json!("HRB 1");
            content["buyer"]["electronic_address"] = json!("0088:7300010000001");
        }),
        Sample::new("dutch without register", |content| {
            dutch_buyer(content);
            content["buyer"]["company_number"] = Value::Null;
        })
        .lacks("#/buyer/company_number"),
        Sample::new("seller without register", |content| {
            content["seller"]["company_number"] = Value::Null
        })
        .lacks("#/seller/company_number"),
    ]
}
