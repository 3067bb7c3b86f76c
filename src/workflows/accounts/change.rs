//! Changing an account: what it says of its company, and who speaks for it.

use super::super::Context;
use super::super::users::follow_language;
use super::proof::{self, Given};
use super::{confirm, contact_email, known_address, receipts};
use crate::domain::access::AccountAccess;
use crate::domain::account::{Company, check_company, check_place, check_vat_number};
use crate::domain::account_change::{Changer, Touched, admit};
use crate::domain::document::{DocumentId, DocumentStatus};
use crate::domain::event::Event;
use crate::domain::values::TypedPhone;
use crate::error::{Error, Fault, Partial, Result};
use crate::repository::accounts::{self, Account};
use crate::repository::{DbConn, Held, documents, events};

fn touched(a: &Account, b: &Account) -> Touched {
    let address = |one: &Account| {
        let parts = [&one.street, &one.postal_code, &one.city];
        parts.map(String::clone)
    };
    let standing = |one: &Account| (one.country, one.vat_registered);
    let origin = |one: &Account| (one.legacy_cps_email.clone(), one.source.clone());
    let person = |one: &Account| {
        let (name, phone) = (&one.contact_name, &one.contact_phone);
        (name.clone(), phone.clone(), one.language)
    };
    Touched {
        name: a.company_name != b.company_name,
        vat_number: a.vat_number != b.vat_number,
        standing: standing(a) != standing(b),
        address: address(a) != address(b),
        origin: origin(a) != origin(b),
        person: person(a) != person(b),
        email: a.contact_email != b.contact_email,
        proposed_email: a.contact_email_proposed != b.contact_email_proposed,
    }
}

/// Which fields of a company were sent and could not be read.
#[derive(Debug, Clone, Copy)]
pub struct Unread {
    pub country: bool,
    pub vat_registered: bool,
    pub vat_number: bool,
}

/// What a patch came with, beside what it changes.
#[derive(Debug, Clone)]
pub struct Patched {
    pub unread: Unread,
    pub given: Given,
}

/// Changes an account: `check` compares its version with the caller's, `patch` makes the change, as far as it could be read. What comes out
/// is checked like a registration, together with what was wrong before; a change of nothing is no new version.
pub fn change(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    check: impl FnOnce(i64) -> Result<()>,
    patch: Partial<impl FnOnce(&mut Account) -> Patched>,
) -> Result<Account> {
    let mut after = accounts::lock(conn, access)?;
    confirm(conn, access, &after)?;
    let before = Account::clone(&after);
    let Partial { read, mut faults } = patch;
    let Patched { unread, given } = read(&mut after);
    contact_email::propose(access, &before, &mut after);
    let mut refused = judge_company(&mut after, unread, context);
    faults.extend(judge_contact(&before, &mut after, unread, context));
    let touched = touched(&before, &after);
    refused.retain(|_| touched.is_company());
    if !faults.is_empty() {
        faults.extend(refused);
        return Err(faults.into());
    }
    check(before.version)?;
    if touched == Touched::default() {
        return Ok(before);
    }
    let grounds = admit(changer(access), before.status, touched)?;
    let proof = proof::of(conn, &before, grounds, given)?;
    let proof = proof.map_err(|faults| refused.extend(faults)).ok();
    let Some(proof) = proof.filter(|_| refused.is_empty()) else {
        return Err(Error::invalid(refused));
    };
    store(conn, context, access, (&before, &mut after), touched)?;
    if let Some(proof) = proof {
        proof::settle(conn, context, access, &after, (touched, proof))?;
    }
    Ok(after.into_row())
}

/// Stores a change that is admitted, with what follows from it.
fn store(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    (before, after): (&Account, &mut Held<Account>),
    touched: Touched,
) -> Result<()> {
    after.company_key = after.company_name.to_lowercase();
    contact_email::settle(conn, context, access, before, after)?;
    let reopened = reopen(conn, after, touched)?;
    accounts::store(conn, after, context.now)?;
    follow_language(conn, &access.stamp(context.now), after, before.language)?;
    tell(conn, context, access, after, (touched, reopened))
}

