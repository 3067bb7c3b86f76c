//! Where an account is when two operations meet on it: what can be done there, and which rows they meet at.

use super::operations::Operation;
use super::operations::application::{
    CHANGE_EMAIL, REMOVE_DOCUMENT, SEND_LINK, SUBMIT, UPDATE, UPLOAD, WITHDRAW,
};
use super::operations::holdings::{
    ADJUST, CHANGE_PRODUCT, END_PRODUCT, IMPORT_PRODUCTS, JOIN, REGISTER_PRODUCT,
};
use super::operations::legacy::{ATTACH, MIGRATE, PROVE, SEND_CODE};
use super::operations::passwords::{
    INVITE, REMOVE_USER, REQUEST_RESET, SEND_FIRST_LINK, SET_PASSWORD,
};
use super::operations::review::{
    APPROVE, ASK_FOR_REVISION, CLAIM, LIFT_SUSPENSION, REJECT, REQUEST_INFORMATION, SUSPEND,
};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stage {
    #[default]
    Draft,
    Submitted,
    /// Claimed, and its document accepted.
    Review,
    /// Sent back with a question.
    Asked,
    /// Waits for its first password.
    Approved,
    /// The same, locked.
    Suspended,
    /// In use, with a product and a second user who has no password yet.
    Active,
    /// In use, with a link for a new password.
    Forgotten,
    /// In use, with the code of its old address.
    Coded,
    /// In use, with its old address proven.
    Proven,
}
use Stage::*;

/// What is held until both wait.
#[derive(Debug, Clone, Copy)]
pub enum Hold {
    Account,
    /// The one of `Subject::user_email`.
    User,
}

impl Stage {
    pub const APPLYING: [Self; 4] = [Draft, Submitted, Review, Asked];
    pub const STARTING: [Self; 3] = [Approved, Suspended, Forgotten];
    pub const USING: [Self; 3] = [Active, Coded, Proven];

    /// What can be done there.
    pub fn operations(self) -> Vec<&'static Operation> {
        match self {
            Draft | Asked => vec![
                &UPDATE,
                &CHANGE_EMAIL,
                &UPLOAD,
                &REMOVE_DOCUMENT,
                &SUBMIT,
                &WITHDRAW,
                &SEND_LINK,
                &REQUEST_RESET,
            ],
            Submitted => vec![&CLAIM, &WITHDRAW, &CHANGE_EMAIL, &SEND_LINK, &REQUEST_RESET],
            Review => vec![
                &CLAIM,
                &APPROVE,
                &REJECT,
                &REQUEST_INFORMATION,
                &ASK_FOR_REVISION,
                &WITHDRAW,
                &CHANGE_EMAIL,
                &SEND_LINK,
                &REQUEST_RESET,
            ],
            Approved => vec![
                &SET_PASSWORD,
                &REQUEST_RESET,
                &SEND_FIRST_LINK,
                &CHANGE_EMAIL,
                &SUSPEND,
            ],
            Suspended => vec![
                &LIFT_SUSPENSION,
                &SET_PASSWORD,
                &REQUEST_RESET,
                &CHANGE_EMAIL,
            ],
            Forgotten => vec![
                &SET_PASSWORD,
                &REQUEST_RESET,
                &CHANGE_EMAIL,
                &SUSPEND,
                &INVITE,
            ],
            Active => vec![
                &UPDATE,
                &CHANGE_EMAIL,
                &REGISTER_PRODUCT,
                &IMPORT_PRODUCTS,
                &CHANGE_PRODUCT,
                &END_PRODUCT,
                &ADJUST,
                &INVITE,
                &REMOVE_USER,
                &SET_PASSWORD,
                &REQUEST_RESET,
                &JOIN,
                &SUSPEND,
            ],
            Coded => vec![&SEND_CODE, &PROVE, &ATTACH, &SUSPEND],
            Proven => vec![&MIGRATE, &ATTACH, &REGISTER_PRODUCT, &ADJUST, &SUSPEND],
        }
    }

    /// Both where a user's row is written behind the account's.
    pub fn holds(self) -> &'static [Hold] {
        match self {
            Approved | Suspended | Forgotten | Active => &[Hold::Account, Hold::User],
            Draft | Submitted | Review | Asked | Coded | Proven => &[Hold::Account],
        }
    }

    /// Whether staff change the contact's address there, and not the caller who owns the account.
    pub fn is_mended_by_staff(self) -> bool {
        matches!(self, Submitted | Review | Approved | Suspended)
    }
}

