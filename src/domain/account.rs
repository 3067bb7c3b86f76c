//! A business account: its states and what registering one asks for.

use chrono::TimeDelta;
use serde::Deserialize;

use super::access::UserId;
use super::check_digits::{random_payload, with_check_digits};
use super::values::{Country, PostalArea, VatNumber, area_of};
use crate::error::{Code, Fault, FaultCode};
use crate::types::{Instant, id, text_enum};

id!(
    /// The identity of an account.
    AccountId, "acc_"
);

text_enum! {
    /// Where an account stands (rules, section 1).
    pub enum AccountStatus {
        /// Registered, still being filled in.
        Draft = "draft",
        /// Waits for a reviewer.
        Submitted = "submitted",
        /// A reviewer has claimed it.
        InReview = "in_review",
        /// The applicant is asked for something.
        InformationRequested = "information_requested",
        /// Accepted, waits for its first password.
        Approved = "approved",
        /// In use.
        Active = "active",
        /// Refused by a reviewer.
        Rejected = "rejected",
        /// Taken back by the applicant.
        Withdrawn = "withdrawn",
        /// A draft that was left alone.
        Expired = "expired",
        /// Locked by an administrator.
        Suspended = "suspended",
        /// Ended.
        Closed = "closed",
    }
}

impl AccountStatus {
    /// Whether it is an application that is not decided yet.
    pub fn is_open_application(self) -> bool {
        matches!(
            self,
            Self::Draft | Self::Submitted | Self::InReview | Self::InformationRequested
        )
    }

    /// Whether data and documents may change; elsewhere `application_not_editable`.
    pub fn is_editable(self) -> bool {
        matches!(self, Self::Draft | Self::InformationRequested)
    }

    /// Whether contact details may change: as the rest, and as long as the account lives.
    pub fn accepts_contact_changes(self) -> bool {
        self.is_editable() || matches!(self, Self::Approved | Self::Active)
    }

    /// Whether support may mend contact details: until the end, also while a reviewer is at it, since mails go astray till then.
    pub fn accepts_contact_changes_of_staff(self) -> bool {
        !matches!(
            self,
            Self::Rejected | Self::Withdrawn | Self::Expired | Self::Closed
        )
    }

    /// Whether an administrator may lock it.
    pub fn is_suspendable(self) -> bool {
        matches!(self, Self::Approved | Self::Active)
    }

    /// Whether the applicant may still take it back.
    pub fn is_withdrawable(self) -> bool {
        self.is_open_application()
    }

    /// Whether a reviewer may claim and decide it.
    pub fn is_reviewable(self) -> bool {
        matches!(self, Self::Submitted | Self::InReview)
    }
}

/// Section `[application]` of the programme.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationRules {
    /// Open applications of one e-mail address.
    pub open_per_email: u32,
    /// Documents of one application.
    pub documents: u32,
    /// Bytes of all documents of one application together.
    pub bytes: u64,
    /// Bytes of one document.
    pub file_bytes: u64,
    /// Days after which a draft that nobody touches expires.
    pub draft_days: u32,
    /// Months that a business invoice may be old.
    pub business_invoice_months: u32,
    /// Days after approval on which files are deleted.
    pub files_days_after_approval: u32,
    /// Days after any other end on which files are deleted.
    pub files_days_after_other_end: u32,
    /// Days that a token of an application lives.
    pub token_days: u32,
    /// Days that it reads the account behind the decision.
    pub token_reads_days: u32,
    /// Mails a day to a known address that somebody registers again.
    pub known_address_mails_per_day: u32,
}

/// What a company says of itself; each is nothing where it could not be read.
#[derive(Debug, Clone, Copy)]
pub struct Company<'a> {
    /// The country of the business.
    pub country: Option<Country>,
    /// It is registered for VAT.
    pub vat_registered: Option<bool>,
    /// Its VAT number as typed, if it gives one.
    pub vat_number: Option<Option<&'a str>>,
}

