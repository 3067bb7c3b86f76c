//! Looking a member number up, be it an earlier one or one of the old programme.

use crate::domain::member_number::{MemberNumber, number_key};
use crate::error::{Code, Fault, FaultCode, Result};
use crate::repository::accounts::{self, Account};
use crate::repository::memberships::{self, Membership};
use crate::repository::{DbConn, member_numbers};

/// Who is behind a member number.
#[derive(Debug, Clone)]
pub struct Member {
    /// The number that was asked for, as it is kept.
    pub number: String,
    pub account: Account,
    /// The newest membership; none where a legacy account's products were taken over and nobody joined yet.
    pub membership: Option<Membership>,
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
