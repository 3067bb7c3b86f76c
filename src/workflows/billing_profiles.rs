//! How an account is invoiced: what it wants to read there, and where its invoices go. How it pays is elsewhere.

use super::{Context, invoice_email};
use crate::domain::access::AccountAccess;
use crate::domain::einvoice::ElectronicAddress;
use crate::domain::event::Event;
use crate::domain::values::{CompanyNumber, Country, Email, Field, Line};
use crate::error::{Code, Fault, Faults, Partial, Result};
use crate::repository::billing_profiles::{self, BillingProfile};
use crate::repository::{DbConn, accounts, events, sessions};

/// What is to be changed of it; the number as typed: the account's country reads it.
#[derive(Debug, Clone, Default)]
pub struct Patch {
    pub company_number: Field<String>,
    pub your_reference: Field<Line<60>>,
    pub electronic_address: Field<ElectronicAddress>,
    pub invoice_email: Field<Email>,
}

/// That of the account, a blank one where it was never changed.
pub fn read(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
) -> Result<BillingProfile> {
    let account = accounts::find(conn, access)?;
    let found = billing_profiles::find(conn, account.id)?;
    Ok(found.unwrap_or_else(|| BillingProfile::blank(account.id, context.now)))
}

/// Changes it: `check` compares its version with the caller's. What is issued from then on says so; a change of nothing is no new version.
pub fn change(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    check: impl FnOnce(i64) -> Result<()>,
    patch: Partial<Patch>,
) -> Result<BillingProfile> {
    let account = accounts::lock_active(conn, access)?;
    sessions::confirm(conn, access.actor())?;
    let mut profile = billing_profiles::lock(conn, &account, context.now)?;
    let before = BillingProfile::clone(&profile);
    let Partial { read, mut faults } = patch;
    let number = read_number(account.country, read.company_number, &mut faults);
    merge(&mut profile.company_number, number);
    merge(
        &mut profile.your_reference,
        read.your_reference.map(String::from),
    );
    let address = read.electronic_address.map(|address| address.to_string());
    merge(&mut profile.electronic_address, address);
    faults.judge(Some(()))?;
    check(before.version)?;
    let asked_by = access.actor().user().ok_or(Code::Forbidden)?;
    let held = (&account, &mut profile);
    invoice_email::change(conn, context, asked_by, held, read.invoice_email)?;
    if *profile == before {
        return Ok(before);
    }
    billing_profiles::store(conn, &mut profile, context.now)?;
    let changed = Event::AccountBillingProfileChanged {
        account_id: account.id,
    };
    events::record(conn, &access.stamp(context.now), &[changed])?;
    Ok(profile.into_row())
}

fn read_number(country: Country, typed: Field<String>, faults: &mut Faults) -> Field<String> {
    let Field::Read(typed) = typed else {
        return typed;
    };
    let number = CompanyNumber::read(country, &typed)
        .map_err(|code| vec![Fault::new("#/company_number", code)]);
    let number = faults.note(number).map(String::from);
    number.map_or(Field::Refused, Field::Read)
}

/// Of a field that could not be read the faults tell.
fn merge(field: &mut Option<String>, sent: Field<String>) {
    *field = sent.over(field.take()).flatten();
}
