//! The server: the routes, what stands around every request, and the addresses it answers at. No rules.

mod bodies;
mod caching;
mod concurrency;
mod connection;
mod contract;
mod cors;
mod errors;
mod fallback;
mod head;
mod identify;
mod observe;
mod ownership;
mod pages;
mod rate_limits;
mod registering;
mod routing;
mod security_headers;
mod seed;
pub mod start;

use std::net::TcpListener;
use std::sync::Arc;

use actix_web::middleware::from_fn;
use actix_web::web::ServiceConfig;
use actix_web::{App, Resource, guard, web};
use utoipa_swagger_ui::{Config as SwaggerConfig, SwaggerUi};

use crate::auth::Authenticator;
use crate::config::{Config, Mode};
use crate::error::{Code, Error};
use crate::handlers;
use crate::handlers::extract::Limits;
use crate::handlers::operation::Health;
use crate::handlers::service::Service;
use crate::jobs::Worker;

use routing::{Route, RouteTable, Serving, admit, admit_unrouted};

pub use bodies::Bodies;
pub use concurrency::ConcurrencyLimit;
pub use rate_limits::RateLimits;

/// What the middleware around every request works with.
#[derive(Clone)]
pub struct MiddlewareState {
    pub config: Arc<Config>,
    pub public_url: Arc<str>,
    pub authenticator: Authenticator,
    pub concurrency: ConcurrencyLimit,
    pub bodies: Bodies,
    pub rate_limits: Arc<RateLimits>,
    pub health: Health,
    pub limits: Limits,
}

/// Serves the API on `listener` until it is told to stop.
pub fn serve(
    listener: TcpListener,
    service: Service,
    worker: Worker,
    state: MiddlewareState,
    workers: usize,
) -> std::io::Result<actix_web::dev::Server> {
    let is_sandbox = state.config.mode == Mode::Sandbox;
    let table = web::Data::new(RouteTable::new(is_sandbox, beside(is_sandbox)));
    let contract = web::Data::new(contract::Contract::new(&state, &service.clock));
    let limits = state.limits;
    connection::serve(listener, workers, limits, move || {
        App::new()
            .configure(|config| handlers::routes(&mut Serving { config, prefix: "" }))
            .service(web::scope("/v1").configure(|config| {
                let prefix = "/v1";
                handlers::v1_routes(&mut Serving { config, prefix }, is_sandbox);
            }))
            .configure(|config| share(config, &state))
            .app_data(web::Data::new(service.clone()))
            .app_data(web::Data::new(worker.clone()))
            .app_data(handlers::documents::form_config())
            .app_data(contract.clone())
            .app_data(table.clone())
            .app_data(
                web::PathConfig::default().error_handler(|_, _| Error::from(Code::NotFound).into()),
            )
            .configure(|config| documentation(config, is_sandbox))
            .default_service(web::to(fallback::answer).wrap(from_fn(admit_unrouted)))
            .wrap(from_fn(identify::identify))
            .wrap(from_fn(ownership::guard))
            .wrap(from_fn(concurrency::limit))
            .wrap(from_fn(caching::cache))
            .wrap(cors::cors(&state.config))
            .wrap(from_fn(errors::explain))
            .wrap(from_fn(head::as_get))
            .wrap(from_fn(security_headers::protect))
            .wrap(from_fn(observe::observe))
    })
}

/// What extractors and middleware ask for beside the service.
fn share(config: &mut ServiceConfig, state: &MiddlewareState) {
    config
        .app_data(web::Data::new(state.authenticator.clone()))
        .app_data(web::Data::new(state.health.clone()))
        .app_data(web::Data::new(state.limits))
        .app_data(web::Data::new(state.clone()));
}

/// Where the contract is read by machines.
const CONTRACT: &str = "/openapi.json";
/// Where it is read by people.
const DOCS: &str = "/docs";
/// What their pages are made of.
const DOCS_PAGES: &str = "/docs/{_:.*}";
/// Where people come who know nothing but the address.
const START: &str = "/";

/// What is read beside the endpoints.
fn beside(is_sandbox: bool) -> impl Iterator<Item = &'static str> {
    let frontend = is_sandbox.then_some(pages::FRONTEND);
    [CONTRACT, DOCS, DOCS_PAGES, START]
        .into_iter()
        .chain(frontend)
}

/// Something that is read beside the endpoints, counted like every read.
fn read_at(path: &'static str) -> Resource {
    web::resource(path).guard(guard::Get())
}

/// The contract for machines and for people, and in a sandbox the pages that lead to it.
fn documentation(config: &mut ServiceConfig, is_sandbox: bool) {
    let counted = |path| {
        let route = Arc::new(Route::reading(path));
        from_fn(move |request, next| admit(Some(route.clone()), request, next))
    };
    let docs = web::scope(DOCS)
        .guard(guard::Get())
        .wrap(counted(DOCS))
        .service(web::redirect("", "/docs/"))
        .service(web::resource("/swagger-initializer.js").to(pages::initializer))
        .service(swagger());
    config
        .service(read_at(CONTRACT).wrap(counted(CONTRACT)).to(contract::read))
        .service(docs);
    if is_sandbox {
        for path in [START, pages::FRONTEND] {
            config.service(read_at(path).wrap(counted(path)).to(pages::start));
        }
    } else {
        config.service(web::redirect(START, "/docs/"));
    }
}

/// Its files; how it begins is in `pages`.
fn swagger() -> SwaggerUi {
    SwaggerUi::new("/{_:.*}").config(SwaggerConfig::new([CONTRACT]))
}
