//! The paths that are served, as patterns, to be looked up by what was asked; the framework routes by itself.

use std::collections::HashMap;

use actix_web::http::Method;
use utoipa::openapi::path::HttpMethod;

use crate::handlers::{self, Endpoint, Routes};

/// A path with the methods that it takes.
struct Template {
    path: String,
    segments: Vec<String>,
    methods: Vec<Method>,
}

impl Template {
    fn new(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            segments: path.split('/').map(str::to_owned).collect(),
            methods: Vec::new(),
        }
    }

    /// Whether a path of as many segments is one of this.
    fn fits(&self, segments: &[&str]) -> bool {
        let mut pairs = self.segments.iter().zip(segments);
        pairs.all(|(own, sent)| own == sent || (is_parameter(own) && !sent.is_empty()))
    }

    fn parameters(&self) -> usize {
        self.segments
            .iter()
            .filter(|part| is_parameter(part))
            .count()
    }
}

fn is_parameter(segment: &str) -> bool {
    segment.starts_with('{')
}

/// Every path that is served, by how many segments it has.
#[derive(Default)]
pub struct Paths(HashMap<usize, Vec<Template>>);

impl Paths {
    /// The paths of all endpoints.
    pub fn served(is_sandbox: bool) -> Self {
        let mut paths = Self::default();
        handlers::routes(&mut Listed {
            paths: &mut paths,
            prefix: "",
        });
        let mut v1 = Listed {
            paths: &mut paths,
            prefix: "/v1",
        };
        handlers::v1_routes(&mut v1, is_sandbox);
        paths
    }

    fn add(&mut self, path: &str, methods: impl Iterator<Item = Method>) {
        let alike = self.0.entry(path.split('/').count()).or_default();
        match alike.iter_mut().find(|template| template.path == path) {
            Some(template) => template.methods.extend(methods),
            None => {
                let mut template = Template::new(path);
                template.methods.extend(methods);
                alike.push(template);
            }
        }
    }

    /// The template that fits best: the one that names most of the path itself.
    fn best(&self, path: &str) -> Option<&Template> {
        let segments: Vec<&str> = path.split('/').collect();
        let alike = self.0.get(&segments.len())?;
        let fitting = alike.iter().filter(|template| template.fits(&segments));
        fitting.min_by_key(|template| template.parameters())
    }

    /// The pattern that `path` is one of.
    pub fn pattern(&self, path: &str) -> Option<&str> {
        self.best(path).map(|template| template.path.as_str())
    }

    /// The methods that `path` takes; none where nothing is served.
    pub fn methods(&self, path: &str) -> &[Method] {
        self.best(path).map_or(&[], |template| &template.methods)
    }
}

/// Lists endpoints under a prefix.
struct Listed<'p> {
    paths: &'p mut Paths,
    prefix: &'static str,
}

impl Routes for Listed<'_> {
    fn service<E: Endpoint>(&mut self, _: E) -> &mut Self {
        let path = format!("{}{}", self.prefix, E::path());
        self.paths.add(&path, E::methods().iter().map(method));
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
