//! The list of all codes, and the page of each: cause and remedy, for people.

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse, get};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{field_code, next_operation, problem_code, status, words};
use crate::domain::language::Language;
use crate::error::{Code, Error, FaultCode, Result};
use crate::handlers::answer::Answer;
use crate::handlers::language;
use crate::handlers::{Callers, RateLimit, Routes};
use crate::texts::{Subject, Value, say};

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(list_problems, Callers::Anybody, RateLimit::PerCaller)
        .service(read_problem, Callers::Anybody, RateLimit::PerCaller);
}

/// Names one problem code in a path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ProblemPath {
    /// The `code` of a problem.
    #[param(example = "requirements_due")]
    pub code: String,
}

/// Explain a problem
///
/// The page that `type` of every problem opens: what the code means, why it comes and what to do about it, in Danish or English.
#[utoipa::path(
    tag = "operation",
    operation_id = "readProblem",
    params(ProblemPath),
    responses((status = 200, description = "The page", content_type = "text/html", body = String, example = "<!doctype html><title>requirements_due</title>"))
)]
#[get("/problems/{code}")]
pub async fn read_problem(
    request: HttpRequest,
    path: Path<ProblemPath>,
) -> Result<HttpResponse, Error> {
    let code = Code::from_word(&path.code).ok_or(Code::NotFound)?;
    let language = language::preferred(request.headers());
    let page = html(code, language);
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .body(page))
}

/// A text in both languages.
#[derive(Serialize, ToSchema)]
struct Bilingual {
    da: String,
    en: String,
}

impl Bilingual {
    fn of(text: impl Fn(Language) -> String) -> Self {
        Self {
            da: text(Language::Da),
            en: text(Language::En),
        }
    }
}

/// One code of a problem.
#[derive(Serialize, ToSchema)]
struct ProblemWords {
    #[schema(schema_with = problem_code)]
    code: &'static str,
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    title: Bilingual,
    /// Why it comes.
    cause: Bilingual,
    /// What to do about it.
    remedy: Bilingual,
    /// The `operationId` of the call that helps.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_operation: Option<&'static str>,
}

/// One code of a field.
#[derive(Serialize, ToSchema)]
struct FieldWords {
    #[schema(schema_with = field_code)]
    code: &'static str,
    /// `{min}` stands where an answer names a value.
    meaning: Bilingual,
}

/// Every code.
#[derive(Serialize, ToSchema)]
struct ProblemList {
    /// Of problems.
    items: Vec<ProblemWords>,
    /// Of the fields in `errors`.
    fields: Vec<FieldWords>,
}

/// List the problems
///
/// Every code that a refusal can have, and every code of a field, with its words in Danish and English.
#[utoipa::path(
    tag = "operation",
    operation_id = "listProblems",
    responses((status = 200, description = "The codes", body = ProblemList, headers(("ETag" = String))))
)]
#[get("/problems/")]
async fn list_problems() -> Result<Answer> {
    let items = Code::ALL.iter().map(|code| ProblemWords {
        code: code.as_str(),
        status: status(*code).as_u16(),
        title: Bilingual::of(|language| words::title(*code, language)),
        cause: Bilingual::of(|language| words::cause(*code, language)),
        remedy: Bilingual::of(|language| words::remedy(*code, language)),
        next_operation: next_operation(*code),
    });
    let fields = FaultCode::ALL.iter().map(|code| FieldWords {
        code: code.as_str(),
        meaning: Bilingual::of(|language| words::meaning(*code, language)),
    });
    let list = ProblemList {
        items: items.collect(),
        fields: fields.collect(),
    };
    Ok(Answer::ok(&list)?.etag_of_body())
}

fn html(code: Code, language: Language) -> String {
    let head = |key| say(Subject::Problems, key, language, Value::UNDEFINED);
    let (cause, remedy) = (head("page.cause"), head("page.remedy"));
    let words = [words::title, words::cause, words::remedy];
    let [title, why, what] = words.map(|text| escaped(&text(code, language)));
    let status = status(code).as_u16();
    let call = next_operation(code).map_or_else(String::new, |operation| {
        format!("<p>API: <code>{operation}</code></p>\n")
    });
    format!(
        "<!doctype html>\n<html lang=\"{language}\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\n<body>\n\
         <h1>{title}</h1>\n<p><code>{code}</code> · HTTP {status}</p>\n<h2>{cause}</h2>\n<p>{why}</p>\n<h2>{remedy}</h2>\n<p>{what}</p>\n{call}\
         </body></html>\n",
        code = code.as_str(),
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
