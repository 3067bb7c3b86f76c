//! What is served where: each endpoint behind its rate limit, and the methods that a path takes. The framework matches all paths.

use std::sync::Arc;

use actix_web::HttpMessage;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ResourceDef, ServiceRequest, ServiceResponse, Url};
use actix_web::guard::GuardContext;
use actix_web::http::{Method, Uri};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Data, ServiceConfig};

use super::MiddlewareState;
use super::bodies;
use super::rate_limits::Client;
use super::registering;
use crate::error::Error;
use crate::handlers::{self, Callers, Endpoint, RateLimit, Registration, Routes};

/// A route that is served.
pub struct Route {
    /// As the contract writes it.
    pub pattern: Arc<str>,
    methods: Vec<Method>,
    rate_limit: RateLimit,
    definition: ResourceDef,
}

impl Route {
    /// A route that reads something beside the endpoints.
    pub fn reading(pattern: &str) -> Self {
        Self {
            pattern: pattern.into(),
            methods: vec![Method::GET],
            rate_limit: RateLimit::PerCaller,
            definition: ResourceDef::new(pattern),
        }
    }

    fn of(registration: Registration) -> Self {
        Self {
            definition: ResourceDef::new(registration.path.as_str()),
            pattern: registration.path.into(),
            methods: registration.methods,
            rate_limit: registration.rate_limit,
        }
    }

    /// How much of its paths is not named by the pattern.
    fn variables(&self) -> usize {
        self.pattern.matches('{').count()
    }

    fn takes(&self, context: &GuardContext<'_>) -> bool {
        let head = context.head();
        self.methods.contains(&head.method)
            && as_routed(&head.uri, |path| self.definition.is_match(path))
    }
}

/// Reads a path as the framework routes it: unescaped once, but for `%`, `/` and `+`. Nothing of ours has a NUL in its path,
/// and PostgreSQL cannot even be asked.
fn as_routed(uri: &Uri, is_match: impl Fn(&str) -> bool) -> bool {
    if !uri.path().contains('%') {
        return is_match(uri.path());
    }
    let url = Url::new(uri.clone());
    !url.path().contains('\0') && is_match(url.path())
}

/// The route that a request took; put beside it where one did.
pub struct Routed(pub Arc<Route>);

/// Every route that is served, to tell which methods a path takes.
pub struct RouteTable(Vec<Route>);

impl RouteTable {
    /// The endpoints, and what is read `beside` them.
    pub fn new(is_sandbox: bool, beside: impl Iterator<Item = &'static str>) -> Self {
        let endpoints = handlers::registrations(is_sandbox).into_iter();
        let beside = beside.map(Route::reading);
        Self(endpoints.map(Route::of).chain(beside).collect())
    }

    /// The methods that a path takes, in order; none where nothing is served. Of several patterns that a path fits, the one that
    /// names most of it counts, as in the contract.
    pub fn methods(&self, uri: &Uri) -> Vec<&str> {
        let fitting = self
            .0
            .iter()
            .filter(|route| as_routed(uri, |path| route.definition.is_match(path)));
        let fitting: Vec<&Route> = fitting.collect();
        let fewest = fitting.iter().map(|route| route.variables()).min();
        let best = fitting
            .into_iter()
            .filter(|route| Some(route.variables()) == fewest);
        let mut methods: Vec<&str> = best
            .flat_map(|route| route.methods.iter().map(Method::as_str))
            .collect();
        if methods.contains(&"GET") {
            methods.push("HEAD");
        }
        methods.sort_unstable();
        methods.dedup();
        methods
    }
}

/// Serves endpoints under a prefix. Each is a scope of its own, so that what stands before its handler runs once the framework
/// has chosen it and knows which it is.
pub struct Serving<'c> {
    pub config: &'c mut ServiceConfig,
    pub prefix: &'static str,
}

impl Routes for Serving<'_> {
    fn service<E: Endpoint>(
        &mut self,
        endpoint: E,
        callers: Callers,
        rate_limit: RateLimit,
    ) -> &mut Self {
        let registration = Registration::of::<E>(self.prefix, callers, rate_limit);
        let route = Arc::new(Route::of(registration));
        let guarded = route.clone();
        let scope = web::scope("")
            .guard(actix_web::guard::fn_guard(move |context| {
                guarded.takes(context)
            }))
            .wrap(from_fn(move |request, next| {
                admit(Some(route.clone()), request, next)
            }))
            .service(endpoint);
        self.config.service(scope);
        self
    }
}

/// Counts what no route takes.
pub async fn admit_unrouted<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    admit(None, request, next).await
}

/// Counts a request by the limit of its route, or answers 429; what is not routed is counted like what has no limit of its own.
pub async fn admit<B: MessageBody + 'static>(
    route: Option<Arc<Route>>,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let rate_limit = route
        .as_ref()
        .map_or(RateLimit::PerCaller, |route| route.rate_limit);
    if let Some(route) = route {
        request.extensions_mut().insert(Routed(route));
    }
    let Some(state) = request.app_data::<Data<MiddlewareState>>().cloned() else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let client = Client::of(&request);
    let (remaining, counted) = state.rate_limits.count(rate_limit, &client);
    let mut admitted = counted.map_err(Error::from);
    if rate_limit == RateLimit::Register && admitted.is_ok() {
        admitted = registering::count(&request, &state, client).await;
    }
    let is_refused = matches!(admitted, Err(Error::Refused(_)));
    let mut response = match admitted {
        Ok(()) => {
            bodies::watch(&mut request, &state.bodies, &state.limits, client);
            next.call(request).await?.map_into_boxed_body()
        }
        Err(error) => request.error_response(error),
    };
    if let Some(remaining) = remaining.map(|remaining| remaining.or_nothing(is_refused)) {
        remaining.tell(&mut response);
    }
    Ok(response)
}
