//! What changes the points of an account, and the invitation that follows. Whether a product earns is decided in `products`.

use serde_json::json;

use super::Context;
use super::mail::{self, Recipient};
use crate::domain::access::{AccountAccess, UserId};
use crate::domain::account::AccountId;
use crate::domain::mail::Template;
use crate::domain::membership::{CorporateSwitch, open_levels};
use crate::domain::model::Value;
use crate::domain::points::{
    Account as Sums, Entry, EntryId, EntryKind, FirstWrong, Invited, invitation,
    verify as recompute,
};
use crate::domain::product::ProductId;
use crate::error::{Code, Result};
use crate::repository::accounts::{self, Account};
use crate::repository::points::{self, PointsAccount, PointsEntry};
use crate::repository::{DbConn, events};

/// The ledger of one account, locked: entries go in one by one, and [`Ledger::close`] sees what they add up to.
pub struct Ledger {
    row: PointsAccount,
    counting_before: i64,
    by: Option<UserId>,
}

/// What an entry is about.
#[derive(Default)]
struct About {
    product_id: Option<ProductId>,
    reverses: Option<EntryId>,
    value: Option<Value>,
}

impl Ledger {
    /// Opens the ledger of an account whose row is locked; `by` is the user who causes its entries.
    pub fn open(conn: &mut DbConn, account: AccountId, by: Option<UserId>) -> Result<Self> {
        let row = points::lock(conn, account)?;
        Ok(Self {
            row,
            counting_before: row.counting(),
            by,
        })
    }

    fn add(
        &mut self,
        conn: &mut DbConn,
        context: &Context,
        (kind, amount): (EntryKind, i64),
        about: About,
        reason: &str,
    ) -> Result<PointsEntry> {
        let next = self.row.sums().apply(kind, amount)?;
        let entry = PointsEntry {
            id: EntryId::new(context.now),
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
            made_by: self.by,
            created_at: context.now,
        };
        points::append(conn, &entry)?;
        let Sums { balance, held, seq } = next;
        self.row = PointsAccount {
            balance,
            held,
            seq,
            ..self.row
        };
        Ok(entry)
    }

    /// Grants what a registration is worth; the entry names the value that it used.
    pub fn award(
        &mut self,
        conn: &mut DbConn,
        context: &Context,
        product: ProductId,
        value: Value,
        reason: &str,
    ) -> Result<()> {
        let about = About {
            product_id: Some(product),
            value: Some(value),
            reverses: None,
        };
        let what = (EntryKind::Award, value.points);
        self.add(conn, context, what, about, reason).map(drop)
    }

    /// Takes an award back, for the amount that it recorded.
    pub fn reverse(
        &mut self,
        conn: &mut DbConn,
        context: &Context,
        award: &PointsEntry,
        reason: &str,
    ) -> Result<()> {
        let about = About {
            product_id: award.product_id,
            reverses: Some(award.id),
            value: None,
        };
        let what = (EntryKind::Reversal, -award.amount);
        self.add(conn, context, what, about, reason).map(drop)
    }

    /// Stores where the ledger stands, and invites the account when it has reached the programme's points.
    pub fn close(mut self, conn: &mut DbConn, context: &Context, account: &Account) -> Result<()> {
        let counting = self.row.counting();
        let change = invitation(
            &context.programme.invitation,
            self.counting_before,
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
        points::update(conn, &self.row)?;
        if change.send {
            invite(conn, context, account, counting)?;
        }
        Ok(())
    }
}

fn invite(conn: &mut DbConn, context: &Context, account: &Account, points: i64) -> Result<()> {
    let levels = &context.programme.levels;
    let open = open_levels(points, CorporateSwitch::Off, levels)?;
    let names: Vec<&str> = open.iter().map(|level| level.name.as_str()).collect();
    let action_url = context.links.page("membership");
    let values = json!({ "points": points, "levels": names, "action_url": action_url });
    let to = Recipient::contact(account);
    mail::send(conn, context, &to, Template::ProgrammeInvitation, values)?;
    let payload = json!({ "points": points });
    events::record(conn, account.id, "account.invited", payload, context.now)
}

/// Gives or takes points by hand, with the reason that staff wrote.
pub fn adjust(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    amount: i64,
    reason: &str,
) -> Result<PointsEntry> {
    let staff = access.staff().ok_or(Code::Forbidden)?;
    let account = accounts::lock(conn, access)?;
    if account.approved_at.is_none() {
        return Err(Code::AccountNotActive.with("status", account.status).into());
    }
    let mut ledger = Ledger::open(conn, account.id, Some(staff))?;
    let what = (EntryKind::Adjustment, amount);
    let entry = ledger.add(conn, context, what, About::default(), reason)?;
    ledger.close(conn, context, &account)?;
    let (id, now) = (account.id, context.now);
    let payload = json!({ "amount": amount, "balance": entry.balance });
    events::record(conn, id, "points.adjusted", payload, now)?;
    events::record_staff(conn, staff, "points.adjust", Some(id), Some(reason), now)?;
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
