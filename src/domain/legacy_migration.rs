//! Taking over the products of an old CPS account.

use chrono::TimeDelta;
use serde::Deserialize;

use super::product::ProductField;
use crate::error::Code;
use crate::types::{Instant, id, text_enum};

id!(
    /// The identity of an imported legacy account.
    LegacyAccountId, "leg_"
);

id!(
    /// The identity of a product of a legacy account.
    LegacyProductId, "lgp_"
);

text_enum! {
    /// Why nothing can be taken over (rules, section 6); also the code of the refusal.
    pub enum UnavailableReason {
        /// No legacy e-mail was given.
        NoLegacyEmail = "no_legacy_email",
        /// The legacy address is not proven yet.
        AwaitingProof = "awaiting_proof",
        /// Nothing waits at the proven address.
        NoLegacyAccount = "no_legacy_account",
        /// The legacy account was taken over already.
        AlreadyMigrated = "already_migrated",
    }
}

text_enum! {
    /// What became of one legacy product.
    pub enum MigrationResult {
        /// Tick and points.
        Complete = "complete",
        /// Something is missing.
        Incomplete = "incomplete",
        /// Somebody holds the serial.
        Conflict = "conflict",
        /// The catalogue has no such model.
        UnknownModel = "unknown_model",
    }
}

impl UnavailableReason {
    /// The code of the refusal to migrate.
    pub fn code(self) -> Code {
        match self {
            Self::NoLegacyEmail => Code::NoLegacyEmail,
            Self::AwaitingProof => Code::AwaitingProof,
            Self::NoLegacyAccount => Code::NoLegacyAccount,
            Self::AlreadyMigrated => Code::AlreadyMigrated,
        }
    }
}

/// What is known when somebody asks for a takeover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MigrationFacts {
    /// A legacy e-mail was given.
    pub has_legacy_email: bool,
    /// Its address is proven.
    pub proven: bool,
    /// The legacy accounts that this account may see: those that it has, and that of its address once that is proven.
    pub legacy: Option<LegacyFacts>,
}

/// What is known of legacy accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LegacyFacts {
    /// One of them was taken over already, by this account or another.
    pub migrated: bool,
    /// The products that wait for this account.
    pub products: u64,
}

/// Whether products can be taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Availability {
    /// So many products wait.
    Available {
        /// How many.
        products: u64,
    },
    /// Nothing can be taken over.
    Unavailable(UnavailableReason),
}

/// Whether products can be taken over (rules, section 6). Before the proof every address answers `awaiting_proof`, so nobody
/// learns who was a member. What staff attached needs no e-mail. A legacy account without products is none.
pub fn availability(facts: MigrationFacts) -> Availability {
    let reason = match facts.legacy {
        Some(LegacyFacts { products, .. }) if products > 0 => {
            return Availability::Available { products };
        }
        _ if facts.has_legacy_email && !facts.proven => UnavailableReason::AwaitingProof,
        Some(legacy) if legacy.migrated => UnavailableReason::AlreadyMigrated,
        _ if !facts.has_legacy_email => UnavailableReason::NoLegacyEmail,
        _ => UnavailableReason::NoLegacyAccount,
    };
    Availability::Unavailable(reason)
}

/// What becomes of one legacy product.
pub fn result(model_known: bool, serial_taken: bool, missing: &[ProductField]) -> MigrationResult {
    if !model_known {
        MigrationResult::UnknownModel
    } else if serial_taken {
        MigrationResult::Conflict
    } else if missing.is_empty() {
        MigrationResult::Complete
    } else {
        MigrationResult::Incomplete
    }
}

/// Section `[legacy_migration]` of the programme.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MigrationRules {
    /// Digits of a code, at most 18.
    pub code_digits: u32,
    /// Minutes for which a code is good.
    pub code_minutes: u32,
    /// Tries of one code.
    pub code_tries: u32,
    /// Codes that are mailed in 24 hours.
    pub mails_per_day: u32,
}

impl MigrationRules {
    /// A code made of random bytes, leading zeros included.
    pub fn code(&self, random: [u8; 8]) -> String {
        let digits = self.code_digits.min(18);
        let number = u64::from_be_bytes(random) % 10u64.saturating_pow(digits);
        format!(
            "{number:0width$}",
            width = usize::try_from(digits).unwrap_or_default()
        )
    }

    /// Until when a code of now is good.
    pub fn expires(&self, now: Instant) -> Instant {
        now.plus(TimeDelta::minutes(self.code_minutes.into()))
    }
}

/// The code that was mailed last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentCode {
    /// The first moment at which it is good no more.
    pub expires_at: Instant,
    /// How often it was tried.
    pub tries: u32,
}

