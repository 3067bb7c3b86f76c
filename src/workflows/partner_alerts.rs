//! What has staff look at a partner: it stands out by what customers say of what it reports, or by whom it looks for.

use chrono::TimeDelta;
use serde_json::json;

use super::Context;
use super::work_items::{self, matter};
use crate::domain::access::PartnerAccess;
use crate::domain::actor::Stamp;
use crate::domain::event::Event;
use crate::domain::partner::{AlertCause, PartnerId};
use crate::domain::quota::Used;
use crate::domain::work_item::WorkItemKind;
use crate::error::Result;
use crate::repository::work_items::WorkItem;
use crate::repository::{DbConn, events, offers};
use crate::types::Json;

/// Days in which refusals as not theirs are counted.
const REFUSALS_COUNTED: TimeDelta = TimeDelta::days(30);

/// Looks after a partner of which a customer has just said that something is not theirs.
pub fn watch_refusals(
    conn: &mut DbConn,
    context: &Context,
    stamp: &Stamp,
    partner: PartnerId,
) -> Result<()> {
    let since = stamp.now.plus(-REFUSALS_COUNTED);
    let refused = offers::count_not_mine(conn, partner, since)?;
    if refused < context.programme.dealers.alert_not_mine {
        return Ok(());
    }
    raise(
        conn,
        context,
        stamp,
        partner,
        (AlertCause::NotMine, refused),
    )
}

/// Looks after a partner that has used more of its day: customers who were not found, or whom dry runs found, who are told nothing.
pub fn watch_customers(
    conn: &mut DbConn,
    context: &Context,
    partner: &PartnerAccess,
    (more, used): (&Used, &Used),
) -> Result<()> {
    let rules = &context.programme.dealers;
    let stamp = partner.stamp(context.now);
    for (more, used, limit, cause) in [
        (
            more.unmatched,
            used.unmatched,
            rules.alert_unmatched,
            AlertCause::Unmatched,
        ),
        (
            more.silent_matches,
            used.silent_matches,
            rules.alert_silent_matches,
            AlertCause::SilentMatches,
        ),
    ] {
        if more > 0 && used >= limit {
            raise(conn, context, &stamp, partner.partner_id(), (cause, used))?;
        }
    }
    Ok(())
}

/// Tells staff of a partner that stands out by `count` of something; nothing where they look at it already.
pub fn raise(
    conn: &mut DbConn,
    context: &Context,
    stamp: &Stamp,
    partner_id: PartnerId,
    (cause, count): (AlertCause, i64),
) -> Result<()> {
    let kind = WorkItemKind::PartnerAlert;
    let item = WorkItem {
        partner_id: Some(partner_id),
        details: Some(Json(json!({ "cause": cause, "count": count }))),
        ..matter(context, kind, partner_id)
    };
    let mut told = work_items::open(conn, &[item])?;
    if !told.is_empty() {
        told.push(Event::PartnerAlert {
            partner_id,
            cause,
            count,
        });
    }
    events::record(conn, stamp, &told)
}
