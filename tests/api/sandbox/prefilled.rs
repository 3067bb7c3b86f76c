//! Every operation succeeds as Swagger UI fills it in, for a caller of the card, on a sandbox that has just begun.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::card;
use crate::openapi::{operations, resolved};
use crate::partners::FOTO_NORD;
use crate::support::{FORM, Sending, TestApp, Token, form_of_json};

/// What cannot succeed on a sandbox that has just begun, and why.
const EXCUSED: [(&str, &str); 17] = [
    ("confirmInvoiceEmail", "no address for invoices waits yet"),
    ("readBankStatement", "no bank statement has come yet"),
    ("releaseBankStatement", "no bank statement has come yet"),
    ("readBankTransaction", "no bank statement has come yet"),
    ("matchBankTransaction", "no bank statement has come yet"),
    ("unmatchBankTransaction", "no bank statement has come yet"),
    ("dismissBankTransaction", "no bank statement has come yet"),
    ("bringBackBankTransaction", "no bank statement has come yet"),
    ("refundPayment", "nobody has paid anything yet"),
    ("payOutRefund", "nobody has paid anything yet"),
    ("retryJob", "no job has failed for good yet"),
    (
        "completeWorkItem",
        "no dealer's system has behaved oddly yet",
    ),
    ("readEvent", "the events of a sandbox have ids of their own"),
    ("readRegistration", "no dealer has reported anything yet"),
    ("readRegistrationBatch", "no dealer has sent a batch yet"),
    ("listRegistrationLines", "no dealer has sent a batch yet"),
    ("cancelRegistrationBatch", "no dealer has sent a batch yet"),
];

const PDF: &[u8] = b"%PDF-1.4 a certificate";

/// What Swagger UI puts into the field of a parameter.
fn filled_in(parameter: &Value) -> Option<String> {
    let schema = &parameter["schema"];
    let candidates = [
        &parameter["example"],
        &schema["example"],
        &schema["default"],
    ];
    let found = candidates.into_iter().find(|value| !value.is_null())?;
    Some(
        found
            .as_str()
            .map_or_else(|| found.to_string(), str::to_owned),
    )
}

/// What Swagger UI puts into the body: the example of the first media type, or of its schema.
fn body(request: RequestBuilder, operation: &Value, document: &Value) -> RequestBuilder {
    let content = operation["requestBody"]["content"].as_object();
    let Some((media_type, media)) = content.and_then(|all| all.iter().next()) else {
        return request;
    };
    let schema = &media["schema"];
    let named = schema["$ref"].as_str();
    let schema = named.map_or(schema, |name| document.pointer(&name[1..]).unwrap());
    if media_type == "multipart/form-data" {
        let kinds = schema.pointer("/properties/kind").unwrap();
        let kinds = kinds["$ref"]
            .as_str()
            .map_or(kinds, |name| document.pointer(&name[1..]).unwrap());
        // A file is chosen by whoever tries it.
        let file = reqwest::multipart::Part::bytes(PDF).file_name("a.pdf");
        let kind = kinds["enum"][0].as_str().unwrap().to_owned();
        let form = reqwest::multipart::Form::new().text("kind", kind);
        return request.multipart(form.part("file", file));
    }
    let example = [&media["example"], &schema["example"]]
        .into_iter()
        .find(|example| !example.is_null());
    let example = example.unwrap_or_else(|| panic!("{} has no example", operation["operationId"]));
    let text = example
        .as_str()
        .map_or_else(|| example.to_string(), str::to_owned);
    let text = match media_type.as_str() {
        FORM => form_of_json(example),
        _ => text,
    };
    request.header("content-type", media_type).body(text)
}

/// The request as it stands in the page, once a caller is signed in. A key that is needed is made by the page for each Execute.
fn request(
    app: &TestApp,
    (method, path, operation): &(String, String, Value),
    document: &Value,
) -> RequestBuilder {
    let mut path = path.clone();
    let (mut query, mut headers) = (Vec::new(), Vec::new());
    for one in operation["parameters"].as_array().into_iter().flatten() {
        let name = one["name"].as_str().unwrap().to_owned();
        let filled = match (name.as_str(), one["required"] == true) {
            ("Idempotency-Key", true) => Some(uuid::Uuid::new_v4().to_string()),
            _ => filled_in(one),
        };
        let Some(value) = filled else {
            assert!(
                one["required"] != true,
                "{}: {name} is empty",
                operation["operationId"]
            );
            continue;
        };
        match one["in"].as_str().unwrap() {
            "path" => path = path.replace(&format!("{{{name}}}"), &value),
            "query" => query.push((name, value)),
            _ => headers.push((name, value)),
        }
    }
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
    let mut request = app.request(method, &path).query(&query);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    body(request, operation, document)
}

