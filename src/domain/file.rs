//! Files of the document store: where one stands, and the names that ours have. What a file proves is in `document`.

use crate::types::text_enum;

text_enum! {
    /// Where a file stands. Its row comes before its bytes and goes after them.
    pub enum FileState {
        /// Its bytes are expected, or come.
        Receiving = "receiving",
        /// Its bytes are there, and a document names it.
        Stored = "stored",
        /// It was not taken; what came of its bytes is to be deleted.
        Refused = "refused",
        /// Its document lets go of it; its bytes are deleted.
        Gone = "gone",
    }
}

/// Where uploads are in a store.
pub const UPLOADS: &str = "documents";
/// Where the documents of invoices are.
pub const INVOICES: &str = "invoices";
/// Hexadecimal digits behind that and a slash.
const DIGITS: usize = 32;

/// The keys of the files that every sandbox begins with.
pub const SAMPLES: [&str; 3] = [
    "sandbox/certificate",
    "sandbox/certificate-4",
    "sandbox/certificate-9",
];

/// The key of an upload, from 16 random bytes in lower-case hex.
pub fn key(random_hex: &str) -> String {
    format!("{UPLOADS}/{random_hex}")
}

/// The key of a document of an invoice, from the first 16 bytes of what tells it apart in lower-case hex.
pub fn invoice_key(hex: &str) -> String {
    format!("{INVOICES}/{hex}")
}

/// Whether `key` is one that an upload or a document of an invoice may have: nothing else in a store is ours to delete.
pub fn is_key(key: &str) -> bool {
    let (folder, digits) = key.split_once('/').unwrap_or_default();
    [UPLOADS, INVOICES].contains(&folder)
        && digits.len() == DIGITS
        && digits
            .bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_an_upload_or_an_invoice_is_called_is_ours() {
        let digits = "0123456789abcdef0123456789abcdef";
        assert!(is_key(&key(digits)) && is_key(&invoice_key(digits)));
        for other in [
            "",
            digits,
            "documents/",
            "documents/report.pdf",
            "documents/0123456789ABCDEF0123456789ABCDEF",
            "documents/0123456789abcdef0123456789abcde",
            "documents/0123456789abcdef0123456789abcdef0",
            "documents/0123456789abcdef0123456789abcdef#1",
            "old/documents/0123456789abcdef0123456789abcdef",
            "sandbox/certificate",
            "cps.db",
        ] {
            assert!(!is_key(other), "{other}");
        }
    }
}
