//! One binary for all tests over HTTP, so that they link once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod accounts;
mod businesses;

mod layers;
mod legacy_migration;
mod models;
mod openapi;
mod points;
mod products;
mod reviews;
mod sessions;
mod support;
