//! One binary for all tests over HTTP, so that they link once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod accounts;
mod backup;
mod businesses;
mod contention;
mod database_away;
mod events;
mod faq;
mod files;
mod holder;
mod housekeeping;
mod http;
mod input;
mod invoices;
mod jobs;
mod journey;
mod layers;
mod ledger;
mod legacy_migration;
mod limits;
mod live;
mod mail_out;
mod mail_outage;
mod mail_tls;
mod membership;
mod models;
mod openapi;
mod operation;
mod pairs;
mod permissions;
mod plans;
mod points;
mod power;
mod process;
mod products;
mod programme;
#[path = "../common/proxy.rs"]
mod proxy;
mod queue;
mod races;
mod raw;
mod readme;
mod refusals;
#[path = "../common/relay.rs"]
mod relay;
mod reviews;
mod round_trips;
mod sandbox_clock;
mod schema;
mod sealing;
mod secrets;
mod sessions;
mod smtp;
mod support;
mod users;
mod wire;