/// The pairs that run always, each in both orders: those that write the same row, and some that do not.
pub fn sample(stage: Stage) -> Vec<(&'static Operation, &'static Operation)> {
    match stage {
        Draft => vec![
            (&SEND_LINK, &UPDATE),
            (&SEND_LINK, &SUBMIT),
            (&SEND_LINK, &CHANGE_EMAIL),
            (&REQUEST_RESET, &CHANGE_EMAIL),
            (&UPDATE, &UPLOAD),
            (&SUBMIT, &REMOVE_DOCUMENT),
            (&SUBMIT, &WITHDRAW),
            (&CHANGE_EMAIL, &WITHDRAW),
        ],
        Submitted => vec![
            (&CLAIM, &WITHDRAW),
            (&CLAIM, &CHANGE_EMAIL),
            (&SEND_LINK, &CHANGE_EMAIL),
        ],
        Review => vec![
            (&SEND_LINK, &APPROVE),
            (&SEND_LINK, &REJECT),
            (&APPROVE, &WITHDRAW),
            (&APPROVE, &ASK_FOR_REVISION),
            (&APPROVE, &REQUEST_INFORMATION),
            (&APPROVE, &CHANGE_EMAIL),
            (&REQUEST_INFORMATION, &CHANGE_EMAIL),
            (&REJECT, &WITHDRAW),
            (&REQUEST_RESET, &APPROVE),
            (&CLAIM, &REJECT),
        ],
        Asked => vec![(&SUBMIT, &REMOVE_DOCUMENT), (&SEND_LINK, &CHANGE_EMAIL)],
        Approved => vec![
            (&SET_PASSWORD, &REQUEST_RESET),
            (&SET_PASSWORD, &SEND_FIRST_LINK),
            (&SET_PASSWORD, &CHANGE_EMAIL),
            (&SET_PASSWORD, &SUSPEND),
            (&REQUEST_RESET, &CHANGE_EMAIL),
            (&SEND_FIRST_LINK, &CHANGE_EMAIL),
        ],
        Suspended => vec![
            (&LIFT_SUSPENSION, &SET_PASSWORD),
            (&SET_PASSWORD, &REQUEST_RESET),
            (&SET_PASSWORD, &CHANGE_EMAIL),
            (&LIFT_SUSPENSION, &CHANGE_EMAIL),
            (&REQUEST_RESET, &CHANGE_EMAIL),
        ],
        Forgotten => vec![
            (&SET_PASSWORD, &SET_PASSWORD),
            (&SET_PASSWORD, &REQUEST_RESET),
            (&SET_PASSWORD, &SUSPEND),
        ],
        Active => vec![
            (&UPDATE, &SUSPEND),
            (&REGISTER_PRODUCT, &JOIN),
            (&END_PRODUCT, &CHANGE_PRODUCT),
            (&ADJUST, &JOIN),
            (&INVITE, &SUSPEND),
            (&IMPORT_PRODUCTS, &REGISTER_PRODUCT),
            (&REMOVE_USER, &SET_PASSWORD),
            (&REMOVE_USER, &REQUEST_RESET),
        ],
        Coded => vec![
            (&SEND_CODE, &PROVE),
            (&SEND_CODE, &SEND_CODE),
            (&PROVE, &ATTACH),
        ],
        Proven => vec![
            (&MIGRATE, &ATTACH),
            (&MIGRATE, &MIGRATE),
            (&MIGRATE, &REGISTER_PRODUCT),
            (&MIGRATE, &ADJUST),
        ],
    }
}
