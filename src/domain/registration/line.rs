//! One line of a partner: as it is sent, whether in JSON or in a cell of a file, as it is understood, and what tells it from any other.

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::Verb;
use crate::domain::model::{ModelId, name_key};
use crate::domain::product::ProductField;
use crate::domain::product_details::{Details, Unread};
use crate::domain::values::{
    AccountNumber, Country, Date, Email, Field, GivenMemberNumber, Gtin, Line as TextLine,
    ManufacturerCode, VatNumber, serial_key,
};
use crate::error::{Fault, FaultCode, Faults, Partial};

/// One thing that a dealer reports: a sale, a return of one, or a correction.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "external_id": "F-1001", "account_number": "2000000127", "model": "EOS R5", "serial_number": "130210041177", "purchase_date": "2026-05-20"
}))]
pub struct SentLine {
    /// Left out, `register`.
    #[schema(value_type = Option<Verb>, nullable = false)]
    verb: Field<Verb>,
    /// Your own id of this line, over all verbs. The same line under the same id is taken in once, however often it is sent.
    #[schema(value_type = String, pattern = "^[!-~]{1,64}$")]
    external_id: Field<String>,
    /// Of a return or a correction: the `external_id` of the sale.
    #[schema(value_type = Option<String>, pattern = "^[!-~]{1,64}$", nullable = false)]
    of: Field<String>,
    /// The customer, by exactly one of `member_number`, `account_number`, and `vat_number` with `vat_country` and `email`.
    #[schema(value_type = Option<GivenMemberNumber>, nullable = false)]
    member_number: Field<GivenMemberNumber>,
    #[schema(value_type = Option<AccountNumber>, nullable = false)]
    account_number: Field<AccountNumber>,
    #[schema(value_type = Option<String>, min_length = 1, max_length = 32, nullable = false)]
    vat_number: Field<String>,
    #[schema(value_type = Option<Country>, nullable = false)]
    vat_country: Field<Country>,
    /// The contact's, or that of a user.
    #[schema(value_type = Option<Email>, nullable = false)]
    email: Field<Email>,
    /// The model, by exactly one of `model_id`, `gtin`, `manufacturer_code` and `model`.
    #[schema(value_type = Option<ModelId>, nullable = false)]
    model_id: Field<ModelId>,
    #[schema(value_type = Option<Gtin>, nullable = false)]
    gtin: Field<Gtin>,
    #[schema(value_type = Option<ManufacturerCode>, nullable = false)]
    manufacturer_code: Field<ManufacturerCode>,
    /// Its name in full, as the catalogue has it.
    #[schema(value_type = Option<TextLine<100>>, nullable = false)]
    model: Field<TextLine<100>>,
    /// As it stands on the product.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, nullable = false)]
    serial_number: Field<String>,
    #[schema(value_type = Option<Date>, nullable = false)]
    purchase_date: Field<Date>,
    /// Left out, your own.
    #[schema(value_type = Option<Country>, nullable = false)]
    purchase_country: Field<Country>,
    /// Of a return.
    #[schema(value_type = Option<Date>, nullable = false)]
    returned_date: Field<Date>,
}

/// How a line names its customer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CustomerName {
    /// As it is compared.
    MemberNumber(String),
    AccountNumber(String),
    Vat {
        country: Country,
        number: String,
        email_key: String,
    },
}

impl CustomerName {
    /// The field that it is told at.
    pub fn pointer(&self) -> &'static str {
        match self {
            Self::MemberNumber(_) => "#/member_number",
            Self::AccountNumber(_) => "#/account_number",
            Self::Vat { .. } => "#/vat_number",
        }
    }
}

/// How a line names its model.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ModelName {
    Id(ModelId),
    /// 14 digits.
    Gtin(String),
    ManufacturerCode(String),
    /// As it is compared.
    Name(String),
}

impl ModelName {
    /// The field that it is told at.
    pub fn pointer(&self) -> &'static str {
        match self {
            Self::Id(_) => "#/model_id",
            Self::Gtin(_) => "#/gtin",
            Self::ManufacturerCode(_) => "#/manufacturer_code",
            Self::Name(_) => "#/model",
        }
    }
}

/// A line as far as it could be read.
#[derive(Debug, Clone, Default)]
pub struct Line {
    /// Nothing where it could not be read.
    pub verb: Option<Verb>,
    pub external_id: String,
    /// The sale that a return or a correction names.
    pub of: Option<String>,
    pub customer: Option<CustomerName>,
    pub model: Option<ModelName>,
    /// As typed.
    pub serial_number: Option<String>,
    pub purchase_date: Option<NaiveDate>,
    pub purchase_country: Option<Country>,
    pub returned_date: Option<NaiveDate>,
    /// What was sent and could not be read.
    unread: Unread,
}

