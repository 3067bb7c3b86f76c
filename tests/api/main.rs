//! One binary for all tests over HTTP, so that they link once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod accounts;
mod http;
mod layers;
mod ledger;
mod limits;
mod mail_out;
mod openapi;
mod operation;
mod permissions;
mod process;
mod queue;
mod raw;
mod reviews;
mod schema;
mod secrets;
mod sessions;
mod support;
mod wire;
