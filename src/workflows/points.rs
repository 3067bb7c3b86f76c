//! What changes the points of an account, and the invitation that follows. Whether a product earns is decided in `products`.

use serde_json::json;

use super::Context;
use super::mail::{self, Recipient};
use crate::domain::access::AccountAccess;
use crate::domain::account::AccountId;
use crate::domain::actor::Stamp;
use crate::domain::event::Event;
use crate::domain::mail::Template;
use crate::domain::membership::{CorporateSwitch, open_levels};
use crate::domain::model::Value;
use crate::domain::points::{
    Account as Sums, Entry, EntryId, EntryKind, FirstWrong, Invited, PointsReason, invitation,
    verify as recompute,
};
use crate::domain::product::ProductId;
use crate::error::{Code, Result};
use crate::repository::accounts::{self, Account};
use crate::repository::points::{self, PointsAccount, PointsEntry};
use crate::repository::{DbConn, Held, events, sessions};
use crate::types::Instant;

/// The ledger of one account, locked: entries go in one by one, and [`Ledger::close`] sees what they add up to and stores them.
pub struct Ledger {
    row: Held<PointsAccount>,
    /// As it was when it was locked.
    before: PointsAccount,
    stamp: Stamp,
    /// A moment behind the lock.
    locked_at: Instant,
    /// Those that are not stored yet.
    entries: Vec<PointsEntry>,
}

/// What an entry is about.
#[derive(Default)]
struct About {
    product_id: Option<ProductId>,
    reverses: Option<EntryId>,
    value: Option<Value>,
}

impl Ledger {
    /// Opens the ledger of a held account; `stamp` says who causes its entries.
    pub fn open(
        conn: &mut DbConn,
        context: &Context,
        account: &Held<Account>,
        stamp: &Stamp,
    ) -> Result<Self> {
        Ok(Self::of(context, points::lock(conn, account)?, stamp))
    }

    /// The ledger that was locked; `stamp` says who causes its entries.
    pub fn of(context: &Context, row: Held<PointsAccount>, stamp: &Stamp) -> Self {
        Self {
            before: *row,
            row,
            stamp: stamp.clone(),
            locked_at: context.clock.now(),
            entries: Vec::new(),
        }
    }

    /// Whether there is an entry since it was locked.
    pub fn has_changed(&self) -> bool {
        self.row.seq > self.before.seq
    }

    /// What the entries so far have given and taken.
    pub fn gained(&self) -> i64 {
        self.row.balance - self.before.balance
    }

    /// The moment of the next entry: behind the lock, never before the last one, so that what was true of a moment stays true.
    fn moment(&self) -> Instant {
        let last = self.row.last_at.unwrap_or(self.locked_at);
        last.max(self.locked_at)
    }

    fn add(
        &mut self,
        (kind, amount): (EntryKind, i64),
        about: About,
        reason: &str,
    ) -> Result<PointsEntry> {
        let (next, at) = (self.row.sums().apply(kind, amount)?, self.moment());
        let entry = PointsEntry {
            id: EntryId::new(at),
            account_id: self.row.account_id,
            seq: next.seq,
            kind,
            amount,
            balance: next.balance,
            held: next.held,
            product_id: about.product_id,
            reverses: about.reverses,
            value_valid_from: about.value.map(|value| value.valid_from),
            reason: reason.to_owned(),
            actor: self.stamp.actor.to_string(),
            created_at: at,
        };
        self.entries.push(entry.clone());
        let Sums { balance, held, seq } = next;
        *self.row = PointsAccount {
            balance,
            held,
            seq,
            last_at: Some(at),
            ..*self.row
        };
        Ok(entry)
    }

    /// Grants what a registration is worth; the entry names the value that it used.
    pub fn award(&mut self, product: ProductId, value: Value) -> Result<PointsEntry> {
        let about = About {
            product_id: Some(product),
            value: Some(value),
            reverses: None,
        };
        let reason = PointsReason::Complete.as_str();
        self.add((EntryKind::Award, value.points), about, reason)
    }

    /// Takes an award back, for the amount that it recorded.
    pub fn reverse(&mut self, award: &PointsEntry, reason: PointsReason) -> Result<()> {
        let about = About {
            product_id: award.product_id,
            reverses: Some(award.id),
            value: None,
        };
        let what = (EntryKind::Reversal, -award.amount);
        self.add(what, about, reason.as_str()).map(drop)
    }

    /// Takes out the entries that are not stored yet, for whoever stores those of several ledgers together.
    pub fn take_entries(&mut self) -> Vec<PointsEntry> {
        std::mem::take(&mut self.entries)
    }

