//! One binary for all tests over HTTP, so that they link once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod accounts;
mod http;
mod layers;
mod ledger;
mod limits;
mod openapi;
mod operation;
mod permissions;
mod process;
mod raw;
mod reviews;
mod schema;
mod sessions;
mod support;
mod wire;