/// The VAT number of a company as it is stored, or every fault of what it says of itself (rules, section 1); `countries` are those that
/// take part. What could not be read has no fault, and none of what would have to be read with it.
pub fn check_company(
    company: Company<'_>,
    countries: &[Country],
) -> Result<Option<VatNumber>, Vec<Fault>> {
    let allowed = || {
        let words: Vec<_> = countries.iter().map(Country::as_str).collect();
        words.join(", ")
    };
    let is_out = |country: &Country| !countries.contains(country);
    let out = company.country.filter(is_out);
    let out =
        out.map(|_| Fault::new("#/country", FaultCode::NotAccepted).with("allowed", allowed()));
    let number = match (company.country, company.vat_registered, company.vat_number) {
        (Some(country), Some(vat_registered), Some(typed)) => {
            check_vat_number(country, vat_registered, typed)
        }
        _ => Ok(None),
    };
    match (out, number) {
        (None, Ok(number)) => Ok(number),
        (out, number) => Err(out.into_iter().chain(number.err()).collect()),
    }
}

/// An address in one of the `territories` that take no part is refused.
pub fn check_place(
    country: Country,
    postal_code: &str,
    territories: &[PostalArea],
) -> Result<(), Vec<Fault>> {
    let territory = area_of(territories, country, postal_code);
    let Some(area) = territory.filter(|area| !area.takes_part) else {
        return Ok(());
    };
    let fault = Fault::new("#/address/postal_code", FaultCode::RegionNotSupported);
    Err(vec![fault.with("area", &area.name)])
}

/// Somebody who may has to say so.
pub fn check_authority(declared: bool) -> Result<(), Vec<Fault>> {
    match declared {
        true => Ok(()),
        false => Err(vec![Fault::new(
            "#/authority_declared",
            FaultCode::AuthorityNotDeclared,
        )]),
    }
}

/// Terms are accepted in their current version only.
pub fn check_terms(accepted: &str, current: &str) -> Result<(), Vec<Fault>> {
    if accepted == current {
        return Ok(());
    }
    let fault = Fault::new("#/accept_terms_version", FaultCode::TermsVersionNotCurrent);
    Err(vec![fault.with("current", current)])
}

/// The VAT number as it is stored: required of who is registered for VAT, right wherever it is given; a blank one counts as
/// none.
pub fn check_vat_number(
    country: Country,
    vat_registered: bool,
    typed: Option<&str>,
) -> Result<Option<VatNumber>, Fault> {
    let fault = |code| Fault::new("#/vat_number", code);
    match typed.map(str::trim).filter(|typed| !typed.is_empty()) {
        Some(typed) => VatNumber::read(country, typed).map(Some).map_err(fault),
        None if vat_registered => Err(fault(FaultCode::VatNumberRequired)),
        None => Ok(None),
    }
}

/// What one member of staff asked for another one decides.
pub fn check_second(asked_by: UserId, decides: Option<UserId>) -> Result<(), Code> {
    match decides {
        Some(second) if second != asked_by => Ok(()),
        _ => Err(Code::OwnProposal),
    }
}

/// Digits of an account number, check digits included.
pub const ACCOUNT_NUMBER_DIGITS: usize = 10;

/// An account number made of random bytes: 10 digits, the last two check digits by ISO 7064 MOD 97-10. Whether it was given
/// out before is the caller's to see.
pub fn account_number(random: [u8; 8]) -> String {
    let payload = random_payload(random, 8);
    with_check_digits(&payload).unwrap_or(payload)
}

/// When a draft that was last touched at `updated` expires.
pub fn draft_expires(updated: Instant, draft_days: u32) -> Instant {
    updated.plus(TimeDelta::days(draft_days.into()))
}

