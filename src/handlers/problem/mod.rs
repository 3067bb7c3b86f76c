//! The one table from an error to its status, its texts and its page. What can go wrong is named in `error`.

mod next;
mod page;
mod status;
mod words;

use actix_web::body::BoxBody;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::{Ref, RefOr, Schema};

use crate::domain::invoice::InvoiceId;
use crate::domain::language::Language;
use crate::error::{Code, Error, Fault, Refusal};

pub use next::next_operation;
pub use page::routes;
pub use status::status;
pub use words::{meaning, remedy, title};

/// The media type of every error.
pub const MEDIA_TYPE: &str = "application/problem+json";
/// The vocabulary of [`Problem::code`] in the document.
pub const PROBLEM_CODE: &str = "ProblemCode";
/// The vocabulary of [`FieldProblem::code`] in the document.
pub const FIELD_CODE: &str = "FieldCode";
/// Names the formats of a patch (RFC 5789).
pub const ACCEPT_PATCH: &str = "Accept-Patch";

/// The body of every error (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Opens a page that explains the code: what it means, why it comes, what to do.
    #[serde(rename = "type")]
    #[schema(format = "uri", example = "http://127.0.0.1:8080/problems/not_found")]
    pub kind: String,
    /// The kind of problem, in the caller's language.
    #[schema(example = "Not found")]
    pub title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599, example = 404)]
    pub status: u16,
    /// What happened and what to do next, in the caller's language.
    pub detail: String,
    /// The path that was asked for.
    #[schema(example = "/v1/accounts")]
    pub instance: String,
    /// Names the kind of problem for programs; never changes with the language.
    #[schema(schema_with = problem_code)]
    pub code: &'static str,
    /// Names this request in the service's logs.
    #[schema(example = "req-0190f3a2b4c5")]
    pub request_id: String,
    /// Every field that does not pass, all at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<FieldProblem>,
    /// How many more there are than `errors` has room for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub more_errors: Option<usize>,
    /// The number of the oldest event that can be read, where what was asked for is older.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub oldest: Option<i64>,
    /// Which has less open.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub invoice_id: Option<InvoiceId>,
}

/// So many faults are told in one answer.
const MOST_FAULTS: usize = 100;
/// Bytes of all that is told of faults; what is around it fits into the rest of 32 kB.
const MOST_BYTES: usize = 24 * 1024;
/// Characters of what a caller sent, a path or a name, before it is cut off.
const MOST_CHARACTERS: usize = 500;

/// One field that does not pass; never with the value that was sent.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldProblem {
    /// A JSON Pointer as a URI fragment; query parameters are under `#/query`, headers under `#/header`.
    #[schema(example = "#/contact/email")]
    pub pointer: String,
    /// Names what is wrong, for programs.
    #[schema(schema_with = field_code)]
    pub code: &'static str,
    /// What is wrong, in the caller's language.
    pub detail: String,
}

/// Names the schema of a problem's code.
pub fn problem_code() -> RefOr<Schema> {
    Ref::from_schema_name(PROBLEM_CODE).into()
}

fn field_code() -> RefOr<Schema> {
    Ref::from_schema_name(FIELD_CODE).into()
}

/// What the rendering of a problem knows of its request.
pub struct Context<'a> {
    pub public_url: &'a str,
    pub language: Language,
    pub instance: String,
    pub request_id: String,
}

/// The problem that `error` is, for the request of `context`.
pub fn render(error: &Error, context: &Context<'_>) -> Problem {
    let refusal = refusal_of(error);
    let errors = field_problems(&refusal.faults, context.language);
    let more = refusal.faults.len() - errors.len();
    let mut detail = words::detail(&refusal, context.language);
    if more > 0 {
        detail = format!("{detail} {}", words::more(more, context.language));
    }
    Problem {
        kind: format!("{}/problems/{}", context.public_url, refusal.code.as_str()),
        title: words::title(refusal.code, context.language),
        status: status(refusal.code).as_u16(),
        detail,
        instance: cut_off(&context.instance),
        code: refusal.code.as_str(),
        request_id: context.request_id.clone(),
        errors,
        more_errors: (more > 0).then_some(more),
        oldest: named(&refusal, Code::EventsExpired, "oldest")
            .and_then(|number| number.parse().ok()),
        invoice_id: named(&refusal, Code::AmountExceedsInvoice, "invoice_id")
            .and_then(|id| id.parse().ok()),
    }
}

