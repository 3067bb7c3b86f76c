//! Reviewing an application: who may decide, on what grounds, and with which result.

use chrono::TimeDelta;

use super::account::AccountStatus;
use super::document::{DocumentFacts, DocumentStatus, RejectionCode, RevisionCode, has_accepted};
use super::values::{Field, email_key, tidied_text};
use crate::error::{Code, Fault, FaultCode, Faults};
use crate::types::{Instant, text_enum};

text_enum! {
    /// The decision on a case.
    pub enum CaseDecision {
        /// The account is opened.
        Approve = "approve",
        /// Refused, with codes.
        Reject = "reject",
        /// The applicant is asked for more, with a note.
        RequestInformation = "request_information",
    }
}

text_enum! {
    /// The decision on one document.
    pub enum DocumentVerdict {
        /// It proves what it should.
        Accept = "accept",
        /// The applicant is to bring a better one, with codes.
        RequestRevision = "request_revision",
        /// Refused, with codes.
        Reject = "reject",
    }
}

/// A decision on a case that has all it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReviewDecision {
    /// The account is opened.
    Approve,
    /// Refused.
    Reject {
        /// Why; at least one.
        codes: Vec<RejectionCode>,
        /// In the reviewer's words.
        note: Option<String>,
    },
    /// One mail with every point in it.
    RequestInformation {
        /// The points.
        note: String,
    },
}

impl ReviewDecision {
    /// Reads a decision as it was sent: rejecting needs codes, asking needs a note, only rejecting has codes. Nothing where codes or note
    /// could not be read, which `faults` tells already.
    pub fn read(
        decision: CaseDecision,
        codes: &Field<Vec<String>>,
        note: &Field<String>,
        faults: &mut Faults,
    ) -> Option<Self> {
        let note = note.as_ref().optional();
        let note = note.map(|note| {
            note.map(|note| tidied_text(note))
                .filter(|note| !note.is_empty())
        });
        if decision == CaseDecision::Reject {
            let codes = read_codes(codes, RejectionCode::ALL, faults)?;
            let note = note?;
            return Some(Self::Reject { codes, note });
        }
        let without = without_codes(codes, faults);
        if decision == CaseDecision::Approve {
            return without.and(note).map(|_| Self::Approve);
        }
        let note = note?;
        if note.is_none() {
            faults.push(Fault::new("#/note", FaultCode::NoteRequired));
        }
        let note = note.filter(|_| without.is_some())?;
        Some(Self::RequestInformation { note })
    }
}

/// A decision on a document that has all it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentDecision {
    /// It proves what it should.
    Accept,
    /// The applicant is to bring a better one.
    RequestRevision(Vec<RevisionCode>),
    /// Refused.
    Reject(Vec<RejectionCode>),
}

impl DocumentDecision {
    /// Reads a decision as it was sent: anything but accepting needs codes of its own list. Nothing where the codes could not be read,
    /// which `faults` tells already.
    pub fn read(
        verdict: DocumentVerdict,
        codes: &Field<Vec<String>>,
        faults: &mut Faults,
    ) -> Option<Self> {
        match verdict {
            DocumentVerdict::Accept => without_codes(codes, faults).map(|()| Self::Accept),
            DocumentVerdict::RequestRevision => {
                read_codes(codes, RevisionCode::ALL, faults).map(Self::RequestRevision)
            }
            DocumentVerdict::Reject => {
                read_codes(codes, RejectionCode::ALL, faults).map(Self::Reject)
            }
        }
    }

    /// Where the document stands after it.
    pub fn status(&self) -> DocumentStatus {
        match self {
            Self::Accept => DocumentStatus::Accepted,
            Self::RequestRevision(_) => DocumentStatus::RevisionRequested,
            Self::Reject(_) => DocumentStatus::Rejected,
        }
    }

    /// The words of its codes.
    pub fn codes(&self) -> Vec<String> {
        match self {
            Self::Accept => Vec::new(),
            Self::RequestRevision(codes) => codes.iter().map(ToString::to_string).collect(),
            Self::Reject(codes) => codes.iter().map(ToString::to_string).collect(),
        }
    }

    /// Whether the file is deleted at once: a civil registration number stands on it (rules, section 2).
    pub fn deletes_file(&self) -> bool {
        matches!(self, Self::RequestRevision(codes) if codes.contains(&RevisionCode::ContainsCpr))
    }
}

/// A decision that has no codes has none.
fn without_codes(codes: &Field<Vec<String>>, faults: &mut Faults) -> Option<()> {
    let sent = codes.as_ref().optional()?;
    if sent.is_none_or(Vec::is_empty) {
        return Some(());
    }
    faults.push(Fault::new("#/codes", FaultCode::TooMany).with("max", 0));
    None
}

