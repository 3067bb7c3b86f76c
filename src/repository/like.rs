//! Patterns of SQL's LIKE.

/// What a text matches that contains this one, in lower case; a backslash escapes what would stand for anything.
pub fn containing(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    format!("%{}%", escaped.to_lowercase())
}
