//! Changing an account: who may change what of it in which status, and what proves a change. What its fields may say is in `account`.

use super::account::AccountStatus;
use super::document::DocumentStatus;
use crate::error::{Code, FaultCode, Refusal};
use crate::types::Instant;

/// Who asks for a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changer {
    /// The applicant, or the account's superuser.
    Owner,
    /// Support.
    Staff,
}

/// What of an account a change touches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Touched {
    /// The company's name.
    pub name: bool,
    /// Its VAT number.
    pub vat_number: bool,
    /// Its country, or whether it is registered for VAT.
    pub standing: bool,
    /// Street, postal code, city.
    pub address: bool,
    /// Where it came from: the old CPS e-mail address, the tag of the sign-up link.
    pub origin: bool,
    /// The contact's name and phone, and the language.
    pub person: bool,
    /// The contact's e-mail address.
    pub email: bool,
    /// The address that staff ask for, which waits for a second one of them.
    pub proposed_email: bool,
}

impl Touched {
    /// Whether it touches what a document proves.
    pub fn is_proven(self) -> bool {
        self.name || self.vat_number || self.standing || self.address
    }

    /// Whether it touches what is said of the company.
    pub fn is_company(self) -> bool {
        self.is_proven() || self.origin
    }

    /// Whether it touches how the business is reached.
    pub fn is_contact(self) -> bool {
        self.person || self.email || self.proposed_email
    }
}

/// On what a change is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grounds {
    /// Whoever asks says so.
    Word,
    /// With a reason, and a document that proves it.
    Document,
}

/// Who may change what, and when (rules, sections 1 and 12): the owner everything while the application may be edited, contact details
/// later too, and once the account is active the address in the same country; support contact details until the end, and of an active
/// account the company's name and VAT number.
pub fn admit(
    changer: Changer,
    status: AccountStatus,
    touched: Touched,
) -> Result<Grounds, Refusal> {
    let is_active = status == AccountStatus::Active;
    match changer {
        Changer::Staff => {
            let others = touched.standing || touched.address || touched.origin;
            let proven = touched.name || touched.vat_number;
            match (others || proven && !is_active, proven) {
                (true, _) => Err(Code::Forbidden.into()),
                (false, true) => Ok(Grounds::Document),
                (false, false) if status.accepts_contact_changes_of_staff() => Ok(Grounds::Word),
                (false, false) => Err(Code::AccountStateConflict.into()),
            }
        }
        Changer::Owner => {
            let only_address = Touched {
                address: false,
                ..touched
            };
            let is_open = match touched.is_company() {
                true => status.is_editable() || is_active && !only_address.is_company(),
                false => status.accepts_contact_changes(),
            };
            is_open
                .then_some(Grounds::Word)
                .ok_or_else(|| closed(status))
        }
    }
}

/// Whether documents may be handed in and taken back: while the application may be edited, and once the account is active, to prove a
/// change of it.
pub fn admit_documents(status: AccountStatus) -> Result<(), Refusal> {
    match status.is_editable() || status == AccountStatus::Active {
        true => Ok(()),
        false => Err(closed(status)),
    }
}

fn closed(status: AccountStatus) -> Refusal {
    match status {
        AccountStatus::Suspended | AccountStatus::Closed => {
            Code::AccountNotActive.with("status", status)
        }
        _ => Code::ApplicationNotEditable.into(),
    }
}

/// Whether a document that was added at `added` is of a change of the account, and not of the application that was approved at `approved`.
pub fn is_of_change(added: Instant, approved: Option<Instant>) -> bool {
    approved.is_some_and(|approved| added > approved)
}

/// Whether a document of an active account may still be taken back or decided: it was added for a change, and nobody has decided it.
pub fn is_open(is_of_change: bool, status: DocumentStatus) -> bool {
    is_of_change && status == DocumentStatus::Pending
}

/// Whether a document proves a change: it was added for one, and a reviewer accepted it.
pub fn check_proof(is_of_change: bool, status: DocumentStatus) -> Result<(), FaultCode> {
    match is_of_change && status == DocumentStatus::Accepted {
        true => Ok(()),
        false => Err(FaultCode::DocumentNotAccepted),
    }
}

#[cfg(test)]
mod tests {
    use AccountStatus::{Active, Approved, Draft, InReview, InformationRequested, Suspended};

    use super::*;

    const NAME: Touched = Touched {
        name: true,
        vat_number: false,
        standing: false,
        address: false,
        origin: false,
        person: false,
        email: false,
        proposed_email: false,
    };

