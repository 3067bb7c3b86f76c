//! Levels and joining. How a term ends is in `term`. The invoice that follows is in `invoices`, looking a member number up in `members`.

mod term;

use serde_json::json;

use self::term::watch_term;
pub use self::term::{end_term, next_step};
use super::Context;
use super::collection;
use super::mail::{Recipient, send};
use super::purchases;
use super::tasks::{Task, enqueue};
use crate::domain::access::AccountAccess;
use crate::domain::account::AccountId;
use crate::domain::actor::Stamp;
use crate::domain::card::Card;
use crate::domain::event::Event;
use crate::domain::invoice::{self, PaymentMethod};
use crate::domain::mail::Template;
use crate::domain::member_number::MemberNumber;
use crate::domain::membership::{
    CorporateSwitch, JoinFacts, Level, MembershipId, MembershipState, Standing, Track, check_join,
    ends_date, find_level, offered_levels,
};
use crate::domain::purchase::{Bought, PurchaseId};
use crate::error::{Code, Error, Fault, FaultCode, Refusal, Result};
use crate::repository::accounts::{self, Account};
use crate::repository::memberships::{self, Membership};
use crate::repository::{DbConn, Held, cards, events, member_numbers, points, products};
use crate::secrets::random;

/// How far an account has come, and what it may choose from.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Points that count.
    pub points: i64,
    /// Complete products, by which the corporate fee goes.
    pub products: u64,
    /// The levels of the chosen track, by rank, open or not.
    pub levels: Vec<Level>,
}

/// The levels that an account is offered; `corporate_not_available` where its points do not allow that track.
pub fn offer(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    corporate: CorporateSwitch,
) -> Result<Offer> {
    let points = points::find(conn, access)?.counting();
    let all = &context.programme.levels;
    let levels = offered_levels(points, corporate, all).map_err(|code| {
        let opens = all.iter().filter(|level| level.track == Track::Corporate);
        let threshold = opens.map(Level::opens_at).min().unwrap_or_default();
        code.with("points", points).with("threshold", threshold)
    })?;
    Ok(Offer {
        points,
        products: complete_products(conn, access.account_id())?,
        levels: levels.into_iter().cloned().collect(),
    })
}

