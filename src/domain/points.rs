//! The points ledger: entries, the sums they make, and the invitation.

mod reason;

use std::collections::HashMap;

use chrono::TimeDelta;
use serde::Deserialize;

use super::product::ProductId;
use crate::error::Code;
use crate::types::{Instant, id, text_enum};

pub use reason::PointsReason;

id!(
    /// The identity of a ledger entry.
    EntryId, "pnt_"
);

text_enum! {
    /// What an entry does (rules, section 7).
    pub enum EntryKind {
        /// Points of one registration.
        Award = "award",
        /// Takes exactly one award back.
        Reversal = "reversal",
        /// Given or taken by staff, with a reason.
        Adjustment = "adjustment",
        /// Points of a disputed serial stop counting.
        Hold = "hold",
        /// They count again.
        Release = "release",
    }
}

/// The most that a balance may be away from 0; keeps every sum far inside 64 bits.
const LIMIT: i64 = 1_000_000_000;

impl EntryKind {
    /// What an entry of this kind adds to the balance. Holding and releasing add nothing (rules, section 7).
    pub fn balance_change(self, amount: i64) -> i64 {
        match self {
            Self::Award | Self::Reversal | Self::Adjustment => amount,
            Self::Hold | Self::Release => 0,
        }
    }

    /// What an entry of this kind adds to what is held; the amounts of both kinds are positive.
    pub fn held_change(self, amount: i64) -> i64 {
        match self {
            Self::Hold => amount,
            Self::Release => amount.saturating_neg(),
            Self::Award | Self::Reversal | Self::Adjustment => 0,
        }
    }
}

/// Where the ledger of an account stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Account {
    /// The sum of the entries; negative after a downward adjustment.
    pub balance: i64,
    /// What does not count because its serial number is disputed.
    pub held: i64,
    /// The number of the last entry, 0 before the first.
    pub seq: i64,
}

impl Account {
    /// What levels and the invitation count.
    pub fn counting(self) -> i64 {
        self.balance.saturating_sub(self.held)
    }

    /// The ledger after one more entry; `points_out_of_range` where a sum leaves its bounds or more is released than is held.
    pub fn apply(self, kind: EntryKind, amount: i64) -> Result<Self, Code> {
        let add = |sum: i64, change| sum.checked_add(change).ok_or(Code::PointsOutOfRange);
        let next = Self {
            balance: add(self.balance, kind.balance_change(amount))?,
            held: add(self.held, kind.held_change(amount))?,
            seq: add(self.seq, 1)?,
        };
        let inside = (-LIMIT..=LIMIT).contains(&next.balance) && (0..=LIMIT).contains(&next.held);
        if inside {
            Ok(next)
        } else {
            Err(Code::PointsOutOfRange)
        }
    }
}

/// An entry as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its identity.
    pub id: EntryId,
    /// Its number, from 1 without gaps.
    pub seq: i64,
    /// What it does.
    pub kind: EntryKind,
    /// Signed points; positive for holding and releasing.
    pub amount: i64,
    /// The balance after it.
    pub balance: i64,
    /// What is held after it.
    pub held: i64,
    /// The registration.
    pub product_id: Option<ProductId>,
    /// The award that a reversal takes back.
    pub reverses: Option<EntryId>,
}

/// The first entry that is not as the rules say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("entry {seq}: {why}")]
pub struct FirstWrong {
    /// The number that the entry has.
    pub seq: i64,
    /// What is wrong.
    pub why: &'static str,
}

/// Recomputes the whole ledger of one account, oldest entry first (rules, section 7).
pub fn verify(entries: &[Entry]) -> Result<Account, FirstWrong> {
    let mut account = Account::default();
    let mut unreversed: HashMap<EntryId, &Entry> = HashMap::new();
    for entry in entries {
        let wrong = |why| FirstWrong {
            seq: entry.seq,
            why,
        };
        account = account
            .apply(entry.kind, entry.amount)
            .map_err(|_| wrong("a sum leaves its bounds"))?;
        let right = [
            (entry.seq == account.seq, "the numbers have a gap"),
            (
                entry.balance == account.balance,
                "the balance is not that of the entries",
            ),
            (
                entry.held == account.held,
                "held is not that of the entries",
            ),
            (has_right_sign(entry), "the sign is not that of its kind"),
        ];
        if let Some((_, why)) = right.iter().find(|(holds, _)| !holds) {
            return Err(wrong(why));
        }
        check_award(entry, &mut unreversed).map_err(wrong)?;
    }
    Ok(account)
}