/// The first faults, as many as an answer has room for.
/// Faults in a language, as many as an answer has room for.
pub fn field_problems(faults: &[Fault], language: Language) -> Vec<FieldProblem> {
    let mut room = MOST_BYTES;
    let problems = faults.iter().take(MOST_FAULTS);
    let problems = problems.map(|fault| field_problem(fault, language));
    problems
        .take_while(|problem| {
            let bytes = serde_json::to_string(problem).map_or(MOST_BYTES, |text| text.len() + 1);
            let fits = bytes <= room;
            room = room.saturating_sub(bytes);
            fits
        })
        .collect()
}

fn cut_off(sent: &str) -> String {
    match sent.char_indices().nth(MOST_CHARACTERS) {
        Some((at, _)) => format!("{}…", sent.get(..at).unwrap_or_default()),
        None => sent.to_owned(),
    }
}

fn field_problem(fault: &Fault, language: Language) -> FieldProblem {
    FieldProblem {
        pointer: cut_off(&fault.pointer),
        code: fault.code.as_str(),
        detail: words::fault(fault, language),
    }
}

/// A refusal as a command prints it: its detail, then each fault with its place, a line each.
pub fn explained(error: &Error) -> String {
    let context = Context {
        public_url: "",
        language: Language::En,
        instance: String::new(),
        request_id: String::new(),
    };
    if is_failure(error) {
        return error.to_string();
    }
    let problem = render(error, &context);
    let faults = problem
        .errors
        .iter()
        .map(|fault| format!("\n{}: {}", fault.pointer, fault.detail));
    problem.detail.clone() + &faults.collect::<String>()
}

/// What a caller is told of `error`: failures of our own keep their cause to themselves.
pub fn refusal_of(error: &Error) -> Refusal {
    match error {
        Error::Refused(refusal) => refusal.clone(),
        Error::Contended | Error::Busy => Refusal::from(Code::Overloaded).retry_after(1),
        Error::Broken(_) => Refusal::from(Code::DatabaseUnavailable).retry_after(2),
        Error::StorageFull(_) => Refusal::from(Code::StorageFull).retry_after(5),
        Error::Database(_) | Error::LeaseLost | Error::Internal { .. } => {
            Code::InternalError.into()
        }
    }
}

/// Whether the cause has to be logged: nobody outside is told it.
pub fn is_failure(error: &Error) -> bool {
    !matches!(error, Error::Refused(_))
}

/// What a refusal of this code names.
fn named<'r>(refusal: &'r Refusal, code: Code, name: &str) -> Option<&'r str> {
    let params = refusal.params.iter().filter(|_| refusal.code == code);
    let mut found = params.filter(|(param, _)| *param == name);
    found.next().map(|(_, value)| value.as_str())
}

/// How to sign in so that it goes better (RFC 6750, 3; RFC 6749, 5.2).
fn challenge(refusal: &Refusal) -> Option<String> {
    let scope = named(refusal, Code::ScopeMissing, "scope");
    match refusal.code {
        Code::Unauthenticated => Some("Bearer".to_owned()),
        Code::InvalidClient => Some("Basic realm=\"cps\"".to_owned()),
        _ => scope.map(|scope| format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"")),
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        status(refusal_of(self).code)
    }

    /// The bare answer; the middleware around every request writes the body, since only it knows the request.
    fn error_response(&self) -> HttpResponse<BoxBody> {
        let refusal = refusal_of(self);
        let mut response = HttpResponse::build(self.status_code());
        if let Some(seconds) = refusal.retry_after {
            response.insert_header((header::RETRY_AFTER, seconds));
        }
        if matches!(refusal.code, Code::BodyTooLarge | Code::DocumentTooLarge) {
            // What is left of it is not waited for.
            response.force_close();
        }
        if let Some(methods) = named(&refusal, Code::MethodNotAllowed, "allowed") {
            response.insert_header((header::ALLOW, methods));
        }
        let formats = named(&refusal, Code::UnsupportedMediaType, "expected");
        if let Some(formats) = formats.filter(|formats| formats.contains("merge-patch")) {
            response.insert_header((ACCEPT_PATCH, formats));
        }
        if let Some(challenge) = challenge(&refusal) {
            response.insert_header((header::WWW_AUTHENTICATE, challenge));
        }
        response.finish()
    }
}
