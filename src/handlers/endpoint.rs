//! How an endpoint is registered: its handler with who may call it and how often. Serving and enforcing are the server's.

use actix_web::dev::HttpServiceFactory;
use actix_web::http::Method;
use utoipa::openapi::path::HttpMethod;
use utoipa_actix_web::OpenApiFactory;
use utoipa_actix_web::service_config::ServiceConfig as DocumentConfig;

use crate::domain::partner::Scope;
use crate::domain::permissions::{Action, Permission};

/// A handler with its path, its method and its part of the contract.
pub trait Endpoint: HttpServiceFactory + OpenApiFactory + utoipa::Path + 'static {}

impl<E: HttpServiceFactory + OpenApiFactory + utoipa::Path + 'static> Endpoint for E {}

/// Who may call an operation. Its extractors enforce it; `tests/permissions.csv` is compared with both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Callers {
    /// Anybody; a token is not looked at.
    Anybody,
    /// Anybody, but a token that is sent must hold.
    AnybodyOrTokenHolder,
    /// Whoever has a token that holds.
    TokenHolder,
    /// Whoever is signed in with a session.
    User,
    /// Who may do this on the account in the path.
    Account(Action),
    /// Staff who may do this.
    Staff(Action),
    /// Whoever may do this where no account is named: users on what is their account's, partners' systems on what is their partner's, staff.
    Anywhere(Action),
}

impl Callers {
    /// Who may do `P` on the account in the path.
    pub fn account<P: Permission>(_: P) -> Self {
        Self::Account(P::ACTION)
    }

    /// Staff who may do `P`.
    pub fn staff<P: Permission>(_: P) -> Self {
        Self::Staff(P::ACTION)
    }

    /// Whoever may do `P` where no account is named.
    pub fn anywhere<P: Permission>(_: P) -> Self {
        Self::Anywhere(P::ACTION)
    }

    /// The scopes that a partner's system may call with, none where one without any may; nothing where it may not.
    pub fn scopes(self) -> Option<Vec<Scope>> {
        match self {
            Self::TokenHolder => Some(Vec::new()),
            Self::Anywhere(action) => action.scope().map(|scope| vec![scope]),
            Self::Anybody
            | Self::AnybodyOrTokenHolder
            | Self::User
            | Self::Account(_)
            | Self::Staff(_) => None,
        }
    }
}

/// How often an operation may be called: the policies of the programme's `[rate_limits]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateLimit {
    /// As often as anybody likes: probes.
    Unlimited,
    /// By the user or the applicant's account; by the address where nobody is identified.
    PerCaller,
    /// By the address, whatever token is sent.
    SignIn,
    /// By the address, whatever token is sent.
    Reset,
    /// By the address, whatever token is sent; over a day also in the database.
    Register,
}

/// An endpoint as it was registered, without its handler.
#[derive(Debug, Clone)]
pub struct Registration {
    /// The whole path, with `{names}` for what varies.
    pub path: String,
    pub methods: Vec<Method>,
    pub callers: Callers,
    pub rate_limit: RateLimit,
}

impl Registration {
    /// The registration of `E` below `prefix`.
    pub fn of<E: Endpoint>(prefix: &str, callers: Callers, rate_limit: RateLimit) -> Self {
        Self {
            path: format!("{prefix}{}", E::path()),
            methods: E::methods().iter().map(method).collect(),
            callers,
            rate_limit,
        }
    }
}

/// Takes endpoints: to serve, to document or to list them. Who serves them holds no document.
pub trait Routes: Sized {
    /// Takes one endpoint.
    fn service<E: Endpoint>(
        &mut self,
        endpoint: E,
        callers: Callers,
        rate_limit: RateLimit,
    ) -> &mut Self;

    /// Takes the endpoints of a module.
    fn configure(&mut self, routes: impl FnOnce(&mut Self)) -> &mut Self {
        routes(self);
        self
    }
}

impl Routes for DocumentConfig<'_> {
    fn service<E: Endpoint>(&mut self, endpoint: E, _: Callers, _: RateLimit) -> &mut Self {
        self.service(endpoint)
    }
}

/// Every endpoint, in the order in which they are tried.
pub fn registrations(is_sandbox: bool) -> Vec<Registration> {
    let mut list = List {
        prefix: "",
        found: Vec::new(),
    };
    super::routes(&mut list);
    list.prefix = "/v1";
    super::v1_routes(&mut list, is_sandbox);
    list.found
}

struct List {
    prefix: &'static str,
    found: Vec<Registration>,
}

impl Routes for List {
    fn service<E: Endpoint>(&mut self, _: E, callers: Callers, rate_limit: RateLimit) -> &mut Self {
        let one = Registration::of::<E>(self.prefix, callers, rate_limit);
        self.found.push(one);
        self
    }
}

fn method(method: &HttpMethod) -> Method {
    match method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Delete => Method::DELETE,
        HttpMethod::Options => Method::OPTIONS,
        HttpMethod::Head => Method::HEAD,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Trace => Method::TRACE,
    }
}
