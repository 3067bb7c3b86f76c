//! What dealers report: lines are taken in together, each decided behind the one before it, and answered as if each had come alone.

mod effects;
mod facts;
mod matching;
mod told;

use super::Context;
use crate::domain::access::PartnerAccess;
use crate::domain::registration::{Line, Outcome, decide};
use crate::error::{Error, Partial, Refusal, Result};
use crate::repository::DbConn;
use crate::repository::registrations::Registration;
use crate::secrets::sha256_hex;

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

/// Takes one line in. What is refused has had its effect, too: a customer who was not found is counted.
pub fn take_in_one(
    conn: &mut DbConn,
    context: &Context,
    partner: &PartnerAccess,
    line: Partial<Line>,
) -> Result<Answered> {
    let answered = take_in(conn, context, partner, &[line])?.pop();
    answered.ok_or_else(|| Error::internal("taking a line in")("nothing came of it"))
}

/// Takes lines in; what each is answered, in their order.
pub fn take_in(
    conn: &mut DbConn,
    context: &Context,
    partner: &PartnerAccess,
    lines: &[Partial<Line>],
) -> Result<Vec<Answered>> {
    let (mut inventories, mut world) = facts::find(conn, context, partner, lines)?;
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
    effects::count_missed(conn, context, partner, world.unmatched - before)?;
    effects::store(conn, context, partner, inventories, &world, &outcomes)?;
    let id = partner.partner_id();
    let answers = outcomes.into_iter().map(|outcome| {
        Ok(match outcome {
            Outcome::Taken(known) => Answered::Taken(effects::row(id, &known)?),
            Outcome::Unchanged(known) => Answered::Unchanged(effects::row(id, &known)?),
            Outcome::Refused(refusal) => Answered::Refused(refusal),
        })
    });
    answers.collect()
}