/// Whether one more try is looked at, before it is compared: `too_many_attempts` after the last try, `code_invalid` where there
/// is no code or it is too old.
pub fn check_try(sent: Option<SentCode>, now: Instant, rules: &MigrationRules) -> Result<(), Code> {
    match sent {
        Some(sent) if sent.tries >= rules.code_tries => Err(Code::TooManyAttempts),
        Some(sent) if sent.expires_at > now => Ok(()),
        _ => Err(Code::CodeInvalid),
    }
}

/// The mails of the current 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeMails {
    /// How many were sent.
    pub mails: u32,
    /// When the first of them was sent.
    pub since: Instant,
}

/// The mails after one more; `rate_limited` where the day has none left.
pub fn next_mail(
    sent: Option<CodeMails>,
    now: Instant,
    rules: &MigrationRules,
) -> Result<CodeMails, Code> {
    let today = sent.filter(|sent| now.since(sent.since) < TimeDelta::days(1));
    let CodeMails { mails, since } = today.unwrap_or(CodeMails {
        mails: 0,
        since: now,
    });
    if mails < rules.mails_per_day {
        Ok(CodeMails {
            mails: mails + 1,
            since,
        })
    } else {
        Err(Code::RateLimited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> MigrationRules {
        MigrationRules {
            code_digits: 8,
            code_minutes: 15,
            code_tries: 5,
            mails_per_day: 3,
        }
    }

    fn now() -> Instant {
        "2026-06-08T10:00:00Z".parse().unwrap()
    }

    #[test]
    fn nobody_learns_who_was_a_member_before_the_proof() {
        let unavailable = Availability::Unavailable;
        let waiting = Some(LegacyFacts {
            migrated: false,
            products: 2,
        });
        let gone = Some(LegacyFacts {
            migrated: true,
            products: 0,
        });
        let ask = |has_legacy_email, proven, legacy| {
            availability(MigrationFacts {
                has_legacy_email,
                proven,
                legacy,
            })
        };
        assert_eq!(
            ask(false, false, None),
            unavailable(UnavailableReason::NoLegacyEmail)
        );
        // What staff attached says nothing of the address.
        for attached in [None, gone] {
            assert_eq!(
                ask(true, false, attached),
                unavailable(UnavailableReason::AwaitingProof)
            );
        }
        assert_eq!(
            ask(true, false, waiting),
            Availability::Available { products: 2 }
        );
        assert_eq!(
            ask(true, true, None),
            unavailable(UnavailableReason::NoLegacyAccount)
        );
        assert_eq!(
            ask(true, true, gone),
            unavailable(UnavailableReason::AlreadyMigrated)
        );
        assert_eq!(
            ask(true, true, waiting),
            Availability::Available { products: 2 }
        );
        assert_eq!(
            ask(false, true, waiting),
            Availability::Available { products: 2 }
        );
    }

    #[test]
    fn a_refusal_has_the_reason_as_its_code() {
        for reason in UnavailableReason::ALL {
            assert_eq!(reason.code().as_str(), reason.as_str());
        }
    }

    #[test]
    fn every_legacy_product_has_its_result() {
        let missing = [ProductField::Dealer];
        assert_eq!(result(true, false, &[]), MigrationResult::Complete);
        assert_eq!(result(true, false, &missing), MigrationResult::Incomplete);
        assert_eq!(result(true, true, &missing), MigrationResult::Conflict);
        assert_eq!(result(false, true, &[]), MigrationResult::UnknownModel);
    }

    #[test]
    fn a_code_has_eight_digits_fifteen_minutes_and_five_tries() {
        assert_eq!(rules().code([0, 0, 0, 0, 0, 0, 0, 7]), "00000007");
        assert_eq!(rules().code([255; 8]).len(), 8);
        let expires_at = rules().expires(now());
        assert_eq!(expires_at.since(now()), TimeDelta::minutes(15));
        let check = |tries, at| check_try(Some(SentCode { expires_at, tries }), at, &rules());
        assert_eq!(check(4, now()), Ok(()));
        assert_eq!(check(5, now()), Err(Code::TooManyAttempts));
        assert_eq!(check(0, expires_at), Err(Code::CodeInvalid));
        assert_eq!(check_try(None, now(), &rules()), Err(Code::CodeInvalid));
    }

    #[test]
    fn three_codes_are_mailed_in_a_day() {
        let mut sent = None;
        for mails in 1..=3 {
            sent = Some(next_mail(sent, now(), &rules()).unwrap());
            assert_eq!(
                sent,
                Some(CodeMails {
                    mails,
                    since: now()
                })
            );
        }
        let tomorrow = now().plus(TimeDelta::days(1));
        let before = tomorrow.plus(TimeDelta::microseconds(-1));
        assert_eq!(next_mail(sent, before, &rules()), Err(Code::RateLimited));
        assert_eq!(
            next_mail(sent, tomorrow, &rules()),
            Ok(CodeMails {
                mails: 1,
                since: tomorrow
            })
        );
    }
}
