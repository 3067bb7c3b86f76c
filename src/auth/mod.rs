//! Tokens, passwords, and the extractors that prove who calls. Who may do what is `domain::permissions`.

pub mod access;
mod authenticator;
mod key_file;
pub mod passwords;
pub mod tokens;

pub use access::{Access, OptionalCaller, Signed, StaffOnly};
pub use authenticator::{Authenticator, Identity};