impl SentLine {
    /// The line, with the `faults` that its schema has and those of rules over several of its fields.
    pub fn understand(self, mut faults: Faults) -> Partial<Line> {
        let verb = match self.verb {
            Field::Absent | Field::Null => Some(Verb::Register),
            ref sent => sent.as_ref().value().copied(),
        };
        if let Some(verb) = verb {
            self.check_fields(verb, &mut faults);
        }
        let unread = self.unread();
        let read = Line {
            verb,
            customer: match verb {
                Some(Verb::Register) => self.customer(&mut faults),
                _ => None,
            },
            model: self.model(),
            external_id: self.external_id.value().unwrap_or_default(),
            of: self.of.value(),
            serial_number: self.serial_number.value(),
            purchase_date: self.purchase_date.value().map(Date::day),
            purchase_country: self.purchase_country.value(),
            returned_date: self.returned_date.value().map(Date::day),
            unread,
        };
        Partial { read, faults }
    }

    /// Each field, and whether it was sent.
    fn sent(&self) -> [(&'static str, bool); 13] {
        [
            ("of", is_sent(&self.of)),
            ("member_number", is_sent(&self.member_number)),
            ("account_number", is_sent(&self.account_number)),
            ("vat_number", is_sent(&self.vat_number)),
            ("vat_country", is_sent(&self.vat_country)),
            ("email", is_sent(&self.email)),
            ("model_id", is_sent(&self.model_id)),
            ("gtin", is_sent(&self.gtin)),
            ("manufacturer_code", is_sent(&self.manufacturer_code)),
            ("model", is_sent(&self.model)),
            ("serial_number", is_sent(&self.serial_number)),
            ("purchase_date", is_sent(&self.purchase_date)),
            ("returned_date", is_sent(&self.returned_date)),
        ]
    }

    /// What the verb needs is there, and nothing that it does not take.
    fn check_fields(&self, verb: Verb, faults: &mut Faults) {
        const MODEL: [&str; 4] = ["model_id", "gtin", "manufacturer_code", "model"];
        let (needed, taken): (&[&str], &[&str]) = match verb {
            Verb::Register => (
                &["serial_number", "purchase_date"],
                &[
                    "member_number",
                    "account_number",
                    "vat_number",
                    "vat_country",
                    "email",
                    "model_id",
                    "gtin",
                    "manufacturer_code",
                    "model",
                    "serial_number",
                    "purchase_date",
                ],
            ),
            Verb::Return => (&["of"], &["of", "returned_date"]),
            Verb::Correct => (
                &["of"],
                &[
                    "of",
                    "model_id",
                    "gtin",
                    "manufacturer_code",
                    "model",
                    "serial_number",
                    "purchase_date",
                ],
            ),
        };
        let fault = |field: &str, code| Fault::new(format!("#/{field}"), code);
        for (field, is_sent) in self.sent() {
            if is_sent && !taken.contains(&field) {
                let allowed = taken.join(", ");
                faults.push(fault(field, FaultCode::NotAccepted).with("allowed", allowed));
            } else if !is_sent && needed.contains(&field) {
                faults.push(fault(field, FaultCode::Required));
            }
        }
        let names = self.sent().into_iter();
        let names: Vec<&str> = names
            .filter(|(field, sent)| *sent && MODEL.contains(field))
            .map(|(field, _)| field)
            .collect();
        if verb == Verb::Register && names.is_empty() {
            faults.push(fault("model_id", FaultCode::Required));
        }
        if verb != Verb::Return {
            one_of(&names, faults);
        }
        if verb == Verb::Return && is_sent(&self.purchase_country) {
            let allowed = taken.join(", ");
            faults.push(fault("purchase_country", FaultCode::NotAccepted).with("allowed", allowed));
        }
    }

    /// The customer, by exactly one of three ways.
    fn customer(&self, faults: &mut Faults) -> Option<CustomerName> {
        let by_vat =
            is_sent(&self.vat_number) || is_sent(&self.vat_country) || is_sent(&self.email);
        let ways = [
            ("member_number", is_sent(&self.member_number)),
            ("account_number", is_sent(&self.account_number)),
            ("vat_number", by_vat),
        ];
        let ways = ways.into_iter().filter(|(_, is_sent)| *is_sent);
        let ways: Vec<&str> = ways.map(|(way, _)| way).collect();
        one_of(&ways, faults);
        match ways.first() {
            None => {
                faults.push(Fault::new("#/member_number", FaultCode::Required));
                None
            }
            Some(&"vat_number") => self.customer_by_vat(faults),
            Some(_) => {
                let number = self.member_number.as_ref().value();
                let number =
                    number.map(|number| CustomerName::MemberNumber(number.key().to_owned()));
                number.or_else(|| {
                    let number = self.account_number.as_ref().value()?;
                    Some(CustomerName::AccountNumber(number.as_str().to_owned()))
                })
            }
        }
    }

    fn customer_by_vat(&self, faults: &mut Faults) -> Option<CustomerName> {
        let mut need =
            |field: &str| faults.push(Fault::new(format!("#/{field}"), FaultCode::Required));
        if !is_sent(&self.vat_number) {
            need("vat_number");
        } else if !is_sent(&self.vat_country) {
            need("vat_country");
        }
        if !is_sent(&self.email) {
            need("email");
        }
        let country = *self.vat_country.as_ref().value()?;
        let typed = self.vat_number.as_ref().value()?;
        let number =
            VatNumber::read(country, typed).map_err(|code| vec![Fault::new("#/vat_number", code)]);
        Some(CustomerName::Vat {
            country,
            number: faults.note(number)?.into(),
            email_key: self.email.as_ref().value()?.key(),
        })
    }

    fn model(&self) -> Option<ModelName> {
        let id = self.model_id.as_ref().value().map(|id| ModelName::Id(*id));
        let gtin = || {
            Some(ModelName::Gtin(
                self.gtin.as_ref().value()?.as_str().to_owned(),
            ))
        };
        let code = || {
            Some(ModelName::ManufacturerCode(
                self.manufacturer_code.as_ref().value()?.as_str().to_owned(),
            ))
        };
        let name = || {
            Some(ModelName::Name(name_key(
                &self.model.as_ref().value()?.to_string(),
            )))
        };
        id.or_else(gtin).or_else(code).or_else(name)
    }

    fn unread(&self) -> Unread {
        let fields = [
            (ProductField::SerialNumber, self.serial_number.is_refused()),
            (ProductField::PurchaseDate, self.purchase_date.is_refused()),
            (
                ProductField::PurchaseCountry,
                self.purchase_country.is_refused(),
            ),
        ];
        let refused = fields.into_iter().filter(|(_, is_refused)| *is_refused);
        Unread {
            fields: refused.map(|(field, _)| field).collect(),
            estimated: false,
        }
    }
}

fn is_sent<T>(field: &Field<T>) -> bool {
    matches!(field, Field::Read(_) | Field::Refused)
}

/// Of several fields that say the same in other ways, only the first is taken.
fn one_of(sent: &[&str], faults: &mut Faults) {
    let others = sent.iter().skip(1);
    faults.extend(
        others.map(|field| Fault::new(format!("#/{field}"), FaultCode::TooMany).with("max", 1)),
    );
}

impl Line {
    /// What it says of a product that `dealer` sold; nothing in it is a guess.
    pub fn details(&self, dealer: &str, country: Country) -> Details {
        let is_unread = self.unread.fields.contains(&ProductField::PurchaseCountry);
        Details {
            serial_number: self.serial_number.clone(),
            purchase_date: self.purchase_date,
            purchase_country: self.purchase_country.or((!is_unread).then_some(country)),
            dealer: Some(dealer.to_owned()),
            estimated: Vec::new(),
            unread: self.unread.clone(),
        }
    }