fn has_right_sign(entry: &Entry) -> bool {
    match entry.kind {
        EntryKind::Adjustment => true,
        EntryKind::Reversal => entry.amount <= 0,
        EntryKind::Award | EntryKind::Hold | EntryKind::Release => entry.amount >= 0,
    }
}

/// Awards that stand: at most one a registration, each taken back at most once and for its amount.
fn check_award<'a>(
    entry: &'a Entry,
    unreversed: &mut HashMap<EntryId, &'a Entry>,
) -> Result<(), &'static str> {
    match (entry.kind, entry.reverses) {
        (EntryKind::Award, None) if entry.product_id.is_none() => {
            Err("the award names no registration")
        }
        (EntryKind::Award, None) => {
            let twice = unreversed
                .values()
                .any(|award| award.product_id == entry.product_id);
            unreversed.insert(entry.id, entry);
            if twice {
                Err("the registration has an award that stands")
            } else {
                Ok(())
            }
        }
        (EntryKind::Reversal, Some(reverses)) => match unreversed.remove(&reverses) {
            None => Err("the reversal takes back no award that stands"),
            Some(award)
                if award.amount != -entry.amount || award.product_id != entry.product_id =>
            {
                Err("the reversal is not that of its award")
            }
            Some(_) => Ok(()),
        },
        (EntryKind::Reversal, None) => Err("the reversal names no award"),
        (_, Some(_)) => Err("only a reversal takes an award back"),
        (_, None) => Ok(()),
    }
}

/// Section `[invitation]` of the programme.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InvitationRules {
    /// Points that invite.
    pub points: i64,
    /// Days below after which coming back invites again.
    pub again_after_days: u32,
}

/// What an account's invitations look like so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Invited {
    /// When the last invitation was sent.
    pub last_invited: Option<Instant>,
    /// Since when the account has been below again.
    pub below_since: Option<Instant>,
}

/// What a change of points does to the invitations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvitationChange {
    /// Whether to send one now.
    pub send: bool,
    /// What to remember from now on.
    pub invited: Invited,
}