/// How many complete products an account has.
pub(in crate::workflows) fn complete_products(
    conn: &mut DbConn,
    account_id: AccountId,
) -> Result<u64> {
    let count = products::count_complete(conn, account_id)?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// What somebody chose; its card is known to the payment provider.
#[derive(Debug, Clone)]
pub struct Joining {
    pub level: String,
    pub payment_method: PaymentMethod,
    pub card: Option<Card>,
    pub terms_version: String,
}

/// Makes the account a member at once, before any payment; the points are counted again inside.
pub fn join(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    joining: &Joining,
) -> Result<Membership> {
    let level = find_level(&context.programme.levels, &joining.level)
        .ok_or_else(|| Fault::new("#/level", FaultCode::NotAccepted))?;
    check_card(context, joining)?;
    let mut account = accounts::lock_active(conn, access)?;
    let facts = JoinFacts {
        points: points::lock(conn, &account)?.counting(),
        is_member: memberships::active(conn, account.id)?.is_some(),
        owes: collection::owes(conn, context, account.id)?,
    };
    check_join(level, facts).map_err(|code| explained(code, level, facts))?;
    let stamp = access.stamp(context.now);
    accept_terms(conn, &stamp, &mut account, &joining.terms_version)?;
    let membership = draw_up(conn, context, (account.id, facts.points), level, joining)?;
    begin(conn, context, &stamp, &account, &membership)?;
    Ok(membership)
}

/// A card has to live until the invoice is due that follows at once.
fn check_card(context: &Context, joining: &Joining) -> Result<()> {
    let (today, _) = invoice::issued(context.now, context.programme.seller.zone);
    let due = invoice::due_date(today, context.programme.invoice.due_days);
    match &joining.card {
        Some(card) => Ok(card.check_lives_until(due)?),
        None => Ok(()),
    }
}

fn draw_up(
    conn: &mut DbConn,
    context: &Context,
    (account_id, points): (AccountId, i64),
    level: &Level,
    joining: &Joining,
) -> Result<Membership> {
    let programme = &context.programme;
    let (today, _) = invoice::issued(context.now, programme.seller.zone);
    let card_id = match &joining.card {
        Some(card) => Some(cards::insert(conn, account_id, card, context.now)?.id),
        None => None,
    };
    Ok(Membership {
        id: MembershipId::new(context.now),
        account_id,
        version: 1,
        member_number: new_number(conn, context, account_id)?,
        level: level.code.clone(),
        status: MembershipState::Active,
        starts_date: today,
        ends_date: ends_date(today, programme.membership.term_years),
        payment_method: joining.payment_method,
        card_id,
        fee_cents: level.fee_cents(complete_products(conn, account_id)?),
        currency: programme.seller.currency,
        points_at_joining: points,
        terms_version: joining.terms_version.clone(),
        created_at: context.now,
        ended_at: None,
        seller_key: Some(programme.seller.key()),
        standing: Some(Standing::Current),
        suspended_at: None,
        ended_reason: None,
        cancelled_at: None,
        seller_terms_id: Some(purchases::keep_terms(conn, programme, context.now)?),
    })
}

fn explained(code: Code, level: &Level, facts: JoinFacts) -> Refusal {
    match code {
        Code::LevelNotOpen => code
            .with("level", &level.name)
            .with("points_missing", level.points_missing(facts.points)),
        _ => code.into(),
    }
}

fn accept_terms(
    conn: &mut DbConn,
    stamp: &Stamp,
    account: &mut Held<Account>,
    version: &str,
) -> Result<()> {
    if account.terms_version == version {
        return Ok(());
    }
    account.terms_version = version.to_owned();
    account.terms_accepted_at = stamp.now;
    accounts::store(conn, account, stamp.now)?;
    let accepted = Event::AccountTermsAccepted {
        account_id: account.id,
        terms_version: version.to_owned(),
    };
    events::record(conn, stamp, &[accepted])
}

/// A number that nobody ever had, given to the account.
fn new_number(conn: &mut DbConn, context: &Context, account_id: AccountId) -> Result<String> {
    for _ in 0..20 {
        let number = MemberNumber::from_random(random()?);
        if member_numbers::claim(conn, &number, account_id, context.now)?.is_stored() {
            return Ok(number.to_string());
        }
    }
    Err(Error::internal("drawing a member number")("none is free"))
}

/// Stores a membership whose number is given out already, and has all that follows done: welcome, invoice, the end of its term. What was bought.
pub(in crate::workflows) fn begin(
    conn: &mut DbConn,
    context: &Context,
    stamp: &Stamp,
    account: &Account,
    membership: &Membership,
) -> Result<PurchaseId> {
    memberships::insert(conn, membership)?;
    member_numbers::assign(conn, &membership.member_number, membership.id)?;
    let started = Event::MembershipStarted {
        account_id: account.id,
        membership_id: membership.id,
        level: membership.level.clone(),
        member_number: membership.member_number.clone(),
        starts_date: membership.starts_date,
        ends_date: membership.ends_date,
    };
    events::record(conn, stamp, &[started])?;
    let terms = match membership.seller_terms_id {
        Some(kept) => kept,
        None => purchases::keep_terms(conn, &context.programme, context.now)?,
    };
    let sold = (membership, terms);
    let purchase = purchases::record_join(conn, &context.programme, stamp, sold)?;
    let invoice = Task::IssueInvoice(Bought::Purchase {
        purchase_id: purchase,
    });
    enqueue(conn, &invoice, context.now, context.now)?;
    watch_term(conn, context, membership)?;
    welcome(conn, context, account, membership)?;
    Ok(purchase)
}

fn welcome(
    conn: &mut DbConn,
    context: &Context,
    account: &Account,
    membership: &Membership,
) -> Result<()> {
    let values = json!({
        "member_number": membership.member_number,
        "level": level_name(&context.programme.levels, &membership.level),
        "starts_date": membership.starts_date,
        "ends_date": membership.ends_date,
        "previous_member_numbers": previous_numbers(conn, membership)?,
        "action_url": context.links.page("membership"),
    });
    send(
        conn,
        context,
        &Recipient::contact(account),
        Template::MembershipWelcome,
        values,
    )
}

/// What people call a level; its code where the programme has it no more.
pub fn level_name<'a>(levels: &'a [Level], code: &'a str) -> &'a str {
    find_level(levels, code).map_or(code, |level| level.name.as_str())
}

/// The numbers that lead to a membership beside its own, oldest first.
pub fn previous_numbers(conn: &mut DbConn, membership: &Membership) -> Result<Vec<String>> {
    let mut numbers = member_numbers::of_account(conn, membership.account_id)?;
    numbers.retain(|number| *number != membership.member_number);
    Ok(numbers)
}

/// The membership of an account that runs; `no_membership` where an account that is there has none.
pub fn current(conn: &mut DbConn, access: &AccountAccess) -> Result<Membership> {
    let found = memberships::active(conn, access.account_id())?;
    accounts::exists_unless(conn, access, found.is_some())?;
    found.ok_or_else(|| Code::NoMembership.into())
}
