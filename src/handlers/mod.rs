//! The HTTP interface: one module for each resource. What is routed here is what the contract says.

pub mod accounts;
mod actor;
pub mod answer;
mod contract;
mod documents;
mod events;
pub mod extract;
mod faq;
mod invoices;
mod jobs;
pub mod language;
mod legacy_migration;
mod membership;
mod models;
pub mod operation;
mod points;
pub mod problem;
mod products;
mod programme;
mod reviews;
mod sandbox;
pub mod service;
mod sessions;
mod users;

use std::net::IpAddr;

use actix_web::dev::HttpServiceFactory;
use actix_web::web;
use utoipa_actix_web::OpenApiFactory;
use utoipa_actix_web::service_config::ServiceConfig as DocumentConfig;

pub use contract::document;

/// Names a request in logs and problems; put beside it when it comes in.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// Where a request comes from, as far as trusted proxies tell; put beside it when it comes in.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub IpAddr);

/// A handler with its path, its method and its part of the contract.
pub trait Endpoint: HttpServiceFactory + OpenApiFactory + utoipa::Path + 'static {}

impl<E: HttpServiceFactory + OpenApiFactory + utoipa::Path + 'static> Endpoint for E {}

/// Takes endpoints: to serve, to document or to list them. Who serves them holds no document.
pub trait Routes: Sized {
    /// Takes one endpoint.
    fn service<E: Endpoint>(&mut self, endpoint: E) -> &mut Self;

    /// Takes the endpoints of a module.
    fn configure(&mut self, routes: impl FnOnce(&mut Self)) -> &mut Self {
        routes(self);
        self
    }
}

impl Routes for web::ServiceConfig {
    fn service<E: Endpoint>(&mut self, endpoint: E) -> &mut Self {
        self.service(endpoint)
    }
}

impl Routes for DocumentConfig<'_> {
    fn service<E: Endpoint>(&mut self, endpoint: E) -> &mut Self {
        self.service(endpoint)
    }
}

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
        .configure(membership::routes)
        .configure(programme::routes)
        .configure(reviews::routes)
        .configure(models::routes)
        .configure(legacy_migration::routes)
        .configure(sessions::routes)
        .configure(users::routes)
        .configure(jobs::routes);
    if is_sandbox {
        config.configure(sandbox::routes);
    }
}
