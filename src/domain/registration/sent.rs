//! One line of a partner as it is sent, be it in JSON or in the cells of a file: every fault of its form at its pointer.

use serde::Deserialize;
use utoipa::ToSchema;

use super::{CustomerName, Line, ModelName, Verb};
use crate::domain::model::{ModelId, name_key};
use crate::domain::product::ProductField;
use crate::domain::product_details::Unread;
use crate::domain::values::{
    AccountNumber, Country, Date, Email, Field, GivenMemberNumber, Gtin, Line as TextLine,
    ManufacturerCode, VatNumber,
};
use crate::error::{Fault, FaultCode, Faults, Partial};

/// One thing that a dealer reports: a sale, a return of one, or a correction.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "external_id": "F-1001", "member_number": "100000000287", "model": "EOS R5", "serial_number": "130210041177", "purchase_date": "2026-05-20"
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

/// The fields that name the model.
const MODEL: [&str; 4] = ["model_id", "gtin", "manufacturer_code", "model"];
/// Those that a line of each verb takes, beside its verb and its id.
const OF_SALE: &[&str] = &[
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
    "purchase_country",
];
const OF_RETURN: &[&str] = &["of", "returned_date"];
const OF_CORRECTION: &[&str] = &[
    "of",
    "model_id",
    "gtin",
    "manufacturer_code",
    "model",
    "serial_number",
    "purchase_date",
    "purchase_country",
];

/// The fields that a line of a verb needs, and those that it takes.
fn fields_of(verb: Verb) -> (&'static [&'static str], &'static [&'static str]) {
    match verb {
        Verb::Register => (&["serial_number", "purchase_date"], OF_SALE),
        Verb::Return => (&["of"], OF_RETURN),
        Verb::Correct => (&["of"], OF_CORRECTION),
    }
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
    fn sent(&self) -> [(&'static str, bool); 14] {
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
            ("purchase_country", is_sent(&self.purchase_country)),
            ("returned_date", is_sent(&self.returned_date)),
        ]
    }

    /// What the verb needs is there, and nothing that it does not take.
    fn check_fields(&self, verb: Verb, faults: &mut Faults) {
        let (needed, taken) = fields_of(verb);
        let fault = |field: &str, code| Fault::new(format!("#/{field}"), code);
        let sent = self.sent();
        for (field, is_sent) in sent {
            if is_sent && !taken.contains(&field) {
                let allowed = taken.join(", ");
                faults.push(fault(field, FaultCode::NotAccepted).with("allowed", allowed));
            } else if !is_sent && needed.contains(&field) {
                faults.push(fault(field, FaultCode::Required));
            }
        }
        let is_name = |field: &&str| MODEL.contains(field) && taken.contains(field);
        let names = sent
            .iter()
            .filter(|(field, is_sent)| *is_sent && is_name(field));
        let names: Vec<&str> = names.map(|(field, _)| *field).collect();
        if verb == Verb::Register && names.is_empty() {
            faults.push(fault("model_id", FaultCode::Required));
        }
        one_of(&names, faults);
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
