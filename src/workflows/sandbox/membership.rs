//! The membership that every sandbox begins with, and its invoice.

use super::{account_id, fixed, seeding};
use crate::domain::account::AccountId;
use crate::domain::invoice::{self, InvoiceId, PaymentMethod};
use crate::domain::member_number::MemberNumber;
use crate::domain::membership::{MembershipId, MembershipStatus, Standing, ends_date, find_level};
use crate::error::{Error, Result};
use crate::repository::memberships::Membership;
use crate::repository::{DbConn, accounts, member_numbers, points};
use crate::workflows::{Context, invoices, membership, purchases};

/// The number of the seeded member, account, membership and invoice alike.
const MEMBER: u8 = 2;

/// Makes the second seeded account a member at gold, paying by bank transfer, with its invoice issued.
pub fn seed(conn: &mut DbConn, context: &Context) -> Result<()> {
    let programme = &context.programme;
    let Some(level) = find_level(&programme.levels, "gold") else {
        return Ok(());
    };
    let n = u128::from(MEMBER);
    let access = seeding().on(account_id(n));
    let account = accounts::lock(conn, &access)?;
    let number = claim_number(conn, context, account.id)?;
    let (today, _) = invoice::issued(context.now, programme.seller.zone);
    let membership = Membership {
        id: MembershipId::from(fixed(n)),
        account_id: account.id,
        version: 1,
        member_number: number.to_string(),
        level: level.code.clone(),
        status: MembershipStatus::Active,
        starts_date: today,
        ends_date: ends_date(today, programme.membership.term_years),
        payment_method: PaymentMethod::BankTransfer,
        card_id: None,
        fee_cents: level.fee_cents(0),
        currency: programme.seller.currency,
        points_at_joining: points::find(conn, &access)?.counting(),
        terms_version: programme.terms_version.clone(),
        created_at: context.now,
        ended_at: None,
        seller_key: Some(programme.seller.key()),
        standing: Some(Standing::Current),
        suspended_at: None,
        ended_reason: None,
        cancelled_at: None,
        seller_terms_id: Some(purchases::keep_terms(conn, programme, context.now)?),
    };
    let stamp = access.stamp(context.now);
    let purchase = membership::begin(conn, context, &stamp, &account, &membership)?;
    let invoice = InvoiceId::from(fixed(n));
    invoices::issue_as(conn, context, seeding(), purchase, invoice)
}

/// The number that the seeded member has in every sandbox.
fn claim_number(conn: &mut DbConn, context: &Context, account: AccountId) -> Result<MemberNumber> {
    let number = MemberNumber::from_random([0, 0, 0, 0, 0, 0, 0, MEMBER]);
    match member_numbers::claim(conn, &number, account, context.now)?.is_stored() {
        true => Ok(number),
        false => Err(Error::internal("seeding a membership")(
            "its member number is taken",
        )),
    }
}
