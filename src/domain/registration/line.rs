//! One line of a partner as it is understood, and what tells it from any other. How it is sent is in `sent`.

use chrono::NaiveDate;
use serde_json::{Map, Value, json};

use super::Verb;
use crate::domain::model::ModelId;
use crate::domain::product::ProductField;
use crate::domain::product_details::{Details, Unread};
use crate::domain::values::{Country, serial_key};

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

    fn normal_form(&self) -> Value {
        match self {
            Self::MemberNumber(key) => json!({ "member_number": key }),
            Self::AccountNumber(number) => json!({ "account_number": number }),
            Self::Vat {
                country,
                number,
                email_key,
            } => json!([country.as_str(), number, email_key]),
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

    fn normal_form(&self) -> Value {
        match self {
            Self::Id(id) => json!({ "model_id": id }),
            Self::Gtin(gtin) => json!({ "gtin": gtin }),
            Self::ManufacturerCode(code) => json!({ "manufacturer_code": code }),
            Self::Name(key) => json!({ "model": key }),
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
    pub(super) unread: Unread,
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
        let customer = self.customer.as_ref();
        say("customer", customer.map(CustomerName::normal_form));
        say("model", self.model.as_ref().map(ModelName::normal_form));
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