/// When the files of an application that ended at `ended` are deleted.
pub fn files_deleted(ended: Instant, approved: bool, rules: &ApplicationRules) -> Instant {
    let days = if approved {
        rules.files_days_after_approval
    } else {
        rules.files_days_after_other_end
    };
    ended.plus(TimeDelta::days(days.into()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::check_digits::has_check_digits;

    const GOOD: Company<'static> = Company {
        country: Some(Country::DK),
        vat_registered: Some(true),
        vat_number: Some(Some("DK 13 58 56 28")),
    };

    fn faults(company: Company<'_>) -> Vec<(String, &'static str)> {
        let faults = check_company(company, &[Country::DK]).err();
        faults
            .into_iter()
            .flatten()
            .map(|fault| (fault.pointer, fault.code.as_str()))
            .collect()
    }

    fn one(pointer: &str, code: &'static str) -> Vec<(String, &'static str)> {
        vec![(pointer.to_owned(), code)]
    }

    #[test]
    fn a_business_may_register() {
        assert_eq!(faults(GOOD), []);
        let stored = check_company(GOOD, &[Country::DK]);
        let number = VatNumber::read(Country::DK, "13585628").unwrap();
        assert_eq!(stored, Ok(Some(number)));
    }

    #[test]
    fn a_vat_number_is_required_of_the_vat_registered_only() {
        for vat_number in [None, Some(""), Some("  ")] {
            let vat_number = Some(vat_number);
            let without = Company { vat_number, ..GOOD };
            assert_eq!(faults(without), one("#/vat_number", "vat_number_required"));
            let small = Company {
                vat_registered: Some(false),
                ..without
            };
            assert_eq!(faults(small), []);
        }
        let wrong = Company {
            vat_number: Some(Some("13585627")),
            ..GOOD
        };
        assert_eq!(faults(wrong), one("#/vat_number", "vat_number_invalid"));
        let small = Company {
            vat_registered: Some(false),
            ..wrong
        };
        assert_eq!(faults(small), one("#/vat_number", "vat_number_invalid"));
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let bad = Company {
            country: "US".parse().ok(),
            vat_registered: Some(true),
            vat_number: Some(None),
        };
        let codes: Vec<_> = faults(bad).into_iter().map(|(_, code)| code).collect();
        assert_eq!(codes, ["not_accepted", "vat_number_required"]);
    }

    #[test]
    fn nothing_is_said_of_what_could_not_be_read() {
        let wrong = Company {
            vat_number: Some(Some("13585627")),
            ..GOOD
        };
        for unread in [
            Company {
                country: None,
                ..wrong
            },
            Company {
                vat_registered: None,
                ..wrong
            },
            Company {
                vat_number: None,
                ..wrong
            },
        ] {
            assert_eq!(faults(unread), []);
        }
        let abroad = Company {
            country: "US".parse().ok(),
            vat_number: None,
            ..GOOD
        };
        assert_eq!(faults(abroad), one("#/country", "not_accepted"));
    }

    #[test]
    fn only_a_draft_or_a_case_that_was_asked_about_is_edited() {
        use AccountStatus::{Active, Approved, Draft, InReview, InformationRequested, Submitted};
        let which = |holds: fn(AccountStatus) -> bool| -> Vec<AccountStatus> {
            AccountStatus::ALL
                .iter()
                .copied()
                .filter(|status| holds(*status))
                .collect()
        };
        assert_eq!(
            which(AccountStatus::is_editable),
            [Draft, InformationRequested]
        );
        assert_eq!(
            which(AccountStatus::is_open_application),
            [Draft, Submitted, InReview, InformationRequested]
        );
        assert_eq!(
            which(AccountStatus::accepts_contact_changes),
            [Draft, InformationRequested, Approved, Active]
        );
        assert_eq!(
            which(AccountStatus::accepts_contact_changes_of_staff),
            [
                Draft,
                Submitted,
                InReview,
                InformationRequested,
                Approved,
                Active,
                AccountStatus::Suspended
            ]
        );
        assert_eq!(which(AccountStatus::is_suspendable), [Approved, Active]);
    }

    #[test]
    fn nobody_decides_on_what_they_asked_for_themselves() {
        let now: Instant = "2026-06-01T10:00:00Z".parse().unwrap();
        let (one, other) = (UserId::new(now), UserId::new(now));
        assert_eq!(check_second(one, Some(other)), Ok(()));
        assert_eq!(check_second(one, Some(one)), Err(Code::OwnProposal));
        assert_eq!(check_second(one, None), Err(Code::OwnProposal));
    }

    proptest! {
        #[test]
        fn an_account_number_has_check_digits(random: [u8; 8]) {
            let number = account_number(random);
            prop_assert_eq!(number.len(), 10);
            prop_assert!(has_check_digits(&number) && !number.starts_with('0'));
        }
    }
}
