//! The documents of what finance credits and issues again: as good as those of an invoice.

use std::fs;

use serde_json::json;

use super::{MEMBER, MEMBER_EMAIL, SEEDED, check_all, check_pdf, check_peppol, file, printed};
use crate::support::TestApp;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credit_notes_and_what_is_issued_again_can_be_read_by_others() {
    let app = TestApp::start().await;
    let finance = app.sign_in("finance@cps.example").await;
    let folder = tempfile::tempdir().unwrap();
    let all = json!({ "reason": "error", "note": "Navnet er forkert.", "reissue": true });
    let path = format!("{MEMBER}/invoices/{SEEDED}/credit-notes");
    let first = app.post_once(&path, &finance, all).await.expect(201);
    let invoices = format!("{MEMBER}/invoices?kind=invoice");
    let anew = app.get(&invoices, &finance).await.expect(200);
    let anew = anew.str("/items/0/id");
    assert_ne!(anew, SEEDED);
    let some = json!({ "amount": "12.34", "currency": "EUR" });
    let some = json!({ "reason": "goodwill", "note": "Lånekameraet kom for sent.", "net": some });
    let path = format!("{MEMBER}/invoices/{anew}/credit-notes");
    let second = app.post_once(&path, &finance, some).await.expect(201);
    let corrected = [first, second].map(|note| (note.str("/number"), note.str("/corrects/number")));
    let token = app.sign_in(MEMBER_EMAIL).await;
    let all = app.get(&format!("{MEMBER}/invoices"), &token).await;
    let all = all.expect(200).body["items"].as_array().unwrap().clone();
    assert_eq!(all.len(), 4);
    let mut electronic = Vec::new();
    for one in &all {
        let (id, name) = (one["id"].as_str().unwrap(), one["number"].as_str().unwrap());
        let pdf = file(&app, &token, id, "pdf").await;
        let xml = file(&app, &token, id, "xml").await;
        let attached = check_pdf(folder.path(), name, &pdf.bytes);
        assert!(attached.as_ref() == Some(&xml.bytes), "{name}");
        if let Some((_, original)) = corrected.iter().find(|(number, _)| number == name) {
            let text = printed(folder.path(), name);
            assert!(text.contains(original), "{name}: {text}");
        }
        let path = folder.path().join(format!("{name}.xml"));
        fs::write(&path, &xml.bytes).unwrap();
        check_peppol(name, std::str::from_utf8(&xml.bytes).unwrap());
        electronic.push(path.to_str().unwrap().to_owned());
    }
    check_all(&electronic);
}
