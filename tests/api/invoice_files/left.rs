//! The documents of every invoice and credit note in the databases that the tests leave, kept where `EINVOICES` says: `tests/einvoice/all` holds them against
//! what they must be once the suite is through.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{ErrorKind, Write};
use std::path::Path;

use cps_api::domain::invoice::v2;
use cps_api::integrations::pdf::{Printed, render};
use cps_api::repository::invoices::Invoice;
use cps_api::repository::{DbConn, invoices};
use cps_api::workflows::invoices::document::InvoiceDocument;

use super::check_peppol;
use crate::open_invoices;

/// Keeps all that the service has issued. What a test has copied past the service is no document of ours.
pub fn keep(conn: &mut DbConn) {
    let Some(folder) = std::env::var_os("EINVOICES") else {
        return;
    };
    let mut after = None;
    loop {
        let page = invoices::after(conn, after, 100).unwrap();
        let Some(last) = page.last() else {
            return;
        };
        after = Some(last.id);
        for invoice in page {
            if invoice.seller_key != open_invoices::SELLER {
                keep_documents(Path::new(&folder), invoice);
            }
        }
    }
}

/// The XML of each, and of those that differ in nothing but their digits one paper.
fn keep_documents(folder: &Path, invoice: Invoice) {
    let document = InvoiceDocument::of(invoice).unwrap();
    let number = &document.invoice.number;
    let xml = match document.xml() {
        Ok(xml) => xml,
        Err(refusal) => {
            let is_old = document.invoice.content_version != v2::VERSION;
            assert!(is_old || !refusal.faults.is_empty(), "{number}");
            return;
        }
    };
    let name = file_name(&xml);
    if !keep_new(&folder.join(format!("{name}.xml")), xml.as_bytes()) {
        return;
    }
    check_peppol(number, &xml);
    let shape: String = xml
        .chars()
        .map(|one| if one.is_ascii_digit() { '0' } else { one })
        .collect();
    if keep_new(&folder.join(format!("{}.shape", file_name(&shape))), &[]) {
        let printed = Printed {
            id: document.invoice.id,
            issued_at: document.invoice.issued_at,
            issued: document.issued(),
            xml: Some(&xml),
        };
        let pdf = render(printed).unwrap();
        assert!(keep_new(&folder.join(format!("{name}.pdf")), &pdf));
    }
}

/// What a text is kept as.
fn file_name(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Whether nobody kept it before.
fn keep_new(path: &Path, bytes: &[u8]) -> bool {
    match File::create_new(path) {
        Ok(mut file) => {
            file.write_all(bytes).unwrap();
            true
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");
            false
        }
    }
}
