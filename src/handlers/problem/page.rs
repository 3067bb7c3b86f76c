//! The page of each problem code: cause and remedy, for people.

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse, get};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{status, words};
use crate::domain::language::Language;
use crate::error::{Code, Error};
use crate::handlers::language;
use crate::handlers::{Callers, RateLimit, Routes};
use crate::texts::{Subject, Value, say};

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config.service(read_problem, Callers::Anybody, RateLimit::PerCaller);
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

fn html(code: Code, language: Language) -> String {
    let head = |key| say(Subject::Problems, key, language, Value::UNDEFINED);
    let (cause, remedy) = (head("page.cause"), head("page.remedy"));
    let words = [words::title, words::cause, words::remedy];
    let [title, why, what] = words.map(|text| escaped(&text(code, language)));
    let status = status(code).as_u16();
    format!(
        "<!doctype html>\n<html lang=\"{language}\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\n<body>\n\
         <h1>{title}</h1>\n<p><code>{code}</code> · HTTP {status}</p>\n<h2>{cause}</h2>\n<p>{why}</p>\n<h2>{remedy}</h2>\n<p>{what}</p>\n\
         </body></html>\n",
        code = code.as_str(),
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
