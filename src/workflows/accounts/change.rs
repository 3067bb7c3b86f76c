//! Changing an account: what it says of its company, and who speaks for it.

use super::super::Context;
use super::super::users::follow_language;
use super::{confirm, contact_email, known_address, receipts};
use crate::domain::access::AccountAccess;
use crate::domain::account::{
    AccountStatus, Company, check_company, check_place, check_vat_number,
};
use crate::domain::document::{DocumentId, DocumentStatus};
use crate::domain::event::Event;
use crate::domain::values::TypedPhone;
use crate::error::{Code, Error, Fault, Partial, Result};
use crate::repository::accounts::{self, Account};
use crate::repository::{DbConn, documents, events};

/// What a change touches.
struct Touched {
    company: bool,
    /// What a document proves: name, country, VAT number, address.
    proven: bool,
    contact: bool,
    email: bool,
    proposed_email: bool,
    vat_number: bool,
}

impl Touched {
    fn between(a: &Account, b: &Account) -> Self {
        let names = |one: &Account| (one.company_name.clone(), one.country, one.vat_registered);
        let address = |one: &Account| {
            let parts = [&one.street, &one.postal_code, &one.city];
            parts.map(String::clone)
        };
        let origin = |one: &Account| (one.legacy_cps_email.clone(), one.source.clone());
        let person = |one: &Account| (one.contact_name.clone(), one.contact_phone.clone());
        let (email, vat_number) = (
            a.contact_email != b.contact_email,
            a.vat_number != b.vat_number,
        );
        let proposed_email = a.contact_email_proposed != b.contact_email_proposed;
        let proven = vat_number || names(a) != names(b) || address(a) != address(b);
        Self {
            company: proven || origin(a) != origin(b),
            proven,
            contact: email || proposed_email || person(a) != person(b) || a.language != b.language,
            email,
            proposed_email,
            vat_number,
        }
    }
}

/// Which fields of a company were sent and could not be read.
#[derive(Debug, Clone, Copy)]
pub struct Unread {
    pub country: bool,
    pub vat_registered: bool,
    pub vat_number: bool,
}

/// Changes an account: `check` compares its version with the caller's, `patch` makes the change, as far as it could be read. What comes out
/// is checked like a registration, together with what was wrong before; a change of nothing is no new version.
pub fn change(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    check: impl FnOnce(i64) -> Result<()>,
    patch: Partial<impl FnOnce(&mut Account) -> Unread>,
) -> Result<Account> {
    let mut after = accounts::lock(conn, access)?;
    confirm(conn, access, &after)?;
    let before = Account::clone(&after);
    let Partial { read, mut faults } = patch;
    let unread = read(&mut after);
    contact_email::propose(access, &before, &mut after);
    let mut refused = judge_company(&mut after, unread, context);
    faults.extend(judge_contact(&before, &mut after, unread, context));
    let touched = Touched::between(&before, &after);
    refused.retain(|_| touched.company);
    if !faults.is_empty() {
        faults.extend(refused);
        return Err(faults.into());
    }
    check(before.version)?;
    if !touched.company && !touched.contact {
        return Ok(before);
    }
    admit(access, before.status, &touched)?;
    if !refused.is_empty() {
        return Err(Error::invalid(refused));
    }
    after.company_key = after.company_name.to_lowercase();
    contact_email::settle(conn, context, access, &before, &mut after)?;
    let reopened = match touched.proven {
        true => documents::reopen_accepted(conn, &after)?,
        false => Vec::new(),
    };
    accounts::store(conn, &mut after, context.now)?;
    follow_language(conn, &access.stamp(context.now), &after, before.language)?;
    tell(conn, context, access, &after, (&touched, reopened))?;
    Ok(after.into_row())
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
    let outside = &context.programme.areas_outside;
    check_place(after.country, &after.postal_code, outside)
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

fn tell(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    account: &Account,
    (touched, reopened): (&Touched, Vec<DocumentId>),
) -> Result<()> {
    if account.status.is_open_application() && (touched.email || touched.vat_number) {
        known_address::tell_later(conn, context, account)?;
    }
    if account.status.is_open_application() && touched.email {
        receipts::begin_later(conn, context, account)?;
    }
    let changed = Event::AccountChanged {
        account_id: account.id,
        company: touched.company,
        contact: touched.contact,
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

/// Who may change what, and when (rules, sections 1 and 12).
fn admit(access: &AccountAccess, status: AccountStatus, touched: &Touched) -> Result<()> {
    if access.staff().is_some() {
        return match (touched.company, status.accepts_contact_changes_of_staff()) {
            (true, _) => Err(Code::Forbidden.into()),
            (false, false) => Err(Code::AccountStateConflict.into()),
            (false, true) => Ok(()),
        };
    }
    if matches!(status, AccountStatus::Suspended | AccountStatus::Closed) {
        return Err(Code::AccountNotActive.with("status", status).into());
    }
    let open = if touched.company {
        status.is_editable()
    } else {
        status.accepts_contact_changes()
    };
    if open {
        Ok(())
    } else {
        Err(Code::ApplicationNotEditable.into())
    }
}
