//! Matching the lines of a statement, some at a time: what fits one open invoice exactly is booked, all else waits with what is known of it.

use std::collections::{BTreeMap, HashMap};

use super::clues::{self, Clues};
use super::naming::{Named, name_all};
use super::refunding::{self, Refunds};
use super::{placed, reversing, rows};
use crate::domain::access::ServiceAccess;
use crate::domain::actor::Stamp;
use crate::domain::bank::{
    BankStatementId, BankTransactionId, Decision, Facts, Found, Line, StatementState,
    TransactionState, decide,
};
use crate::domain::event::Event;
use crate::domain::invoice::InvoiceId;
use crate::domain::money::Money;
use crate::domain::payment::RefundId;
use crate::error::{Error, Result};
use crate::repository::bank_lookups::{self as lookups, Payable};
use crate::repository::bank_statements::{self as statements, BankStatement};
use crate::repository::bank_transactions::{self as lines, BankTransaction};
use crate::repository::{DbConn, Held, events};
use crate::types::Json;
use crate::workflows::Context;
use crate::workflows::settlement::{self, Origin, Received, Source};
use placed::Accounts;

/// Decides on the next lines of a statement, at most `most` of them; from which place on there may be more, none once all are decided.
pub fn work(
    conn: &mut DbConn,
    context: &Context,
    service: ServiceAccess,
    (id, from): (BankStatementId, i64),
    most: i64,
) -> Result<Option<i64>> {
    let statement = statements::find(conn, id)?;
    let waiting = lines::undecided(conn, id, from, most)?;
    let Some(last) = waiting.last().map(|line| line.position) else {
        return Ok(None);
    };
    let mut desk = Desk::begin(conn, context, (service, &statement), &waiting)?;
    let ids: Vec<BankTransactionId> = waiting.iter().map(|line| line.id).collect();
    let mut held = lines::lock_many(conn, &ids)?;
    held.sort_by_key(|line| line.position);
    for line in held {
        supersede(conn, &line)?;
        let is_open = line.state == TransactionState::Open;
        // A bank that writes its newest line first has the reversal before what it takes back.
        if is_open && !desk.taken_back.contains(&line.id) {
            desk.decide(conn, line)?;
        }
    }
    events::record(conn, &desk.stamp, &desk.told)?;
    Ok(Some(last + 1))
}

/// Each line that is booked supersedes one that was pending, whichever of the two came first.
fn supersede(conn: &mut DbConn, line: &BankTransaction) -> Result<()> {
    let alike = lines::told_alike(conn, line)?;
    let of = |state: TransactionState| alike.iter().filter(move |(_, one)| *one == state);
    let pending: Vec<BankTransactionId> =
        of(TransactionState::Pending).map(|(id, _)| *id).collect();
    let superseded = of(TransactionState::Superseded).count();
    let booked = alike.len() - pending.len() - superseded;
    let over = pending.into_iter().take(booked.saturating_sub(superseded));
    lines::supersede(conn, &over.collect::<Vec<_>>())
}

/// What some lines are decided with: the accounts that they concern are held.
pub(super) struct Desk<'a> {
    pub context: &'a Context,
    pub stamp: Stamp,
    pub accounts: Accounts,
    statement: &'a BankStatement,
    invoices: BTreeMap<InvoiceId, Payable>,
    /// The refunds that the lines name.
    pub refunds: Refunds,
    named: HashMap<BankTransactionId, Named>,
    /// The lines that reversals among them took back.
    pub taken_back: Vec<BankTransactionId>,
    pub told: Vec<Event>,
}

