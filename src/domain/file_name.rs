//! What a file that somebody sends is called when it is shown. What a store calls it is in `file`.

use crate::domain::values::{is_hidden, tidied_line};

const LONGEST_NAME: usize = 120;

/// Characters of an ending: longer ones are part of the name.
const LONGEST_ENDING: usize = 10;

/// A file's name for display: without its folders and whatever is hidden in it, tidied as a line, at most 120 characters and its ending kept;
/// `document` where nothing is left.
pub fn display_name(sent: &str) -> String {
    let last = sent.rsplit(['/', '\\']).next().unwrap_or_default();
    let visible: String = last.chars().filter(|c| !is_hidden(*c)).collect();
    let name = tidied_line(&visible);
    match name.as_str() {
        "" | "." | ".." => "document".to_owned(),
        name => shortened(name),
    }
}

fn shortened(name: &str) -> String {
    let length = name.chars().count();
    if length <= LONGEST_NAME {
        return name.to_owned();
    }
    let ending = name.rfind('.').and_then(|at| name.get(at..));
    let ending = ending.filter(|ending| ending.chars().count() <= LONGEST_ENDING);
    let ending = ending.unwrap_or_default();
    let kept = LONGEST_NAME - ending.chars().count();
    let start: String = name.chars().take(kept).collect();
    format!("{}{ending}", start.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_shown_without_folders_and_tricks() {
        for (sent, shown) in [
            ("bevis.pdf", "bevis.pdf"),
            ("C:\\Users\\asta\\bevis.pdf", "bevis.pdf"),
            ("../../etc/passwd", "passwd"),
            ("faktura\u{202e}fdp.exe", "fakturafdp.exe"),
            ("a\r\nb\0.pdf", "ab.pdf"),
            ("  ", "document"),
            ("..", "document"),
            ("folder/", "document"),
            ("Købsbevis æøå.pdf", "Købsbevis æøå.pdf"),
            ("Ko\u{308}b  bevis.pdf", "Köb bevis.pdf"),
        ] {
            assert_eq!(display_name(sent), shown);
        }
        assert_eq!(display_name(&"ø".repeat(300)).chars().count(), 120);
        let long = display_name(&format!("{}.pdf", "ø".repeat(140)));
        assert_eq!(long, format!("{}.pdf", "ø".repeat(116)));
        let dotted = display_name(&format!("a.{}", "b".repeat(200)));
        assert_eq!(dotted.chars().count(), 120);
    }
}