    fn touched() -> [(&'static str, Touched); 6] {
        let nothing = Touched::default();
        [
            ("name", NAME),
            (
                "vat_number",
                Touched {
                    vat_number: true,
                    ..nothing
                },
            ),
            (
                "standing",
                Touched {
                    standing: true,
                    ..nothing
                },
            ),
            (
                "address",
                Touched {
                    address: true,
                    ..nothing
                },
            ),
            (
                "origin",
                Touched {
                    origin: true,
                    ..nothing
                },
            ),
            (
                "contact",
                Touched {
                    person: true,
                    email: true,
                    proposed_email: true,
                    ..nothing
                },
            ),
        ]
    }

    /// The names of what may be changed.
    fn open(changer: Changer, status: AccountStatus) -> Vec<&'static str> {
        let all = touched().into_iter();
        let open = all.filter(|(_, touched)| admit(changer, status, *touched).is_ok());
        open.map(|(name, _)| name).collect()
    }

    #[test]
    fn the_owner_changes_all_of_an_application_and_the_address_of_an_account() {
        let all = [
            "name",
            "vat_number",
            "standing",
            "address",
            "origin",
            "contact",
        ];
        for (status, expected) in [
            (Draft, &all[..]),
            (InformationRequested, &all),
            (InReview, &[]),
            (Approved, &["contact"]),
            (Active, &["address", "contact"]),
            (Suspended, &[]),
        ] {
            assert_eq!(open(Changer::Owner, status), expected, "{status}");
        }
        let moved = Touched {
            address: true,
            person: true,
            ..Touched::default()
        };
        assert_eq!(admit(Changer::Owner, Active, moved), Ok(Grounds::Word));
        let abroad = Touched {
            standing: true,
            ..moved
        };
        let refused = admit(Changer::Owner, Active, abroad).unwrap_err();
        assert_eq!(refused.code, Code::ApplicationNotEditable);
        let refused = admit(Changer::Owner, Suspended, moved).unwrap_err();
        assert_eq!(refused.code, Code::AccountNotActive);
    }

    #[test]
    fn support_changes_contacts_and_with_a_document_name_and_vat_number_of_an_account() {
        for (status, expected) in [
            (Draft, &["contact"][..]),
            (InReview, &["contact"]),
            (Approved, &["contact"]),
            (Active, &["name", "vat_number", "contact"]),
            (Suspended, &["contact"]),
            (AccountStatus::Rejected, &[]),
        ] {
            assert_eq!(open(Changer::Staff, status), expected, "{status}");
        }
        for (name, one) in touched() {
            let grounds = admit(Changer::Staff, Active, one);
            let expected = match name {
                "name" | "vat_number" => Ok(Grounds::Document),
                "contact" => Ok(Grounds::Word),
                _ => Err(Code::Forbidden.into()),
            };
            assert_eq!(grounds, expected, "{name}");
        }
        let both = Touched {
            person: true,
            ..NAME
        };
        assert_eq!(admit(Changer::Staff, Active, both), Ok(Grounds::Document));
    }

    #[test]
    fn documents_come_with_an_application_and_later_with_a_change() {
        let open = AccountStatus::ALL.iter().copied();
        let open: Vec<_> = open
            .filter(|status| admit_documents(*status).is_ok())
            .collect();
        assert_eq!(open, [Draft, InformationRequested, Active]);
    }

    #[test]
    fn what_proved_the_application_proves_no_change() {
        let now: Instant = "2026-06-01T10:00:00Z".parse().unwrap();
        let later = now.plus(chrono::TimeDelta::seconds(1));
        assert!(is_of_change(later, Some(now)));
        assert!(!is_of_change(now, Some(now)) && !is_of_change(now, Some(later)));
        assert!(!is_of_change(now, None));
        assert!(is_open(true, DocumentStatus::Pending));
        assert!(
            !is_open(false, DocumentStatus::Pending) && !is_open(true, DocumentStatus::Accepted)
        );
        assert_eq!(check_proof(true, DocumentStatus::Accepted), Ok(()));
        for (of_change, status) in [
            (false, DocumentStatus::Accepted),
            (true, DocumentStatus::Pending),
            (true, DocumentStatus::RevisionRequested),
            (true, DocumentStatus::Rejected),
        ] {
            let refused = check_proof(of_change, status);
            assert_eq!(refused, Err(FaultCode::DocumentNotAccepted));
        }
    }
}
