//! A list that is answered as a file.

use actix_web::HttpResponse;

/// A CSV file that a browser keeps under `name`.
pub fn csv_file(name: &str, text: String) -> HttpResponse {
    let kept_as = format!("attachment; filename=\"{name}.csv\"");
    HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header(("Content-Disposition", kept_as))
        .body(text)
}
