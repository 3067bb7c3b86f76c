//! Tokens, passwords, and the extractors that prove who calls. Who may do what is `domain::permissions`.

pub mod access;
mod authenticator;
mod key_file;
mod memory;
pub mod passwords;
mod token_rate;
pub mod tokens;

pub use access::{Access, Anywhere, OptionalCaller, PartnerOnly, Signed, StaffOnly};
pub use authenticator::{Authenticator, Identity, Origin};
pub use token_rate::TokenRate;
