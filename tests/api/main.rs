//! One binary for all tests over HTTP, so that they link once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod accounts;
mod layers;
mod ledger;
mod openapi;
mod permissions;
mod raw;
mod reviews;
mod schema;
mod sessions;
mod support;
