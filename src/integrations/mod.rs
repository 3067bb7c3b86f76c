//! The world outside, one client for each party. No rules, no database.

pub mod cards;
pub mod document_store;
pub mod mail;
pub mod pdf;
