//! Whom a customer trusts: from then on, what such a partner reports is the customer's at once. What was offered before stays an offer.

use super::Context;
use crate::domain::access::AccountAccess;
use crate::domain::event::Event;
use crate::domain::partner::PartnerId;
use crate::error::{Code, Result};
use crate::repository::trusted_partners::{self, Trusted};
use crate::repository::{DbConn, accounts, events, sessions};

/// Trusts a partner that may report; one that is trusted already stays so, since the same moment.
pub fn trust(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    partner_id: PartnerId,
) -> Result<Trusted> {
    let account = accounts::lock_active(conn, access)?;
    sessions::confirm(conn, access.actor())?;
    let partner = trusted_partners::find_active(conn, partner_id)?.ok_or(Code::NotFound)?;
    if let Some(since) = trusted_partners::since(conn, &account, partner_id)? {
        return Ok((partner, since));
    }
    let now = context.now;
    trusted_partners::insert(conn, &account, partner_id, now)?.or_contended()?;
    let account_id = account.id;
    let trusted = Event::AccountPartnerTrusted {
        account_id,
        partner_id,
    };
    events::record(conn, &access.stamp(now), &[trusted])?;
    Ok((partner, now))
}

/// Ends the trust in a partner, a suspended one as well; nothing that it has reported is taken back.
pub fn end(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    partner_id: PartnerId,
) -> Result<()> {
    let account = accounts::lock_active(conn, access)?;
    if !trusted_partners::delete(conn, &account, partner_id)? {
        let known = trusted_partners::find_active(conn, partner_id)?;
        return known.map(drop).ok_or_else(|| Code::NotFound.into());
    }
    let account_id = account.id;
    let ended = Event::AccountPartnerTrustEnded {
        account_id,
        partner_id,
    };
    events::record(conn, &access.stamp(context.now), &[ended])
}
