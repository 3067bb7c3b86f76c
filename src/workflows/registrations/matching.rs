//! Whom lines name: the customers that a dealer reaches, and no other. A partner gets access to an account here alone.
#![expect(
    clippy::disallowed_methods,
    reason = "a partner reaches exactly the account that its line names, or named when it was taken in"
)]

use std::collections::{BTreeSet, HashMap};

use crate::domain::access::{AccountAccess, PartnerAccess};
use crate::domain::account::AccountId;
use crate::domain::registration::{CustomerName, Line};
use crate::domain::values::Country;
use crate::error::{Partial, Result};
use crate::repository::registrations::Registration;
use crate::repository::{DbConn, customers};

/// The customers of lines.
pub struct Matched {
    pub customers: HashMap<CustomerName, AccountId>,
    /// To them, and to those of earlier lines that these ones name.
    pub accesses: Vec<AccountAccess>,
}

/// Looks up the customers of all lines that have no fault: one statement for each way to name one.
pub fn find(
    conn: &mut DbConn,
    partner: &PartnerAccess,
    lines: &[Partial<Line>],
    named: &[Registration],
) -> Result<Matched> {
    let whole = lines.iter().filter(|line| line.faults.is_empty());
    let names: BTreeSet<&CustomerName> = whole
        .filter_map(|line| line.read.customer.as_ref())
        .collect();
    let mut customers = HashMap::new();
    by_member_number(conn, &names, &mut customers)?;
    by_account_number(conn, &names, &mut customers)?;
    by_vat_number(conn, &names, &mut customers)?;
    let accounts = customers.values().copied();
    let accounts: BTreeSet<AccountId> = accounts
        .chain(named.iter().map(|line| line.account_id))
        .collect();
    // Where nobody was found, what follows is asked of nobody: it is the same statements, and takes as long.
    let accesses = AccountId::asked(accounts.into_iter().collect()).into_iter();
    let accesses = accesses.map(|account| AccountAccess::of_match(partner, account));
    Ok(Matched {
        customers,
        accesses: accesses.collect(),
    })
}

type Found = HashMap<CustomerName, AccountId>;

fn by_member_number(
    conn: &mut DbConn,
    names: &BTreeSet<&CustomerName>,
    found: &mut Found,
) -> Result<()> {
    let keys: Vec<&str> = names
        .iter()
        .filter_map(|name| match name {
            CustomerName::MemberNumber(key) => Some(key.as_str()),
            _ => None,
        })
        .collect();
    let rows = customers::of_member_numbers(conn, &keys)?.into_iter();
    found.extend(rows.map(|(key, account)| (CustomerName::MemberNumber(key), account)));
    Ok(())
}

fn by_account_number(
    conn: &mut DbConn,
    names: &BTreeSet<&CustomerName>,
    found: &mut Found,
) -> Result<()> {
    let numbers: Vec<&str> = names
        .iter()
        .filter_map(|name| match name {
            CustomerName::AccountNumber(number) => Some(number.as_str()),
            _ => None,
        })
        .collect();
    let rows = customers::of_account_numbers(conn, &numbers)?.into_iter();
    found.extend(rows.map(|(number, account)| (CustomerName::AccountNumber(number), account)));
    Ok(())
}

/// Two businesses that match are none.
fn by_vat_number(
    conn: &mut DbConn,
    names: &BTreeSet<&CustomerName>,
    found: &mut Found,
) -> Result<()> {
    let named = names.iter().filter_map(|name| match name {
        CustomerName::Vat {
            country, number, ..
        } => Some((*country, number.as_str())),
        _ => None,
    });
    let (countries, numbers): (Vec<Country>, Vec<&str>) = named.unzip();
    let rows = customers::of_vat_numbers(conn, &countries, &numbers)?;
    for name in names {
        let CustomerName::Vat {
            country,
            number,
            email_key,
        } = name
        else {
            continue;
        };
        let matching = rows.iter().filter(|row| {
            let has_email =
                row.contact_email_key == *email_key || row.email_key.as_ref() == Some(email_key);
            row.country == *country && row.vat_number.as_ref() == Some(number) && has_email
        });
        let accounts: BTreeSet<AccountId> = matching.map(|row| row.account_id).collect();
        if let (Some(account), 1) = (accounts.first(), accounts.len()) {
            found.insert((*name).clone(), *account);
        }
    }
    Ok(())
}
