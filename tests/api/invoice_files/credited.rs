//! The documents of what finance credits and issues again: as good as those of an invoice.

use std::fs;

use serde_json::{Value, json};

use super::{MEMBER, MEMBER_EMAIL, SEEDED, check_all, check_pdf, check_peppol, file, printed};
use crate::support::TestApp;

/// What is credited: some of it, and then all that is left, with another invoice in its place.
fn credits() -> [Value; 2] {
    let some = json!({ "amount": "12.34", "currency": "EUR" });
    [
        json!({ "reason": "goodwill", "note": "Lånekameraet kom for sent.", "net": some }),
        json!({ "reason": "error", "note": "Navnet er forkert.", "reissue": true }),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credit_notes_and_what_is_issued_again_can_be_read_by_others() {
    let app = TestApp::start().await;
    let finance = app.sign_in("finance@cps.example").await;
    let folder = tempfile::tempdir().unwrap();
    let path = format!("{MEMBER}/invoices/{SEEDED}/credit-notes");
    let mut numbers = Vec::new();
    for credit in credits() {
        let note = app.post_once(&path, &finance, credit).await.expect(201);
        numbers.push(note.str("/number"));
    }
    let token = app.sign_in(MEMBER_EMAIL).await;
    let all = app.get(&format!("{MEMBER}/invoices"), &token).await;
    let all = all.expect(200).body["items"].as_array().unwrap().clone();
    assert_eq!(all.len(), 4);
    let original = app
        .get(&format!("{MEMBER}/invoices/{SEEDED}"), &token)
        .await;
    let original = original.expect(200).str("/number");
    let mut electronic = Vec::new();
    for one in &all {
        let (id, name) = (one["id"].as_str().unwrap(), one["number"].as_str().unwrap());
        let pdf = file(&app, &token, id, "pdf").await;
        let xml = file(&app, &token, id, "xml").await;
        let attached = check_pdf(folder.path(), name, &pdf.bytes);
        assert!(attached.as_ref() == Some(&xml.bytes), "{name}");
        if numbers.iter().any(|number| number == name) {
            let text = printed(folder.path(), name);
            assert!(text.contains(&original), "{name}: {text}");
        }
        let path = folder.path().join(format!("{name}.xml"));
        fs::write(&path, &xml.bytes).unwrap();
        check_peppol(name, std::str::from_utf8(&xml.bytes).unwrap());
        electronic.push(path.to_str().unwrap().to_owned());
    }
    check_all(&electronic);
}
