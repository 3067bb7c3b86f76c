//! What dealers report: lines are taken in together, each decided behind the one before it, and answered as if each had come alone.

mod effects;
mod facts;
mod matching;
mod told;

use super::{Context, partners};
use crate::domain::access::PartnerAccess;
use crate::domain::partner::PartnerId;
use crate::domain::quota::Used;
use crate::domain::registration::{Line, Outcome, decide};
use crate::domain::registration_batch::BatchId;
use crate::error::{Code, Error, Partial, Refusal, Result};
use crate::repository::registrations::Registration;
use crate::repository::{DbConn, partner_days};
use crate::secrets::sha256_hex;

pub use effects::count;
pub use told::tell_customer;

/// What a line is answered.
#[derive(Debug, Clone)]
pub enum Answered {
    /// It was taken in; its registration.
    Taken(Registration),
    /// Nothing changed; what stands.
    Unchanged(Registration),
    Refused(Refusal),
}

/// What a line would come to.
#[derive(Debug, Clone)]
pub struct Rehearsed {
    pub answered: Answered,
    /// Its customer was looked for and not found.
    pub is_missed: bool,
    /// Its customer was found.
    pub is_matched: bool,
}

/// Takes one line in: 429 where it is one too many for the day. What is refused has had its effect, too: a customer who was not found is counted.
pub fn take_in_one(
    conn: &mut DbConn,
    context: &Context,
    partner: &PartnerAccess,
    line: Partial<Line>,
) -> Result<Answered> {
    let quotas = partners::quotas(conn, context, partner.partner_id())?;
    let day = context.now.utc().date_naive();
    let mut used = partner_days::find(conn, partner.partner_id(), day)?;
    used.lines += 1;
    // Where the day is used up nobody is looked for: a refusal that is taken back would be no miss.
    quotas.check(&used, context.now)?;
    let (mut answered, used) = take_in_counted(conn, context, partner, None, &[line])?;
    quotas.check(&used, context.now)?;
    let answered = answered.pop();
    answered.ok_or_else(|| Error::internal("taking a line in")("nothing came of it"))
}

/// Takes lines of a batch in, which were counted when it came; what each is answered, in their order.
pub fn take_in(
    conn: &mut DbConn,
    context: &Context,
    partner: &PartnerAccess,
    batch: BatchId,
    lines: &[Partial<Line>],
) -> Result<Vec<Answered>> {
    let taken = take_in_counted(conn, context, partner, Some(batch), lines);
    taken.map(|(answers, _)| answers)
}

/// What lines would come to, and how many of their customers were found and were not: nothing is written.
pub fn rehearse(
    conn: &mut DbConn,
    context: &Context,
    partner: &PartnerAccess,
    lines: &[Partial<Line>],
) -> Result<Vec<Rehearsed>> {
    let mut world = facts::look(conn, context, partner, lines)?;
    let rehearsed = lines.iter().map(|line| {
        let before = world.unmatched;
        let identity = sha256_hex(line.read.normal_form().as_bytes());
        let outcome = decide(&mut world, line, &identity).outcome;
        Ok(Rehearsed {
            is_missed: world.unmatched > before,
            is_matched: tells_of_customer(&outcome) && world.knows_customer(line),
            answered: answered(partner.partner_id(), outcome)?,
        })
    });
    rehearsed.collect()
}

/// Whether an answer tells that the customer was found: what is wrong with a line comes before that.
fn tells_of_customer(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Taken(_) | Outcome::Unchanged(_) => true,
        Outcome::Refused(refusal) => {
            ![Code::InvalidRequest, Code::QuotaExceeded].contains(&refusal.code)
        }
    }
}

fn take_in_counted(
    conn: &mut DbConn,
    context: &Context,
    partner: &PartnerAccess,
    batch: Option<BatchId>,
    lines: &[Partial<Line>],
) -> Result<(Vec<Answered>, Used)> {
    let (mut inventories, mut world) = facts::find(conn, context, partner, lines)?;
    world.batch = batch;
    let before = world.unmatched;
    let mut outcomes = Vec::with_capacity(lines.len());
    let mut steps = Vec::new();
    for line in lines {
        let identity = sha256_hex(line.read.normal_form().as_bytes());
        let decision = decide(&mut world, line, &identity);
        steps.extend(decision.steps);
        outcomes.push(decision.outcome);
    }
    for step in steps {
        inventories.follow(conn, partner.partner_id(), step)?;
    }
    effects::store(conn, context, partner, inventories, &world, &outcomes)?;
    let more = Used {
        lines: match batch {
            Some(_) => 0,
            None => 1,
        },
        unmatched: world.unmatched - before,
        ..Used::default()
    };
    let used = effects::count(conn, context, partner, &more)?;
    let id = partner.partner_id();
    let answers = outcomes.into_iter().map(|outcome| answered(id, outcome));
    Ok((answers.collect::<Result<_>>()?, used))
}

fn answered(partner: PartnerId, outcome: Outcome) -> Result<Answered> {
    Ok(match outcome {
        Outcome::Taken(known) => Answered::Taken(effects::row(partner, &known)?),
        Outcome::Unchanged(known) => Answered::Unchanged(effects::row(partner, &known)?),
        Outcome::Refused(refusal) => Answered::Refused(refusal),
    })
}