/// Reaching the threshold invites once; falling below and coming back invites again only after so many days below (rules,
/// section 8). `before` and `after` are points that count.
pub fn invitation(
    rules: &InvitationRules,
    before: i64,
    after: i64,
    invited: Invited,
    now: Instant,
) -> InvitationChange {
    let days = TimeDelta::days(i64::from(rules.again_after_days));
    let long_below = invited
        .below_since
        .is_some_and(|since| now.since(since) >= days);
    let (was_in, is_in) = (before >= rules.points, after >= rules.points);
    let send = is_in && (invited.last_invited.is_none() || (!was_in && long_below));
    let below_since = match (was_in, is_in) {
        (_, true) => None,
        (true, false) => Some(now),
        (false, false) => invited.below_since,
    };
    let last_invited = if send {
        Some(now)
    } else {
        invited.last_invited
    };
    let invited = Invited {
        last_invited,
        below_since,
    };
    InvitationChange { send, invited }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> Instant {
        "2026-06-01T12:00:00Z".parse().unwrap()
    }

    /// The entries that `steps` make, each a kind, an amount, a registration and the place of the award it takes back.
    fn ledger(steps: &[(EntryKind, i64, Option<ProductId>, Option<usize>)]) -> Vec<Entry> {
        let mut account = Account::default();
        let mut entries: Vec<Entry> = Vec::new();
        for &(kind, amount, product_id, reverses) in steps {
            account = account.apply(kind, amount).unwrap();
            let reverses = reverses.map(|at| entries[at].id);
            let (seq, balance, held) = (account.seq, account.balance, account.held);
            let id = EntryId::new(now());
            entries.push(Entry {
                id,
                seq,
                kind,
                amount,
                balance,
                held,
                product_id,
                reverses,
            });
        }
        entries
    }

    #[test]
    fn a_ledger_that_follows_the_rules_verifies() {
        use EntryKind::{Adjustment, Award, Hold, Release, Reversal};
        let product = Some(ProductId::new(now()));
        let entries = ledger(&[
            (Award, 235, product, None),
            (Hold, 235, product, None),
            (Adjustment, -1000, None, None),
            (Release, 235, product, None),
            (Reversal, -235, product, Some(0)),
            (Award, 250, product, None),
        ]);
        let account = verify(&entries).unwrap();
        assert_eq!(
            account,
            Account {
                balance: -750,
                held: 0,
                seq: 6
            }
        );
        assert_eq!(
            Account {
                balance: 500,
                held: 235,
                seq: 2
            }
            .counting(),
            265
        );
    }

    #[test]
    fn a_ledger_that_was_tampered_with_is_told() {
        use EntryKind::{Adjustment, Award, Reversal};
        let product = Some(ProductId::new(now()));
        let why = |entries: &[Entry]| verify(entries).unwrap_err();
        let award = (Award, 235, product, None);
        let back = (Reversal, -235, product, Some(0));

        let mut entries = ledger(&[award, (Adjustment, 5, None, None)]);
        entries[1].balance = 1000;
        assert_eq!(why(&entries).seq, 2);
        entries.remove(0);
        assert!(why(&entries).why.contains("gap"));
        assert!(
            why(&ledger(&[award, award]))
                .why
                .contains("award that stands")
        );
        assert!(
            why(&ledger(&[award, back, back]))
                .why
                .contains("no award that stands")
        );
        let half = (Reversal, -100, product, Some(0));
        assert!(
            why(&ledger(&[award, half]))
                .why
                .contains("not that of its award")
        );
        assert!(
            why(&ledger(&[(Reversal, -1, product, None)]))
                .why
                .contains("names no award")
        );
        assert!(
            why(&ledger(&[(Award, -1, product, None)]))
                .why
                .contains("sign")
        );
    }

    #[test]
    fn points_stay_within_a_billion() {
        let top = Account {
            balance: LIMIT,
            held: 0,
            seq: 1,
        };
        let refused = Err(Code::PointsOutOfRange);
        assert_eq!(top.apply(EntryKind::Adjustment, 1), refused);
        assert_eq!(top.apply(EntryKind::Adjustment, i64::MAX), refused);
        assert_eq!(top.apply(EntryKind::Release, 1), refused);
        assert_eq!(
            Account::default().apply(EntryKind::Release, i64::MIN),
            refused
        );
        assert!(top.apply(EntryKind::Adjustment, -2 * LIMIT).is_ok());
    }

    #[test]
    fn five_hundred_points_invite_once() {
        let rules = InvitationRules {
            points: 500,
            again_after_days: 30,
        };
        let after = |days| now().plus(TimeDelta::days(days));
        let step = |before, after, invited, now| invitation(&rules, before, after, invited, now);
        assert!(!step(0, 499, Invited::default(), now()).send);
        let first = step(499, 500, Invited::default(), now());
        assert!(first.send);
        assert!(!step(500, 600, first.invited, after(1)).send);
        let fell = step(600, 400, first.invited, after(2));
        assert_eq!(fell.invited.below_since, Some(after(2)));
        let lower = step(400, 300, fell.invited, after(20));
        assert_eq!(lower.invited, fell.invited);
        let soon = step(300, 500, lower.invited, after(31));
        assert!(!soon.send);
        assert_eq!(soon.invited.below_since, None);
        assert!(step(300, 500, lower.invited, after(32)).send);
    }

    proptest! {
        #[test]
        fn the_balance_is_the_sum_of_the_entries(amounts in prop::collection::vec(-1000i64..1000, 0..40)) {
            let steps: Vec<_> = amounts.iter().map(|amount| (EntryKind::Adjustment, *amount, None, None)).collect();
            let account = verify(&ledger(&steps)).unwrap();
            prop_assert_eq!(account.balance, amounts.iter().sum::<i64>());
            prop_assert_eq!(account.seq, i64::try_from(amounts.len()).unwrap());
        }

        #[test]
        fn one_changed_number_is_always_found(amounts in prop::collection::vec(0i64..1000, 1..20), at: prop::sample::Index, by in 1i64..1000) {
            let steps: Vec<_> = amounts.iter().map(|amount| (EntryKind::Award, *amount, Some(ProductId::new(now())), None)).collect();
            let mut entries = ledger(&steps);
            let at = at.index(entries.len());
            entries[at].amount += by;
            prop_assert_eq!(verify(&entries).unwrap_err().seq, entries[at].seq);
        }

        #[test]
        fn applying_never_overflows(balance: i64, held: i64, amount: i64, kind in 0usize..5) {
            let _ = Account { balance, held, seq: 1 }.apply(EntryKind::ALL[kind], amount);
        }
    }
}
