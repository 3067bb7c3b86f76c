//! Who may call an operation, in words and for programs. Which permission an operation asks for stands where it is registered.

use serde_json::{Value, json};

use super::Object;
use crate::domain::partner::Scope;
use crate::domain::permissions::{Action, Role};
use crate::handlers::Callers;

/// The word for who sends no token.
const ANYBODY: &str = "anybody";
/// The word for a partner's system.
const PARTNER: &str = "partner";

/// Adds the line of the description and `x-callers`.
pub fn tell(operation: &mut Object, callers: Callers) {
    if let Some(Value::String(description)) = operation.get_mut("description") {
        description.push_str(&format!("\n\nCallers: {}.", line(callers)));
    }
    operation.insert("x-callers".to_owned(), json!(words(callers)));
}

fn line(callers: Callers) -> String {
    match callers {
        Callers::Anybody => ANYBODY.to_owned(),
        Callers::AnybodyOrTokenHolder => format!("{ANYBODY}; a token that is sent must hold"),
        Callers::TokenHolder => "whoever has a token".to_owned(),
        Callers::User => "whoever is signed in".to_owned(),
        Callers::Account(action) => grouped(action, None),
        Callers::Staff(action) => listed(action.roles().1),
        Callers::Anywhere(action) => grouped(action, action.scope()),
    }
}

/// Who may do it on what is their own, with which scope, and who on all of it.
fn grouped(action: Action, scope: Option<Scope>) -> String {
    let (own, all) = action.roles();
    let own = Some(listed(own)).filter(|own| !own.is_empty());
    let own = own.map(|own| format!("{own} (own account)"));
    let scope = scope.map(|scope| format!("{PARTNER} with scope `{scope}` (what is its own)"));
    let all = Some(listed(all)).filter(|all| !all.is_empty());
    let groups: Vec<String> = own.into_iter().chain(scope).chain(all).collect();
    groups.join("; ")
}

fn listed(roles: &[Role]) -> String {
    let words: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    words.join(", ")
}

fn words(callers: Callers) -> Vec<&'static str> {
    let roles: Vec<Role> = match callers {
        Callers::Anybody | Callers::AnybodyOrTokenHolder => return vec![ANYBODY],
        Callers::TokenHolder => Role::ALL.to_vec(),
        Callers::Anywhere(action) => [action.roles().0, action.roles().1].concat(),
        Callers::User => {
            let roles = Role::ALL.iter().copied();
            roles.filter(|role| *role != Role::Applicant).collect()
        }
        Callers::Account(action) => [action.roles().0, action.roles().1].concat(),
        Callers::Staff(action) => action.roles().1.to_vec(),
    };
    let partner = callers.scopes().map(|_| PARTNER);
    let roles = roles.into_iter().map(Role::as_str);
    roles.chain(partner).collect()
}
