//! The server: the routes, what stands around every request, and the addresses it answers at. No rules.

mod caching;
mod contract;
mod cors;
mod errors;
mod fallback;
mod gate;
mod head;
mod identify;
mod observe;
mod ownership;
mod paths;
mod rate_limits;
mod security_headers;
mod seed;
pub mod start;

use std::net::TcpListener;
use std::sync::Arc;

use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use utoipa_swagger_ui::{Config as SwaggerConfig, SwaggerUi};

use crate::auth::Authenticator;
use crate::config::{Config, Mode};
use crate::error::{Code, Error};
use crate::handlers;
use crate::handlers::extract::Limits;
use crate::handlers::operation::Health;
use crate::handlers::service::Service;
use crate::jobs::Worker;

pub use gate::Gate;
pub use rate_limits::RateLimits;

/// What the middleware around every request works with.
#[derive(Clone)]
pub struct Surroundings {
    pub config: Arc<Config>,
    pub public_url: Arc<str>,
    pub authenticator: Authenticator,
    pub gate: Gate,
    pub rate_limits: Arc<RateLimits>,
    pub health: Health,
    pub limits: Limits,
}

/// Serves the API on `listener` until it is told to stop.
pub fn serve(
    listener: TcpListener,
    service: Service,
    worker: Worker,
    around: Surroundings,
    workers: usize,
) -> std::io::Result<actix_web::dev::Server> {
    let is_sandbox = around.config.mode == Mode::Sandbox;
    let paths = web::Data::new(paths::Paths::served(is_sandbox));
    let contract = web::Data::new(contract::Contract::new(is_sandbox));
    let head_time = around.limits.head_time;
    let server = HttpServer::new(move || {
        let v1 = |config: &mut web::ServiceConfig| handlers::v1_routes(config, is_sandbox);
        App::new()
            .configure(handlers::routes)
            .service(web::scope("/v1").configure(v1))
            .app_data(web::Data::new(service.clone()))
            .app_data(web::Data::new(worker.clone()))
            .app_data(web::Data::new(around.authenticator.clone()))
            .app_data(web::Data::new(around.health.clone()))
            .app_data(web::Data::new(around.clone()))
            .app_data(web::Data::new(around.limits))
            .app_data(contract.clone())
            .app_data(paths.clone())
            .app_data(
                web::PathConfig::default().error_handler(|_, _| Error::from(Code::NotFound).into()),
            )
            .route("/openapi.json", web::get().to(contract::read))
            .service(web::redirect("/docs", "/docs/"))
            .service(swagger())
            .default_service(web::to(fallback::answer))
            .wrap(from_fn(fallback::refuse_nul))
            .wrap(from_fn(identify::identify))
            .wrap(from_fn(rate_limits::limit))
            .wrap(from_fn(gate::enter))
            .wrap(from_fn(caching::cache))
            .wrap(cors::cors(&around.config))
            .wrap(from_fn(errors::explain))
            .wrap(from_fn(head::as_get))
            .wrap(from_fn(security_headers::protect))
            .wrap(from_fn(observe::observe))
    });
    Ok(server
        .workers(workers)
        .client_request_timeout(head_time)
        .shutdown_timeout(20)
        .disable_signals()
        .listen(listener)?
        .run())
}

fn swagger() -> SwaggerUi {
    SwaggerUi::new("/docs/{_:.*}").config(
        SwaggerConfig::new(["/openapi.json"])
            .try_it_out_enabled(true)
            .persist_authorization(true)
            .display_request_duration(true),
    )
}
