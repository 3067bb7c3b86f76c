//! The HTTP interface: one module for each resource. What is routed here is what the contract says.

pub mod accounts;
mod actor;
pub mod answer;
mod bank_statements;
mod bank_transactions;
mod billing_profiles;
mod contract;
mod csv_answer;
pub mod documents;
mod endpoint;
mod events;
pub mod extract;
mod faq;
mod invoice_files;
mod invoice_search;
mod invoices;
mod jobs;
mod labels;
pub mod language;
mod legacy_migration;
mod me;
mod membership;
mod models;
pub mod oauth;
mod offers;
pub mod operation;
mod partners;
mod payments;
mod points;
pub mod problem;
mod products;
mod programme;
mod refunds;
mod registration_batches;
mod registrations;
mod reviews;
mod sandbox;
pub mod service;
mod sessions;
mod trusted_partners;
mod users;
mod work_items;

use std::net::IpAddr;

pub use contract::{TOKEN_URL, document, prefilled, schemas};
pub use endpoint::{Callers, Endpoint, RateLimit, Registration, Routes, registrations};

/// Names a request in logs and problems; put beside it when it comes in.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// Where a request comes from, as far as trusted proxies tell; put beside it when it comes in.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub IpAddr);

/// The endpoints outside every version of the API.
pub fn routes(config: &mut impl Routes) {
    config
        .configure(operation::routes)
        .configure(problem::routes);
}

/// The endpoints under `/v1`; the sandbox's own only where it is one.
pub fn v1_routes(config: &mut impl Routes, is_sandbox: bool) {
    // Routes are tried one by one: what is asked for most comes first.
    config
        .configure(points::routes)
        .configure(products::routes)
        .configure(accounts::routes)
        .configure(documents::routes)
        .configure(faq::routes)
        .configure(invoices::routes)
        .configure(billing_profiles::routes)
        .configure(invoice_search::routes)
        .configure(payments::routes)
        .configure(refunds::routes)
        .configure(bank_statements::routes)
        .configure(bank_transactions::routes)
        .configure(invoice_files::routes)
        .configure(membership::routes)
        .configure(programme::routes)
        .configure(reviews::routes)
        .configure(models::routes)
        .configure(registrations::routes)
        .configure(offers::routes)
        .configure(registration_batches::routes)
        .configure(trusted_partners::routes)
        .configure(legacy_migration::routes)
        .configure(sessions::routes)
        .configure(me::routes)
        .configure(users::routes)
        .configure(oauth::routes)
        .configure(partners::routes)
        .configure(jobs::routes)
        .configure(events::routes)
        .configure(work_items::routes)
        .configure(labels::routes);
    if is_sandbox {
        config.configure(sandbox::routes);
    }
}
