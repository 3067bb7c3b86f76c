//! Files of the document store: streamed in, never left behind, and on disks that are shared, marked or full.

mod full_disk;
mod left_over;
mod real;
mod refused;
mod store;
mod streamed;

use std::path::{Path, PathBuf};

use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::process::Served;
use crate::support::{Sending, Token, registration};

const KIND: &str = "vat_registration_certificate";
const MIB: usize = 1024 * 1024;

/// A PDF of so many bytes.
fn pdf(size: usize) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n".to_vec();
    bytes.resize(size, b'.');
    bytes
}

fn form(bytes: Vec<u8>) -> Form {
    let file = Part::bytes(bytes).file_name("certifikat.pdf");
    Form::new().text("kind", KIND).part("file", file)
}

/// Whatever was uploaded and lies in a folder, whole or half.
fn uploads(store: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(store.join("documents")) else {
        return Vec::new();
    };
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// An applicant behind an address of their own.
struct Applicant {
    account: String,
    token: Token,
    address: String,
}

impl Applicant {
    async fn register(served: &Served, n: usize) -> Self {
        let address = format!("203.0.113.{n}");
        let email = format!("applicant-{n}@nordlys-test.example");
        let body = registration(json!({ "contact": { "email": email } }));
        let registered = served
            .request(Method::POST, "/v1/accounts")
            .header("x-forwarded-for", &address)
            .json(&body)
            .answer()
            .await
            .expect(201);
        Self {
            account: registered.header("location").to_owned(),
            token: Token(Some(registered.str("/applicant_token"))),
            address,
        }
    }

    fn upload(&self, served: &Served, form: Form) -> RequestBuilder {
        served
            .request(Method::POST, &format!("{}/documents", self.account))
            .header("x-forwarded-for", &self.address)
            .sent_by(&self.token)
            .multipart(form)
    }
}