/// Somebody of the card who may call an operation, of the business in its path where it names one.
async fn caller(app: &TestApp, card: &Value, operation: &Value) -> Token {
    let may = |word: &Value| operation["x-callers"].as_array().unwrap().contains(word);
    if may(&json!("anybody")) {
        return Token::default();
    }
    if operation["x-callers"] == json!(["partner"]) {
        return app.dealer(FOTO_NORD, "").await;
    }
    let parameters = operation["parameters"].as_array();
    let account = parameters
        .into_iter()
        .flatten()
        .find(|one| one["name"] == "account_id")
        .map(|one| &one["example"]);
    let list = |name: &str| card[name].as_array().unwrap().iter();
    let is_own = |one: &&Value| account.is_none_or(|account| one["account_id"] == *account);
    let mut applicants = list("applications").filter(|one| one["applicant_token"].is_string());
    if may(&json!("applicant"))
        && let Some(found) = applicants.find(is_own)
    {
        let token = found["applicant_token"].as_str().unwrap();
        return Token(Some(token.to_owned()));
    }
    let member = list("members").filter(is_own).find(|one| may(&one["role"]));
    let staff = || list("staff").find(|one| may(&one["roles"][0]));
    let found = member.or_else(staff);
    let found = found.unwrap_or_else(|| panic!("nobody may call {}", operation["operationId"]));
    app.sign_in(found["email"].as_str().unwrap()).await
}

/// A sandbox that has just begun, as the page shows it: its moments are those of that sandbox.
struct Begun {
    card: Value,
    document: Value,
    operations: Vec<(String, String, Value)>,
}

impl Begun {
    async fn again(app: &TestApp) -> Self {
        app.act("/v1/sandbox/reset", &Token::default())
            .await
            .expect(200);
        let served = app.get("/openapi.json", &Token::default()).await;
        let document = resolved(served.expect(200).body);
        Self {
            card: card(app).await,
            operations: operations(&document),
            document,
        }
    }

    fn named(&self, id: &Value) -> &(String, String, Value) {
        let mut all = self.operations.iter();
        all.find(|one| one.2["operationId"] == *id)
            .unwrap_or_else(|| panic!("{id} is gone"))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_succeeds_as_it_is_filled_in() {
    let app = TestApp::start().await;
    let mut wrong = Vec::new();
    let mut begun = Begun::again(&app).await;
    // Whoever reads changes nothing, so that all of them can read the same sandbox.
    let (reads, writes): (Vec<_>, Vec<_>) = begun
        .operations
        .clone()
        .into_iter()
        .partition(|one| one.0 == "GET");
    for (method, _, operation) in reads.iter().chain(&writes) {
        if method != "GET" {
            begun = Begun::again(&app).await;
        }
        let id = &operation["operationId"];
        let place = begun.named(id);
        let token = caller(&app, &begun.card, &place.2).await;
        let answer = request(&app, place, &begun.document)
            .sent_by(&token)
            .answer()
            .await;
        let is_excused = EXCUSED.iter().any(|(excused, _)| id == excused);
        if (200..300).contains(&answer.status) == is_excused {
            wrong.push(format!("{id}: {} {}", answer.status, answer.text));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_key_is_filled_in_and_examples_show_something() {
    let app = TestApp::start().await;
    let served = app.get("/openapi.json", &Token::default()).await;
    let document = resolved(served.expect(200).body);
    let now = app.now().await;
    let mut serials = Vec::new();
    for (_, _, operation) in operations(&document) {
        for one in operation["parameters"].as_array().into_iter().flatten() {
            match one["name"].as_str().unwrap() {
                "Idempotency-Key" => assert!(filled_in(one).is_none()),
                "as_of" => {
                    let at: chrono::DateTime<chrono::Utc> =
                        filled_in(one).unwrap().parse().unwrap();
                    assert!(at > now && at - now <= chrono::TimeDelta::hours(1));
                }
                _ => {}
            }
        }
    }
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for schema in schemas.values() {
        if let Some(serial) = schema["example"]["serial_number"].as_str() {
            assert!(!serials.contains(&serial.to_owned()), "{serial}");
            serials.push(serial.to_owned());
        }
    }
    let tomorrow: chrono::DateTime<chrono::Utc> =
        serde_json::from_value(schemas["ClockView"]["example"]["now"].clone()).unwrap();
    let ahead = tomorrow - now;
    assert!(ahead > chrono::TimeDelta::days(1) && ahead <= chrono::TimeDelta::hours(25));
    let mails = operations(&document);
    let mailbox = mails
        .iter()
        .find(|one| one.2["operationId"] == "readMailbox");
    let to = mailbox.unwrap().2["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "to")
        .and_then(filled_in);
    assert!(!app.mails(&to.unwrap()).await.is_empty());
}
