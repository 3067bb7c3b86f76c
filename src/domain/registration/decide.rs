//! What a line comes to: facts in, decision out. What each verb does stands in `register` and `change`.

use super::outcome::{Decision, Outcome, Step};
use super::world::World;
use super::{Line, Verb, change, register};
use crate::error::{Partial, Refusal};

/// What a line comes to, whose identity is the hash of its normal form. The world changes with it, so that the next line sees it.
pub fn decide(world: &mut World, line: &Partial<Line>, identity: &str) -> Decision {
    let mut steps = Vec::new();
    let outcome = match line.read.verb {
        Some(Verb::Register) => register::register(world, line, identity, &mut steps),
        Some(Verb::Return) => change::take_back(world, line, identity, &mut steps),
        Some(Verb::Correct) => change::correct(world, line, identity, &mut steps),
        None => Err(line.faults.clone().into()),
    };
    let outcome = outcome.unwrap_or_else(Outcome::Refused);
    Decision { outcome, steps }
}

/// What deciding a line comes to, while it is decided.
pub(super) type Decided = Result<Outcome, Refusal>;
/// What is to be done for it.
pub(super) type Steps = Vec<Step>;