impl<'a> Desk<'a> {
    fn begin(
        conn: &mut DbConn,
        context: &'a Context,
        (service, statement): (ServiceAccess, &'a BankStatement),
        waiting: &[BankTransaction],
    ) -> Result<Self> {
        let (named, found) = name_all(conn, context, waiting)?;
        let mut concerned: Vec<_> = found.iter().map(|invoice| invoice.account_id).collect();
        let asked = named.values().flat_map(|one| &one.references.refunds);
        let asked: Vec<RefundId> = asked.copied().collect();
        let refunds = refunding::find(conn, &asked)?;
        concerned.extend(refunds.values().map(|(_, owner)| *owner));
        for line in waiting.iter().filter(|line| line.is_reversal) {
            concerned.extend(reversing::concerned(conn, context, line)?);
        }
        let accounts = Accounts::hold(conn, concerned)?;
        // What was found before its account was held may have changed since.
        let ids: Vec<InvoiceId> = found.iter().map(|invoice| invoice.id).collect();
        let invoices = lookups::payable(conn, &ids)?;
        Ok(Self {
            context,
            stamp: service.stamp(context.now),
            accounts,
            statement,
            invoices: invoices.into_iter().map(|one| (one.id, one)).collect(),
            refunds: refunding::find(conn, &asked)?,
            named,
            taken_back: Vec::new(),
            told: Vec::new(),
        })
    }

    fn decide(&mut self, conn: &mut DbConn, mut row: Held<BankTransaction>) -> Result<()> {
        let line = rows::line(&row)?;
        let named = self.named.remove(&row.id).unwrap_or_default();
        if row.is_reversal && self.is_proven() {
            let is_over = reversing::take_back(conn, self, &mut row)?;
            if is_over {
                return self.look_again(conn, &named.invoices);
            }
        }
        let decision = decide(self.facts(&line, &named, &Clues::default()));
        if decision.pays_refund {
            return refunding::pay(conn, self, &mut row, (&named.references, &decision));
        }
        match (decision.book, named.invoices.as_slice()) {
            (Some(cents), [invoice]) => {
                self.book(conn, &mut row, (*invoice, cents), &decision)?;
                self.look_again(conn, &named.invoices)
            }
            _ => self.leave(conn, &mut row, (&line, &named)),
        }
    }

    fn is_proven(&self) -> bool {
        self.statement.state == StatementState::Booked
    }

    /// What is known of a line.
    fn facts<'l>(&self, line: &'l Line, named: &Named, clues: &Clues) -> Facts<'l> {
        let bear = named.invoices.iter().filter_map(|id| self.invoices.get(id));
        let facts: Vec<_> = bear.map(Payable::facts).collect();
        Facts {
            line,
            found: Found::of(&named.references, &facts),
            refund: refunding::found(&self.refunds, &named.references),
            in_end_to_end_id: !named.in_end_to_end.is_empty(),
            amount_exact: !clues.of_amount.is_empty(),
            number_in_text: !clues.numbers.is_empty(),
            payer_known: !clues.paid_from.is_empty(),
            payer_name: !clues.of_name.is_empty(),
            is_our_account: self.statement.state != StatementState::Foreign,
            is_held: !self.is_proven() && self.statement.state != StatementState::Foreign,
            tolerance: self.context.programme.bank.tolerance.0,
        }
    }

    fn book(
        &mut self,
        conn: &mut DbConn,
        row: &mut Held<BankTransaction>,
        (invoice, cents): (InvoiceId, i64),
        decision: &Decision,
    ) -> Result<()> {
        let Some(found) = self.invoices.get(&invoice).cloned() else {
            return Err(Error::Contended);
        };
        let account = self.accounts.get(found.account_id)?;
        let received = Received {
            origin: Origin::Line(row.id),
            amount_cents: cents,
            currency: row.currency,
            date: placed::received(self.context, row),
        };
        let payment = settlement::receive(conn, &self.stamp, account, received)?;
        let placing = (invoice, Source::Received(&payment), cents);
        settlement::place(conn, self.context, &self.stamp, account, placing)?;
        if decision.written_off > 0 {
            let stamp = self.stamp.clone().because(placed::short_of(row.id));
            let rest = (invoice, Source::WrittenOff, decision.written_off);
            settlement::place(conn, self.context, &stamp, account, rest)?;
        }
        row.state = TransactionState::Matched;
        let clues = clues::told(decision, (row, &Clues::default()), &[&found]);
        row.evidence = Json::of(&clues)?;
        lines::store(conn, row)?;
        self.told.push(Event::BankTransactionMatched {
            bank_transaction_id: row.id,
            amount: Money::new(cents, row.currency),
            payments: vec![payment.id],
        });
        Ok(())
    }

    /// Leaves a line for somebody to look at, with all that is known of it.
    fn leave(
        &mut self,
        conn: &mut DbConn,
        row: &mut Held<BankTransaction>,
        (line, named): (&Line, &Named),
    ) -> Result<()> {
        let refunds = refunding::told(&self.refunds, &named.references);
        let clues = clues::look(conn, line)?.and_refunds(refunds);
        let decision = decide(self.facts(line, named, &clues));
        let asked = named.invoices.iter().chain(&named.in_end_to_end);
        let bear: Vec<&Payable> = asked.filter_map(|id| self.invoices.get(id)).collect();
        row.evidence = Json::of(&clues::told(&decision, (row, &clues), &bear))?;
        lines::store(conn, row)
    }

    /// Reads invoices again after money was placed on them or taken back.
    fn look_again(&mut self, conn: &mut DbConn, ids: &[InvoiceId]) -> Result<()> {
        for invoice in lookups::payable(conn, ids)? {
            self.invoices.insert(invoice.id, invoice);
        }
        Ok(())
    }
}
