//! One binary for all tests over HTTP, so that they link once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod accounts;
mod faq;
mod invoices;
mod layers;
mod membership;
mod openapi;
mod programme;
mod reviews;
mod sessions;
mod support;
