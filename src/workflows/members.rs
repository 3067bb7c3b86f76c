//! Looking a member number up, be it an earlier one or one of the old programme.

use super::{Context, partner_alerts};
use crate::domain::access::PartnerAccess;
use crate::domain::member_number::{MemberNumber, number_key};
use crate::domain::quota::Used;
use crate::error::{Code, Fault, FaultCode, Result};
use crate::repository::accounts::{self, Account};
use crate::repository::memberships::{self, Membership};
use crate::repository::{DbConn, member_numbers, partner_days};
use crate::workflows::partners;

/// Who is behind a member number.
#[derive(Debug, Clone)]
pub struct Member {
    /// The number that was asked for, as it is kept.
    pub number: String,
    pub account: Account,
    /// The newest membership; none where a legacy account's products were taken over and nobody joined yet.
    pub membership: Option<Membership>,
}

impl Member {
    /// Whether the account has a membership that runs and gives its benefits.
    pub fn is_valid(&self) -> bool {
        let newest = self.membership.as_ref();
        newest.is_some_and(Membership::has_benefits)
    }
}

/// The member behind a number as somebody typed it, be it an earlier one or one of the old programme. A mistyped one is a fault,
/// one that nobody has is `not_found`.
pub fn look_up(conn: &mut DbConn, typed: &str) -> Result<Member> {
    let given_out = match number_key(typed) {
        Some(key) => member_numbers::resolve(conn, &key)?,
        None => None,
    };
    let Some((number, account_id)) = given_out else {
        return Err(match MemberNumber::parse(typed) {
            Ok(_) => Code::NotFound.into(),
            Err(_) => Fault::new("#/path/member_number", FaultCode::MemberNumberInvalid).into(),
        });
    };
    let account_id = account_id.ok_or(Code::NotFound)?;
    let account = accounts::find_by_id(conn, account_id)?.ok_or(Code::NotFound)?;
    Ok(Member {
        membership: memberships::newest(conn, account.id)?,
        number,
        account,
    })
}

/// Whether a number has benefits now, for a partner: one that is mistyped, or that nobody has, has none. Where it has none, a customer was not
/// found; once too many were not found in a day, none is looked for. Either answer takes the same statements.
pub fn is_valid(
    conn: &mut DbConn,
    context: &Context,
    partner: &PartnerAccess,
    typed: &str,
) -> Result<bool> {
    let (id, day) = (partner.partner_id(), context.now.utc().date_naive());
    let quotas = partners::quotas(conn, context, id)?;
    let used = partner_days::find(conn, id, day)?;
    quotas.check_unmatched(&used, context.now)?;
    let key = number_key(typed).unwrap_or_default();
    let is_valid = memberships::runs_for(conn, &key)?;
    let more = Used {
        unmatched: i64::from(!is_valid),
        ..Used::default()
    };
    let used = partner_days::add(conn, id, day, &more)?;
    partner_alerts::watch_customers(conn, context, partner, (&more, &used))?;
    Ok(is_valid)
}
