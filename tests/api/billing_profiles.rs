//! How an account is invoiced: what it says, what it may not say, and who changes it.

use serde_json::{Value, json};

use crate::membership::{ACCOUNT, EMAIL};
use crate::support::TestApp;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_says_what_it_reads_on_its_invoices() {
    let app = TestApp::start().await;
    let mette = app.sign_in(EMAIL).await;
    let profile = format!("{ACCOUNT}/billing-profile");
    let blank = app.get(&profile, &mette).await.expect(200);
    assert_eq!(blank.body, json!({ "version": 1 }));
    assert_eq!(blank.header("etag"), "\"1\"");

    let change = json!({
        "company_number": "DK 24 25 67 90", "your_reference": " PO-4711 ", "electronic_address": "0184:24256790"
    });
    let changed = app.patch(&profile, &mette, 1, change).await.expect(200);
    let said = json!({
        "company_number": "24256790", "your_reference": "PO-4711", "electronic_address": "0184:24256790", "version": 2
    });
    assert_eq!(changed.body, said);
    assert_eq!(app.get(&profile, &mette).await.expect(200).body, said);

    let late = app.patch(&profile, &mette, 1, json!({ "your_reference": "B" }));
    late.await.problem(412, "precondition_failed");
    let same = json!({ "your_reference": "PO-4711" });
    let same = app.patch(&profile, &mette, 2, same).await.expect(200);
    assert_eq!(same.body["version"], 2);

    let support = app.sign_in("support@cps.example").await;
    let gone = json!({ "electronic_address": null });
    let gone = app.patch(&profile, &support, 2, gone).await.expect(200);
    assert!(gone.body.get("electronic_address").is_none());
    assert_eq!(gone.str("/company_number"), "24256790");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_number_and_no_address_is_told_together() {
    let app = TestApp::start().await;
    let mette = app.sign_in(EMAIL).await;
    let profile = format!("{ACCOUNT}/billing-profile");
    let number = ("#/company_number", "company_number_invalid");
    let address = ("#/electronic_address", "electronic_address_invalid");
    for (change, faults) in [
        (
            json!({ "company_number": "24256791", "electronic_address": "0184:2425679" }),
            vec![number, address],
        ),
        (json!({ "company_number": "" }), vec![number]),
        (json!({ "electronic_address": "24256790" }), vec![address]),
        (
            json!({ "your_reference": "x".repeat(61) }),
            vec![("#/your_reference", "too_long")],
        ),
    ] {
        let refused = app.patch(&profile, &mette, 1, change.clone()).await;
        let refused = refused.problem(422, "invalid_request");
        let told = refused.faults();
        let told: Vec<(&str, &str)> = told.iter().map(|(at, code)| (&**at, &**code)).collect();
        assert_eq!(told, faults, "{change}");
    }
    let unchanged: Value = app.get(&profile, &mette).await.expect(200).body;
    assert_eq!(unchanged, json!({ "version": 1 }));
}
