//! What the file of an upload is called where it comes from. How it is shown is in `domain::file_name`.

use actix_multipart::Field;
use actix_web::http::header::{CONTENT_DISPOSITION, Charset};

/// The name as it was sent: `filename*`, decoded (RFC 6266, section 4.3), else `filename`; empty where there is none.
pub fn sent_name(field: &Field) -> String {
    let extended = field.content_disposition().and_then(|disposition| {
        let name = disposition.get_filename_ext()?;
        match name.charset {
            Charset::Iso_8859_1 => Some(name.value.iter().copied().map(char::from).collect()),
            _ => String::from_utf8(name.value.clone()).ok(),
        }
    });
    let header = field.headers().get(CONTENT_DISPOSITION);
    let header = header.map(|header| String::from_utf8_lossy(header.as_bytes()));
    extended
        .or_else(|| quoted_name(&header?))
        .or_else(|| Some(field.content_disposition()?.get_filename()?.to_owned()))
        .unwrap_or_default()
}

/// The `filename` of a header. In it a backslash stands for itself, as in the paths that browsers and scanners send, but before a quotation mark or
/// another backslash.
fn quoted_name(header: &str) -> Option<String> {
    const PARAMETER: &str = "filename=\"";
    let at = header.to_ascii_lowercase().find(PARAMETER)?;
    let mut rest = header.get(at + PARAMETER.len()..)?.chars().peekable();
    let mut name = String::new();
    loop {
        match rest.next()? {
            '"' => return Some(name),
            '\\' => name.push(rest.next_if(|c| matches!(c, '"' | '\\')).unwrap_or('\\')),
            c => name.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backslash_is_part_of_a_path() {
        for (header, name) in [
            (
                r#"form-data; name="file"; filename="C:\a\b.pdf""#,
                r"C:\a\b.pdf",
            ),
            (
                r#"form-data; name="file"; filename="C:\\a\\b.pdf""#,
                r"C:\a\b.pdf",
            ),
            (
                r#"form-data; name="file"; FileName="a\"b.pdf"; x="y""#,
                "a\"b.pdf",
            ),
            (
                r#"form-data; filename="momsbevis æøå.pdf""#,
                "momsbevis æøå.pdf",
            ),
        ] {
            assert_eq!(quoted_name(header).as_deref(), Some(name), "{header}");
        }
        assert_eq!(quoted_name("form-data; name=\"file\""), None);
        assert_eq!(quoted_name("form-data; filename=\"a"), None);
    }
}
