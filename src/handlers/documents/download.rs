//! What a browser is told of a document's bytes: a download, whatever is in them.

use actix_web::http::header::{
    Charset, ContentDisposition, DispositionParam, DispositionType, ExtendedValue,
};

/// What somebody uploaded runs nothing, loads nothing and is shown inside no page, whatever it is.
pub const POLICY: &str =
    "sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A download under the file's own name (RFC 6266, RFC 8187).
pub fn disposition(file_name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-_ ".contains(c);
    let plain = file_name.replace(|c| !is_plain(c), "_");
    let exact = ExtendedValue {
        charset: Charset::Ext("UTF-8".to_owned()),
        language_tag: None,
        value: file_name.as_bytes().to_vec(),
    };
    let names = [
        DispositionParam::Filename(plain),
        DispositionParam::FilenameExt(exact),
    ];
    let disposition = ContentDisposition {
        disposition: DispositionType::Attachment,
        parameters: names.into(),
    };
    disposition.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_given_in_full_and_once_more_in_plain_letters() {
        assert_eq!(
            disposition("Købsbilag \"1\"\r\n.pdf"),
            "attachment; filename=\"K_bsbilag _1___.pdf\"; filename*=UTF-8''K%C3%B8bsbilag%20%221%22%0D%0A.pdf"
        );
    }
}
