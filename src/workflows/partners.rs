//! Dealers: taken in, changed, suspended, and what they may report. Their systems are in `credentials`.

use super::{Context, registration_batches};
use crate::domain::actor::Stamp;
use crate::domain::event::Event;
use crate::domain::partner::{PartnerId, PartnerStatus};
use crate::domain::quota::Quotas;
use crate::domain::values::{Country, Email};
use crate::error::{Code, Result};
use crate::repository::partners::{self, Partner};
use crate::repository::{DbConn, Held, events, sessions};

/// What a partner may report in a day.
pub fn quotas(conn: &mut DbConn, context: &Context, id: PartnerId) -> Result<Quotas> {
    let partner = partners::find_by_id(conn, id)?.ok_or(Code::NotFound)?;
    Ok(Quotas::of(
        partner.lines_per_day,
        &context.programme.dealers,
    ))
}

/// Who is to be a partner.
#[derive(Debug, Clone)]
pub struct Newcomer {
    pub name: String,
    pub country: Country,
    pub contact_email: Email,
    pub lines_per_day: Option<i64>,
}

/// What of a partner is to change; what is left out stays.
#[derive(Debug, Clone)]
pub struct Change {
    pub name: Option<String>,
    pub country: Option<Country>,
    pub contact_email: Option<Email>,
    /// None within: that of the programme.
    pub lines_per_day: Option<Option<i64>>,
}

/// Takes a dealer in.
pub fn create(conn: &mut DbConn, stamp: &Stamp, new: Newcomer) -> Result<Partner> {
    sessions::confirm(conn, stamp.actor)?;
    let partner = Partner {
        id: PartnerId::new(stamp.now),
        version: 1,
        name: new.name,
        country: new.country,
        contact_email: new.contact_email.to_string(),
        status: PartnerStatus::Active,
        lines_per_day: new.lines_per_day,
        created_at: stamp.now,
    };
    partners::insert(conn, &partner)?;
    let created = Event::PartnerCreated {
        partner_id: partner.id,
        status: partner.status,
    };
    events::record(conn, stamp, &[created])?;
    Ok(partner)
}

/// A partner that staff change, held; refused where the session has ended.
pub fn lock(conn: &mut DbConn, stamp: &Stamp, id: PartnerId) -> Result<Held<Partner>> {
    let partner = partners::lock(conn, id)?.ok_or(Code::NotFound)?;
    sessions::confirm(conn, stamp.actor)?;
    Ok(partner)
}

/// Changes what is known of a dealer.
pub fn change(
    conn: &mut DbConn,
    stamp: &Stamp,
    (id, change): (PartnerId, Change),
    check: impl FnOnce(i64) -> Result<()>,
) -> Result<Partner> {
    let mut partner = lock(conn, stamp, id)?;
    check(partner.version)?;
    partner.name = change.name.unwrap_or(partner.name.clone());
    partner.country = change.country.unwrap_or(partner.country);
    if let Some(email) = change.contact_email {
        partner.contact_email = email.to_string();
    }
    partner.lines_per_day = change.lines_per_day.unwrap_or(partner.lines_per_day);
    partners::store(conn, &mut partner)?;
    let changed = Event::PartnerChanged { partner_id: id };
    events::record(conn, stamp, &[changed])?;
    Ok(partner.into_row())
}

/// Suspends a dealer, or lets it go on, and with it the batches that wait; nothing where it stands so already.
pub fn set_status(
    conn: &mut DbConn,
    context: &Context,
    stamp: &Stamp,
    id: PartnerId,
    status: PartnerStatus,
) -> Result<Partner> {
    let mut partner = lock(conn, stamp, id)?;
    if partner.status == status {
        return Ok(partner.into_row());
    }
    partner.status = status;
    partners::store(conn, &mut partner)?;
    let partner_id = id;
    let happened = match status {
        PartnerStatus::Active => Event::PartnerReopened { partner_id, status },
        PartnerStatus::Suspended => Event::PartnerSuspended { partner_id, status },
    };
    events::record(conn, stamp, &[happened])?;
    if status == PartnerStatus::Active {
        registration_batches::run_next(conn, context, id)?;
    }
    Ok(partner.into_row())
}
