//! A professional membership programme as a JSON REST service: from registering a business to its membership.

pub mod auth;
pub mod clock;
pub mod config;
pub mod domain;
pub mod error;
pub mod handlers;
pub mod integrations;
pub mod jobs;
pub mod private;
pub mod programme;
pub mod repository;
pub mod secrets;
pub mod server;
pub mod texts;
pub mod types;
pub mod workflows;