/// Words as codes, without repetition; a fault for each that is not of the list, and one where there are none.
fn read_codes<T>(words: &Field<Vec<String>>, all: &[T], faults: &mut Faults) -> Option<Vec<T>>
where
    T: std::str::FromStr + std::fmt::Display + PartialEq,
{
    let allowed = || all.iter().map(T::to_string).collect::<Vec<_>>().join(", ");
    let words = words.as_ref().optional()?.map_or(&[][..], Vec::as_slice);
    if words.is_empty() {
        faults.push(Fault::new("#/codes", FaultCode::CodesRequired));
        return None;
    }
    let mut codes = Vec::new();
    let mut unknown = Vec::new();
    for (at, word) in words.iter().enumerate() {
        match word.parse() {
            Ok(code) if codes.contains(&code) => {}
            Ok(code) => codes.push(code),
            Err(_) => unknown.push(
                Fault::new(format!("#/codes/{at}"), FaultCode::NotAccepted)
                    .with("allowed", allowed()),
            ),
        }
    }
    let is_known = unknown.is_empty();
    faults.extend(unknown);
    is_known.then_some(codes)
}

/// When the answer of a case is due that was promised by `promised`: while it waits for its applicant the clock stands, and there is no
/// such moment (rules, section 3).
pub fn due_at(status: AccountStatus, promised: Instant) -> Option<Instant> {
    (status != AccountStatus::InformationRequested).then_some(promised)
}

/// Who has claimed a case, seen by the reviewer who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// It is the asking reviewer's.
    pub mine: bool,
    /// The first moment at which it holds no more.
    pub until: Instant,
}

/// Until when a case is claimed by claiming it now; `claimed_by_another` while somebody else's lease holds.
pub fn claim(lease: Option<Lease>, now: Instant, lease_minutes: u32) -> Result<Instant, Code> {
    match lease {
        Some(lease) if !lease.mine && lease.until > now => Err(Code::ClaimedByAnother),
        _ => Ok(now.plus(TimeDelta::minutes(lease_minutes.into()))),
    }
}

/// Whether the asking reviewer may decide: only with a lease that holds, else `claim_needed`.
pub fn check_lease(lease: Option<Lease>, now: Instant) -> Result<(), Code> {
    match lease {
        Some(lease) if lease.mine && lease.until > now => Ok(()),
        _ => Err(Code::ClaimNeeded),
    }
}

/// Nobody decides on their own account: the one whose contact has the reviewer's address.
pub fn check_not_own(reviewer_email: &str, account_email: &str) -> Result<(), Code> {
    if email_key(reviewer_email) == email_key(account_email) {
        Err(Code::OwnAccount)
    } else {
        Ok(())
    }
}

