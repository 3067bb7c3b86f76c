//! How an invoice is paid, by its code of UNTDID 4461.

use crate::domain::invoice::PaymentMethod;
use crate::domain::money::Currency;
use crate::domain::values::Country;

/// The code of the way in which an invoice is paid, and what has to stand beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// A card, with the end of its number.
    Card,
    /// A transfer in euro, with IBAN, BIC and reference.
    Sepa,
    /// A Danish inpayment form of type 71, with its identification and the creditor.
    Inpayment,
    /// A Danish transfer, with registration number and account.
    DanishAccount,
    /// Any other transfer, with IBAN and BIC.
    Transfer,
    /// It is not said: of money that goes back, where no account of the seller can stand.
    Unsaid,
}

impl Means {
    /// Its code.
    pub fn code(self) -> u32 {
        match self {
            Self::Card => 48,
            Self::Sepa => 58,
            Self::Inpayment => 93,
            Self::DanishAccount => 42,
            Self::Transfer => 30,
            Self::Unsaid => 1,
        }
    }
}

/// How an invoice of a seller of `country` in `currency` is paid.
pub fn means(
    country: Country,
    currency: Currency,
    method: PaymentMethod,
    has_creditor: bool,
) -> Means {
    match method {
        PaymentMethod::Card => Means::Card,
        PaymentMethod::BankTransfer if currency == Currency::EUR => Means::Sepa,
        PaymentMethod::BankTransfer if currency == Currency::DKK && country == Country::DK => {
            match has_creditor {
                true => Means::Inpayment,
                false => Means::DanishAccount,
            }
        }
        PaymentMethod::BankTransfer => Means::Transfer,
    }
}

/// Registration number and account in a Danish IBAN.
pub fn danish_account(iban: &str) -> Option<(&str, &str)> {
    let (head, account) = iban.split_at_checked(8)?;
    let branch = head.strip_prefix("DK")?.get(2..)?;
    (account.len() == 10).then_some((branch, account))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn each_way_of_paying_has_its_code() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../../tests/vectors/money.json")).unwrap();
        for case in vectors["payment_means"].as_array().unwrap() {
            let text = |name: &str| case[name].as_str().unwrap();
            let means = means(
                text("seller").parse().unwrap(),
                text("currency").parse().unwrap(),
                text("method").parse().unwrap(),
                case["fi_creditor"].as_bool().unwrap(),
            );
            assert_eq!(means.code(), case["code"], "{case}");
        }
    }

    #[test]
    fn a_danish_iban_holds_the_registration_number_and_the_account() {
        let parts = danish_account("DK5000400440116243");
        assert_eq!(parts, Some(("0040", "0440116243")));
        for other in ["NL13TEST0123456789", "DK50", "", "DK50004004401162430"] {
            assert_eq!(danish_account(other), None, "{other}");
        }
    }
}
