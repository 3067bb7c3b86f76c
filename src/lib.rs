//! A professional membership programme as a JSON REST service: from registering a business to its membership.

pub mod domain;
pub mod error;
pub mod repository;
pub mod types;