fn changer(access: &AccountAccess) -> Changer {
    match access.staff() {
        Some(_) => Changer::Staff,
        None => Changer::Owner,
    }
}

/// Tidies what the company says of itself after the change, and tells what is wrong with it.
fn judge_company(after: &mut Account, unread: Unread, context: &Context) -> Vec<Fault> {
    let judged = check_company(company(after, unread), &context.programme.countries);
    let number = check_vat_number(
        after.country,
        after.vat_registered,
        after.vat_number.as_deref(),
    );
    if let Ok(number) = number {
        after.vat_number = number.map(String::from);
    }
    judged.err().unwrap_or_default()
}

/// Tidies where and how the business can be reached after the change, and tells what is wrong with it.
fn judge_contact(
    before: &Account,
    after: &mut Account,
    unread: Unread,
    context: &Context,
) -> Vec<Fault> {
    let place = judge_place(before, after, unread, context);
    let phone = judge_phone(before, after, unread, context);
    place.err().into_iter().flatten().chain(phone).collect()
}

/// Where the business is after a change of its address or country.
fn judge_place(
    before: &Account,
    after: &Account,
    unread: Unread,
    context: &Context,
) -> Result<(), Vec<Fault>> {
    let place = |one: &Account| (one.country, one.postal_code.clone());
    if unread.country || place(before) == place(after) {
        return Ok(());
    }
    let territories = &context.programme.vat.territories;
    check_place(after.country, &after.postal_code, territories)
}

/// Reads a phone that was sent as a number of the account's country.
fn judge_phone(
    before: &Account,
    after: &mut Account,
    unread: Unread,
    context: &Context,
) -> Vec<Fault> {
    let typed = after.contact_phone.take();
    if typed == before.contact_phone {
        after.contact_phone = typed;
        return Vec::new();
    }
    let country = (!unread.country).then_some(after.country);
    let read = typed.map(|typed| TypedPhone::from(typed).read(country, &context.programme.phones));
    match read.transpose() {
        Ok(phone) => after.contact_phone = phone.flatten().map(|phone| phone.to_string()),
        Err(faults) => return faults,
    }
    Vec::new()
}

/// What the company says of itself after the change.
fn company(after: &Account, unread: Unread) -> Company<'_> {
    Company {
        country: (!unread.country).then_some(after.country),
        vat_registered: (!unread.vat_registered).then_some(after.vat_registered),
        vat_number: (!unread.vat_number).then_some(after.vat_number.as_deref()),
    }
}

/// Has what proved an application looked at again, where that says something else.
fn reopen(conn: &mut DbConn, account: &Held<Account>, touched: Touched) -> Result<Vec<DocumentId>> {
    match touched.is_proven() && account.status.is_editable() {
        true => documents::reopen_accepted(conn, account),
        false => Ok(Vec::new()),
    }
}

fn tell(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    account: &Account,
    (touched, reopened): (Touched, Vec<DocumentId>),
) -> Result<()> {
    if account.status.is_open_application() && (touched.email || touched.vat_number) {
        known_address::tell_later(conn, context, account)?;
    }
    if account.status.is_open_application() && touched.email {
        receipts::begin_later(conn, context, account)?;
    }
    let changed = Event::AccountChanged {
        account_id: account.id,
        company: touched.is_company(),
        contact: touched.is_contact(),
    };
    let mut happened = vec![changed];
    if touched.proposed_email && account.contact_email_proposed.is_some() {
        let account_id = account.id;
        happened.push(Event::AccountContactEmailProposed { account_id });
    }
    happened.extend(
        reopened
            .into_iter()
            .map(|document_id| Event::DocumentDecided {
                account_id: account.id,
                document_id,
                status: DocumentStatus::Pending,
                codes: Vec::new(),
            }),
    );
    events::record(conn, &access.stamp(context.now), &happened)
}