    /// Stores the entries and where the ledger stands, and invites the account when it has reached the programme's points; what happened goes to
    /// `events`.
    pub fn close(
        mut self,
        conn: &mut DbConn,
        context: &Context,
        account: &Account,
        events: &mut Vec<Event>,
    ) -> Result<()> {
        if !self.entries.is_empty() {
            points::append(conn, &self.entries)?;
        }
        let counting = self.row.counting();
        let change = invitation(
            &context.programme.invitation,
            self.before.counting(),
            counting,
            self.row.invited(),
            context.now,
        );
        let Invited {
            last_invited,
            below_since,
        } = change.invited;
        self.row.invited_at = last_invited;
        self.row.below_since = below_since;
        if *self.row != self.before {
            points::store(conn, &self.row, self.before.seq)?;
        }
        events.extend(self.changed(account.id));
        if change.send {
            invite(conn, context, account, counting)?;
            events.push(Event::AccountInvited {
                account_id: account.id,
                counting,
            });
        }
        Ok(())
    }

    fn changed(&self, account_id: AccountId) -> Option<Event> {
        (self.row.seq > self.before.seq).then(|| Event::PointsChanged {
            account_id,
            balance: self.row.balance,
            held: self.row.held,
            counting: self.row.counting(),
            from_seq: self.before.seq + 1,
            to_seq: self.row.seq,
        })
    }
}

fn invite(conn: &mut DbConn, context: &Context, account: &Account, points: i64) -> Result<()> {
    let levels = &context.programme.levels;
    let open = open_levels(points, CorporateSwitch::Off, levels)?;
    let names: Vec<&str> = open.iter().map(|level| level.name.as_str()).collect();
    let action_url = context.links.page("membership");
    let values = json!({ "points": points, "levels": names, "action_url": action_url });
    let to = Recipient::contact(account);
    mail::send(conn, context, &to, Template::ProgrammeInvitation, values)
}

/// Gives or takes points by hand, with the reason that staff wrote.
pub fn adjust(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    amount: i64,
    reason: &str,
) -> Result<PointsEntry> {
    let account = accounts::lock(conn, access)?;
    sessions::confirm(conn, access.actor())?;
    if account.approved_at.is_none() {
        return Err(Code::AccountNotActive.with("status", account.status).into());
    }
    let stamp = access.stamp(context.now).because(reason);
    let mut ledger = Ledger::open(conn, context, &account, &stamp)?;
    let what = (EntryKind::Adjustment, amount);
    let entry = ledger.add(what, About::default(), reason)?;
    let mut happened = vec![Event::PointsAdjusted {
        account_id: account.id,
        entry_id: entry.id,
        amount,
        balance: entry.balance,
    }];
    ledger.close(conn, context, &account, &mut happened)?;
    events::record(conn, &stamp, &happened)?;
    Ok(entry)
}

/// How a check of the ledgers ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is wrong in so many ledgers with so many entries.
    Right { accounts: u64, entries: u64 },
    /// The first wrong entry of the first wrong ledger.
    Wrong {
        account: AccountId,
        first: FirstWrong,
    },
}

/// How many rows are read at once.
const PAGE: i64 = 1000;

/// Recomputes every balance from the entries, ledger by ledger, and stops at the first wrong entry.
pub fn verify(conn: &mut DbConn) -> Result<Verdict> {
    let (mut accounts, mut entries, mut after) = (0, 0, None);
    loop {
        let page = points::ledgers(conn, after, PAGE)?;
        for ledger in &page {
            let facts = all_entries(conn, ledger.account_id)?;
            let wrong = match recompute(&facts) {
                Ok(sums) if sums == ledger.sums() => None,
                Ok(sums) => Some(FirstWrong {
                    seq: sums.seq,
                    why: "the ledger's row is not what its entries add up to",
                }),
                Err(first) => Some(first),
            };
            if let Some(first) = wrong {
                let account = ledger.account_id;
                return Ok(Verdict::Wrong { account, first });
            }
            accounts += 1;
            entries += u64::try_from(facts.len()).unwrap_or(u64::MAX);
        }
        match page.last() {
            Some(last) => after = Some(last.account_id),
            None => return Ok(Verdict::Right { accounts, entries }),
        }
    }
}

fn all_entries(conn: &mut DbConn, account: AccountId) -> Result<Vec<Entry>> {
    let mut all: Vec<Entry> = Vec::new();
    loop {
        let after = all.last().map_or(0, |last| last.seq);
        let page = points::entries_after(conn, account, after, PAGE)?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page.iter().map(PointsEntry::facts));
    }
}