/// Approving needs an accepted document of the set, else `documents_undecided`.
pub fn check_approval(vat_registered: bool, documents: &[DocumentFacts]) -> Result<(), Code> {
    if has_accepted(vat_registered, documents) {
        Ok(())
    } else {
        Err(Code::DocumentsUndecided)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::document::{DocumentId, DocumentKind};

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    fn now() -> Instant {
        "2026-06-08T10:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_case_that_waits_for_its_applicant_is_due_at_no_moment() {
        for status in AccountStatus::ALL {
            let waits = *status == AccountStatus::InformationRequested;
            assert_eq!(due_at(*status, now()).is_none(), waits, "{status}");
        }
    }

    #[test]
    fn rejecting_needs_a_code_and_asking_needs_a_note() {
        let read = |decision, codes: &[&str], note: Option<&str>| {
            let note = note.map_or(Field::Absent, |note| Field::Read(note.to_owned()));
            let mut faults = Faults::default();
            let read =
                ReviewDecision::read(decision, &Field::Read(words(codes)), &note, &mut faults);
            read.ok_or(faults)
        };
        assert_eq!(
            read(CaseDecision::Approve, &[], None),
            Ok(ReviewDecision::Approve)
        );
        let fault = |pointer: &str, code| Err(Faults::from(vec![Fault::new(pointer, code)]));
        assert_eq!(
            read(CaseDecision::Reject, &[], Some("no")),
            fault("#/codes", FaultCode::CodesRequired)
        );
        assert_eq!(
            read(CaseDecision::Reject, &["not_a_business", "ugly"], None),
            Err(Faults::from(vec![
                Fault::new("#/codes/1", FaultCode::NotAccepted).with(
                    "allowed",
                    "suspected_forgery, not_a_business, not_authorised, duplicate_account, country_not_supported"
                )
            ]))
        );
        assert_eq!(
            read(CaseDecision::Approve, &["not_a_business"], None),
            Err(Faults::from(vec![
                Fault::new("#/codes", FaultCode::TooMany).with("max", 0)
            ]))
        );
        assert_eq!(
            read(CaseDecision::RequestInformation, &[], Some(" ")),
            fault("#/note", FaultCode::NoteRequired)
        );
        let codes = vec![RejectionCode::NotABusiness];
        let rejected = ReviewDecision::Reject { codes, note: None };
        assert_eq!(
            read(
                CaseDecision::Reject,
                &["not_a_business", "not_a_business"],
                None
            ),
            Ok(rejected)
        );
        let asked = ReviewDecision::RequestInformation {
            note: "Which name?".to_owned(),
        };
        assert_eq!(
            read(CaseDecision::RequestInformation, &[], Some(" Which name? ")),
            Ok(asked)
        );
    }

    #[test]
    fn a_document_is_decided_with_codes_of_the_right_list() {
        let read = |verdict, codes: &[&str]| {
            let mut faults = Faults::default();
            let read = DocumentDecision::read(verdict, &Field::Read(words(codes)), &mut faults);
            read.ok_or(faults)
        };
        assert_eq!(
            read(DocumentVerdict::Accept, &[]).unwrap().status(),
            DocumentStatus::Accepted
        );
        assert!(read(DocumentVerdict::Accept, &["unreadable"]).is_err());
        assert!(read(DocumentVerdict::RequestRevision, &[]).is_err());
        assert!(read(DocumentVerdict::RequestRevision, &["suspected_forgery"]).is_err());
        assert!(read(DocumentVerdict::Reject, &["unreadable"]).is_err());
        let cpr = read(
            DocumentVerdict::RequestRevision,
            &["unreadable", "contains_cpr"],
        )
        .unwrap();
        assert!(cpr.deletes_file());
        assert_eq!(cpr.codes(), ["unreadable", "contains_cpr"]);
        let forged = read(DocumentVerdict::Reject, &["suspected_forgery"]).unwrap();
        assert!(!forged.deletes_file());
        assert_eq!(forged.status(), DocumentStatus::Rejected);
    }

    #[test]
    fn nothing_is_said_of_codes_and_notes_that_could_not_be_read() {
        let decide = |decision, codes, note| {
            let mut faults = Faults::default();
            let read = ReviewDecision::read(decision, &codes, &note, &mut faults);
            assert!(read.is_none(), "{read:?}");
            faults
        };
        let read = |words: &[&str]| Field::Read(self::words(words));
        let note = || Field::Read("Which name?".to_owned());
        for (decision, codes, note) in [
            (CaseDecision::Reject, Field::Refused, note()),
            (
                CaseDecision::Reject,
                read(&["not_a_business"]),
                Field::Refused,
            ),
            (CaseDecision::Approve, Field::Refused, Field::Absent),
            (
                CaseDecision::RequestInformation,
                Field::Null,
                Field::Refused,
            ),
            (CaseDecision::RequestInformation, Field::Refused, note()),
        ] {
            assert!(decide(decision, codes, note).is_empty(), "{decision}");
        }
        let both = decide(
            CaseDecision::RequestInformation,
            read(&["not_a_business"]),
            Field::Absent,
        );
        assert_eq!(
            both,
            Faults::from(vec![
                Fault::new("#/codes", FaultCode::TooMany).with("max", 0),
                Fault::new("#/note", FaultCode::NoteRequired),
            ])
        );
    }

    #[test]
    fn a_case_is_claimed_for_half_an_hour() {
        let until = claim(None, now(), 30).unwrap();
        assert_eq!(until.since(now()), TimeDelta::minutes(30));
        let last = until.plus(TimeDelta::microseconds(-1));
        let (mine, other) = (Lease { mine: true, until }, Lease { mine: false, until });
        assert_eq!(claim(Some(other), last, 30), Err(Code::ClaimedByAnother));
        assert!(claim(Some(other), until, 30).is_ok());
        assert_eq!(
            claim(Some(mine), last, 30),
            Ok(last.plus(TimeDelta::minutes(30)))
        );
        assert_eq!(check_lease(Some(mine), last), Ok(()));
        for lease in [None, Some(other)] {
            assert_eq!(check_lease(lease, last), Err(Code::ClaimNeeded));
        }
        assert_eq!(check_lease(Some(mine), until), Err(Code::ClaimNeeded));
    }

    #[test]
    fn nobody_decides_on_their_own_account() {
        assert_eq!(
            check_not_own("Asta@Nordlys.example", " asta@nordlys.example"),
            Err(Code::OwnAccount)
        );
        assert_eq!(
            check_not_own("reviewer@cps.example", "asta@nordlys.example"),
            Ok(())
        );
    }

    #[test]
    fn approving_needs_an_accepted_document() {
        let mut document = DocumentFacts {
            id: DocumentId::new(now()),
            kind: DocumentKind::VatInvoice,
            status: DocumentStatus::Pending,
            codes: Vec::new(),
        };
        assert_eq!(
            check_approval(true, std::slice::from_ref(&document)),
            Err(Code::DocumentsUndecided)
        );
        document.status = DocumentStatus::Accepted;
        assert_eq!(
            check_approval(true, std::slice::from_ref(&document)),
            Ok(())
        );
        assert_eq!(
            check_approval(false, &[document]),
            Err(Code::DocumentsUndecided)
        );
    }
}