    /// The line in its one form: two that say the same have the same, however they are written.
    pub fn normal_form(&self) -> String {
        let mut form = Map::new();
        let mut say = |name: &str, value: Option<Value>| {
            form.extend(value.map(|value| (name.to_owned(), value)));
        };
        say("verb", self.verb.map(|verb| json!(verb)));
        say("external_id", Some(json!(self.external_id)));
        say("of", self.of.as_ref().map(|of| json!(of)));
        say(
            "customer",
            self.customer.as_ref().map(|name| match name {
                CustomerName::MemberNumber(key) => json!({ "member_number": key }),
                CustomerName::AccountNumber(number) => json!({ "account_number": number }),
                CustomerName::Vat {
                    country,
                    number,
                    email_key,
                } => json!([country.as_str(), number, email_key]),
            }),
        );
        say(
            "model",
            self.model.as_ref().map(|name| match name {
                ModelName::Id(id) => json!({ "model_id": id }),
                ModelName::Gtin(gtin) => json!({ "gtin": gtin }),
                ModelName::ManufacturerCode(code) => json!({ "manufacturer_code": code }),
                ModelName::Name(key) => json!({ "model": key }),
            }),
        );
        say(
            "serial_number",
            self.serial_number
                .as_deref()
                .map(|typed| json!(serial_key(typed))),
        );
        say("purchase_date", self.purchase_date.map(|day| json!(day)));
        say(
            "purchase_country",
            self.purchase_country.map(|country| json!(country.as_str())),
        );
        say("returned_date", self.returned_date.map(|day| json!(day)));
        Value::Object(form).to_string()
    }
}
