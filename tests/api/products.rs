//! Products: the green tick and its points, whose a serial number is, guesses, ends, files.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::businesses::id_of;
use crate::support::{Answer, Sending, TestApp, Token};

pub const METTE: &str = "/v1/accounts/acc_00000000000070008000000000000001";
const JONAS: &str = "/v1/accounts/acc_00000000000070008000000000000002";
/// A serial number that a seeded member holds.
pub const TAKEN: &str = "012021009001";
const CAMERA: &str = "EOS R6 Mark II";
const LENS: &str = "RF 50mm f/1.8 STM";

struct Two {
    app: TestApp,
    mette: Token,
    jonas: Token,
    camera: String,
    lens: String,
}

/// A sandbox with both seeded members signed in.
async fn two() -> Two {
    let app = TestApp::start().await;
    Two {
        mette: app.sign_in("mette@fjordfoto.example").await,
        jonas: app.sign_in("jonas@lysogskygge.example").await,
        camera: app.model(CAMERA).await,
        lens: app.model(LENS).await,
        app,
    }
}

impl Two {
    async fn mette(&self, body: Value) -> Answer {
        let path = format!("{METTE}/products");
        self.app.post(&path, &self.mette, body).await
    }

    async fn jonas(&self, body: Value) -> Answer {
        let path = format!("{JONAS}/products");
        self.app.post(&path, &self.jonas, body).await
    }

    /// All that a camera needs for its tick.
    fn whole(&self, serial: &str) -> Value {
        json!({
            "model_id": self.camera, "serial_number": serial, "purchase_date": "2024-05-17",
            "purchase_country": "DK", "dealer": "Foto Nord"
        })
    }

    fn guessed(&self, serial: &str) -> Value {
        let mut body = self.whole(serial);
        body["estimated"] = json!(["serial_number"]);
        body
    }

    async fn balance(&self) -> i64 {
        self.app.balance(METTE, &self.mette).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_complete_product_gets_its_tick_and_points_and_loses_them_with_a_field() {
    let two = two().await;
    let before = two.balance().await;
    let made = two
        .mette(json!({ "model_id": two.camera, "serial_number": " 01-2021 001234 (body)" }))
        .await
        .expect(201);
    let product = made.header("location").to_owned();
    assert_eq!(
        (&made.body["status"], &made.body["serial_number"]),
        (&json!("incomplete"), &json!("012021001234"))
    );
    let wanted = json!(["purchase_date", "purchase_country", "dealer"]);
    assert_eq!(made.body["missing"], wanted);
    assert_eq!(
        (
            &made.body["points_granted"],
            &made.body["points_possible"],
            &made.header("etag")[..3]
        ),
        (&json!(0), &json!(205), "\"1-")
    );

    let rest = json!({ "purchase_date": "2024-05-17", "purchase_country": "DK", "dealer": "Foto Nord", "estimated": ["dealer"] });
    let done = two
        .app
        .patch(&product, &two.mette, 1, rest)
        .await
        .expect(200);
    assert_eq!(
        (
            &done.body["status"],
            &done.body["points_granted"],
            &done.header("etag")[..3]
        ),
        (&json!("complete"), &json!(205), "\"2-")
    );
    assert_eq!(two.balance().await, before + 205);

    let cleared = json!({ "dealer": null });
    let cleared = two
        .app
        .patch(&product, &two.mette, 2, cleared)
        .await
        .expect(200);
    assert_eq!(
        (
            &cleared.body["status"],
            &cleared.body["missing"],
            &cleared.body["estimated"]
        ),
        (&json!("incomplete"), &json!(["dealer"]), &json!([]))
    );
    assert_eq!(two.balance().await, before);
    let again = json!({ "dealer": "Kamerahuset" });
    two.app
        .patch(&product, &two.mette, 3, again)
        .await
        .expect(200);
    assert_eq!(two.balance().await, before + 205);

    let entries = two
        .app
        .get(&format!("{METTE}/points/entries?limit=3"), &two.mette)
        .await
        .expect(200);
    let kinds: Vec<&str> = entries.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["award", "reversal", "award"]);
    assert_eq!(
        entries.body["items"][0]["value_valid_from"],
        json!("2024-01-01")
    );
    assert_eq!(
        entries.body["items"][1]["reverses"],
        entries.body["items"][2]["id"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_a_product_is_told_at_once() {
    let two = two().await;
    let refused = two
        .mette(json!({
            "model_id": two.camera, "serial_number": "4549292132106", "purchase_date": "2999-01-01",
            "purchase_country": "denmark", "estimated": ["serial_number"], "colour": "red"
        }))
        .await
        .problem(422, "invalid_request");
    let wanted = [
        ("#/colour", "unknown"),
        ("#/purchase_country", "pattern"),
        ("#/purchase_date", "date_in_future"),
        ("#/serial_number", "serial_is_barcode"),
    ];
    assert_eq!(
        refused.faults(),
        wanted.map(|(at, code)| (at.to_owned(), code.to_owned()))
    );
    let of_the_model = two
        .mette(json!({ "model_id": two.lens, "serial_number": "AB12345", "purchase_date": "2001-01-01" }))
        .await
        .problem(422, "invalid_request");
    assert_eq!(
        of_the_model.faults(),
        [
            ("#/purchase_date", "before_launch"),
            ("#/serial_number", "serial_format")
        ]
        .map(|(at, code)| (at.to_owned(), code.to_owned()))
    );
    let unknown = json!({ "model_id": "mod_00000000000070008000000000ffffff", "purchase_country": "denmark" });
    let unknown = two.mette(unknown).await.problem(422, "invalid_request");
    assert_eq!(
        unknown.faults(),
        [
            ("#/model_id", "model_unknown"),
            ("#/purchase_country", "pattern")
        ]
        .map(|(at, code)| (at.to_owned(), code.to_owned()))
    );
    let warned = json!({ "model_id": two.lens, "purchase_date": "2001-01-01", "estimated": ["purchase_date"] });
    let warned = two.mette(warned).await.expect(201);
    assert_eq!(warned.body["warnings"], json!(["before_launch"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_model_knows_is_told_beside_what_the_schema_knows() {
    let two = two().await;
    let wanted = [
        ("#/purchase_country", "pattern"),
        ("#/purchase_date", "before_launch"),
        ("#/serial_number", "serial_format"),
    ]
    .map(|(at, code)| (at.to_owned(), code.to_owned()));
    let wrong = json!({ "serial_number": "AB12345", "purchase_date": "2001-01-01", "purchase_country": "denmark" });
    let mut new = wrong.clone();
    new["model_id"] = json!(two.lens);
    let refused = two.mette(new).await.problem(422, "invalid_request");
    assert_eq!(refused.faults(), wanted);

    let lens = json!({ "model_id": two.lens, "serial_number": "0123456789" });
    let lens = two.mette(lens).await.expect(201);
    let path = lens.header("location");
    let refused = two.app.patch(path, &two.mette, 1, wrong).await;
    assert_eq!(refused.problem(422, "invalid_request").faults(), wanted);
    let after = two.app.get(path, &two.mette).await.expect(200);
    assert_eq!(after.body, lens.body);

    // Of a model that cannot be read nothing more is said than that.
    let nameless =
        json!({ "model_id": "EOS R5", "serial_number": "AB12345", "purchase_date": "2001-01-01" });
    let refused = two.mette(nameless).await.problem(422, "invalid_request");
    assert_eq!(refused.faults().len(), 1, "{:?}", refused.faults());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_serial_number_is_registered_once_whatever_its_spelling() {
    let two = two().await;
    let first = two.mette(two.whole("0120210077")).await.expect(201);
    let again = two.mette(two.whole("120-2100 77")).await.expect(200);
    assert_eq!(again.body["id"], first.body["id"]);
    assert_eq!(again.body["serial_number"], "0120210077");
    let refused = two
        .jonas(two.whole("0012021 0077"))
        .await
        .problem(409, "serial_already_registered");
    assert!(!refused.text.contains(first.str("/id").as_str()) && !refused.text.contains("Fjord"));
    // The same digits on another model are another product.
    let mut lens = two.whole("0120210077");
    lens["model_id"] = json!(two.lens);
    two.jonas(lens).await.expect(201);

    let other = two.jonas(two.whole("9999911111")).await.expect(201);
    let taken = json!({ "serial_number": "120210077" });
    two.app
        .patch(other.header("location"), &two.jonas, 1, taken)
        .await
        .problem(409, "serial_already_registered");
    let location = first.header("location");
    let sold = format!("{location}?reason=sold");
    two.app
        .delete(&sold, &two.mette, 2)
        .await
        .problem(412, "precondition_failed");
    two.app.delete(&sold, &two.mette, 1).await.expect(204);
    two.app
        .delete(&sold, &two.mette, 2)
        .await
        .problem(409, "product_ended");
    two.jonas(two.whole("0120210077")).await.expect(201);
    let ended = two.app.get(location, &two.mette).await.expect(200);
    assert_eq!(
        (
            &ended.body["status"],
            &ended.body["end_reason"],
            &ended.body["points_granted"]
        ),
        (&json!("ended"), &json!("sold"), &json!(0))
    );
    let list = |query: &str| format!("{METTE}/products{query}");
    let open = two.app.get(&list(""), &two.mette).await.expect(200);
    assert!(!open.text.contains(&first.str("/id")));
    let gone = two
        .app
        .get(&list("?status=ended"), &two.mette)
        .await
        .expect(200);
    assert!(gone.text.contains(&first.str("/id")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incomplete_registration_keeps_its_serial_number_for_thirty_days() {
    let two = two().await;
    let half = json!({ "model_id": two.camera, "serial_number": "77001122" });
    let reserved = two.mette(half.clone()).await.expect(201);
    two.app.advance(TimeDelta::days(29)).await;
    let jonas = two.app.sign_in("jonas@lysogskygge.example").await;
    let path = format!("{JONAS}/products");
    two.app
        .post(&path, &jonas, half.clone())
        .await
        .problem(409, "serial_already_registered");
    two.app.advance(TimeDelta::days(2)).await;
    let jonas = two.app.sign_in("jonas@lysogskygge.example").await;
    two.app.post(&path, &jonas, half).await.expect(201);
    let mette = two.app.sign_in("mette@fjordfoto.example").await;
    let lost = two
        .app
        .get(reserved.header("location"), &mette)
        .await
        .expect(200);
    assert_eq!(lost.body["status"], "incomplete");
    assert!(
        lost.body["missing"]
            .as_array()
            .unwrap()
            .contains(&json!("serial_number"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guessed_serial_number_gives_way_to_the_real_one() {
    let two = two().await;
    let before = two.balance().await;
    let guess = two.mette(two.guessed("55501234")).await.expect(201);
    assert_eq!(guess.body["status"], "complete");
    assert_eq!(two.balance().await, before + 205);
    // A second guess is no better than the first.
    two.jonas(two.guessed("55501234"))
        .await
        .problem(409, "serial_already_registered");
    two.jonas(two.whole("55501234")).await.expect(201);
    let lost = two
        .app
        .get(guess.header("location"), &two.mette)
        .await
        .expect(200);
    assert_eq!(
        (
            &lost.body["status"],
            &lost.body["missing"],
            &lost.body["estimated"]
        ),
        (&json!("incomplete"), &json!(["serial_number"]), &json!([]))
    );
    assert_eq!(two.balance().await, before);
    let entries = two
        .app
        .get(&format!("{METTE}/points/entries"), &two.mette)
        .await
        .expect(200);
    let lost = &entries.body["items"][0];
    assert_eq!(lost["reason_code"], "serial_number_lost");
    assert_eq!(lost["model"]["name"], CAMERA);
    assert_eq!(lost.get("note"), None);
    let entries = format!("{METTE}/points/entries");
    let mut words = Vec::new();
    for language in ["da", "en"] {
        let request = two.app.request(Method::GET, &entries).sent_by(&two.mette);
        let read = request.header("accept-language", language).answer().await;
        words.push(read.expect(200).body["items"][0]["reason_text"].clone());
    }
    let told = [
        "Serienummeret hører til en anden registrering.",
        "The serial number belongs to another registration.",
    ];
    assert_eq!(words, told);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_products_earn_on_a_guessed_serial_number_and_no_more() {
    let two = two().await;
    let before = two.balance().await;
    let mut last = None;
    for n in 0..4 {
        last = Some(
            two.mette(two.guessed(&format!("8880000{n}")))
                .await
                .expect(201),
        );
    }
    let last = last.unwrap();
    assert_eq!(
        (
            &last.body["status"],
            &last.body["points_granted"],
            &last.body["points_possible"]
        ),
        (&json!("complete"), &json!(0), &json!(205))
    );
    assert_eq!(two.balance().await, before + 3 * 205);
    assert_eq!(last.body["points_pending"], "serial_check");
    let real = json!({ "serial_number": "88800099", "estimated": [] });
    let real = two
        .app
        .patch(last.header("location"), &two.mette, 1, real)
        .await
        .expect(200);
    assert_eq!(real.body["points_granted"], 205);
    assert_eq!(real.body.get("points_pending"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guess_that_waits_earns_when_one_that_earned_ends_or_is_a_guess_no_more() {
    let two = two().await;
    let before = two.balance().await;
    let mut places = Vec::new();
    for n in 0..6 {
        let made = two.mette(two.guessed(&format!("8880000{n}"))).await;
        places.push(made.expect(201).header("location").to_owned());
    }
    let granted = async || {
        let mut granted = Vec::new();
        for place in &places {
            let read = two.app.get(place, &two.mette).await.expect(200).body;
            let waits = read.get("points_pending").cloned();
            let expected = match (read["status"].as_str(), read["points_granted"].as_i64()) {
                (Some("complete"), Some(0)) => Some(json!("serial_check")),
                _ => None,
            };
            assert_eq!(waits, expected, "{read}");
            granted.push(read["points_granted"] == 205);
        }
        granted
    };
    assert_eq!(granted().await, [true, true, true, false, false, false]);

    let sold = format!("{}?reason=sold", places[0]);
    two.app.delete(&sold, &two.mette, 1).await.expect(204);
    assert_eq!(granted().await, [false, true, true, true, false, false]);
    assert_eq!(two.balance().await, before + 3 * 205);

    // A serial number that is changed is no guess, and lets another one earn.
    let known = json!({ "serial_number": "88800091" });
    let known = two.app.patch(&places[1], &two.mette, 1, known).await;
    assert_eq!(known.expect(200).body["estimated"], json!([]));
    assert_eq!(granted().await, [false, true, true, true, true, false]);

    // So does one that falls to whoever comes with the real number.
    two.jonas(two.whole("88800002")).await.expect(201);
    assert_eq!(granted().await, [false, true, false, true, true, true]);
    assert_eq!(two.balance().await, before + 4 * 205);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_serial_number_stays_a_guess_until_it_is_changed_or_the_change_says_so() {
    let two = two().await;
    let made = two.mette(two.guessed("0888 0000-1")).await.expect(201);
    let place = made.header("location").to_owned();
    for (version, change, estimated) in [
        (1, json!({ "dealer": "Foto Syd" }), json!(["serial_number"])),
        (
            2,
            json!({ "serial_number": "88-800001" }),
            json!(["serial_number"]),
        ),
        (
            3,
            json!({ "serial_number": "88800002", "estimated": ["serial_number"] }),
            json!(["serial_number"]),
        ),
        (4, json!({ "serial_number": "88800003" }), json!([])),
    ] {
        let changed = two.app.patch(&place, &two.mette, version, change).await;
        assert_eq!(
            changed.expect(200).body["estimated"],
            estimated,
            "{version}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stolen_serial_number_that_turns_up_again_is_held() {
    let two = two().await;
    let stolen = two.mette(two.whole("44402020")).await.expect(201);
    let path = format!("{}?reason=stolen", stolen.header("location"));
    two.app.delete(&path, &two.mette, 1).await.expect(204);
    let found = two.jonas(two.whole("44402020")).await.expect(201);
    assert_eq!(
        (&found.body["status"], &found.body["points_granted"]),
        (&json!("disputed"), &json!(0))
    );
    assert_eq!(found.body["points_pending"], "disputed");
    let support = two.app.sign_in("support@cps.example").await;
    let seen = two
        .app
        .get(&format!("{JONAS}/products?status=disputed"), &support)
        .await
        .expect(200);
    assert!(seen.text.contains(&found.str("/id")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_overwrites_what_they_have_not_seen() {
    let two = two().await;
    let made = two.mette(two.whole("33301010")).await.expect(201);
    let path = made.header("location");
    two.app
        .request(Method::PATCH, path)
        .sent_by(&two.mette)
        .header("content-type", "application/merge-patch+json")
        .body("{}")
        .answer()
        .await
        .problem(428, "precondition_required");
    two.app
        .patch(path, &two.mette, 7, json!({}))
        .await
        .problem(412, "precondition_failed");
    two.app
        .patch(path, &two.mette, 1, json!({ "model_id": two.lens }))
        .await
        .problem(422, "invalid_request");
    let strangers = path.replace(id_of(METTE), id_of(JONAS));
    two.app
        .get(&strangers, &two.jonas)
        .await
        .problem(404, "not_found");
    two.app
        .get(path, &two.jonas)
        .await
        .problem(404, "not_found");
}

async fn import(two: &Two, query: &str, text: &str) -> Answer {
    let key = uuid::Uuid::new_v4().to_string();
    import_with(two, &key, query, text).await
}

async fn import_with(two: &Two, key: &str, query: &str, text: &str) -> Answer {
    two.app
        .request(Method::POST, &format!("{METTE}/products/import{query}"))
        .sent_by(&two.mette)
        .header("content-type", "text/csv")
        .header("idempotency-key", key)
        .body(text.to_owned())
        .answer()
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_products_is_read_line_by_line_and_a_dry_run_writes_nothing() {
    let two = two().await;
    let before = two.balance().await;
    two.jonas(two.whole("66601010")).await.expect(201);
    let text = "model;serial_number;purchase_date;purchase_country;dealer;estimated\r\n\
                eos r6 mark ii;66602020;2024-05-17;DK;Foto Nord;purchase_date dealer\r\n\
                EOS R6 Mark II;66601010;2024-05-17;DK;Foto Nord;\r\n\
                EOS R6 Mark II;;;;;\r\n\
                EOS R6 Mark II;666-02020;;;;\r\n";
    let tried = import(&two, "?dry_run=true", text).await.expect(200);
    let statuses = |answer: &Answer| -> Vec<(u64, String)> {
        let lines = answer.body["lines"].as_array().unwrap();
        lines
            .iter()
            .map(|line| {
                (
                    line["line"].as_u64().unwrap(),
                    line["status"].as_str().unwrap().to_owned(),
                )
            })
            .collect()
    };
    let wanted = [
        (2, "complete"),
        (3, "conflict"),
        (4, "incomplete"),
        (5, "standing"),
    ];
    let wanted = wanted.map(|(line, status)| (line, status.to_owned()));
    assert_eq!(statuses(&tried), wanted);
    assert_eq!(two.balance().await, before);
    assert!(tried.body["lines"][0].get("product_id").is_none());

    let done = import_with(&two, "file-1", "", text).await.expect(200);
    assert_eq!(
        (statuses(&done), &done.body["registered"]),
        (wanted.into(), &json!(2))
    );
    assert_eq!(done.body["lines"][1]["code"], "serial_already_registered");
    assert_eq!(two.balance().await, before + 205);
    let replayed = import_with(&two, "file-1", "", text).await.expect(200);
    assert_eq!(
        (replayed.header("idempotency-replayed"), &replayed.body),
        ("true", &done.body)
    );
    import_with(&two, "file-1", "?dry_run=true", text)
        .await
        .problem(422, "idempotency_key_reused");
    two.app
        .request(Method::POST, &format!("{METTE}/products/import"))
        .sent_by(&two.mette)
        .header("content-type", "text/csv")
        .body(text)
        .answer()
        .await
        .problem(400, "idempotency_key_required");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_with_faults_is_refused_whole_with_every_row() {
    let two = two().await;
    let before = two.app.get(&format!("{METTE}/products"), &two.mette).await;
    let text = "model,serial_number,purchase_date,purchase_country,dealer,estimated\n\
                EOS R6 Mark II,66602020,2024-05-17,DK,Foto Nord,\n\
                Nikon F3,1234567,17.05.2024,Denmark,,colour\n\
                EOS R6 Mark II,4549292132106,2999-01-01,DK,,\n";
    let refused = import(&two, "", text).await.problem(422, "invalid_request");
    let wanted = [
        ("#/rows/3/model", "model_unknown"),
        ("#/rows/3/estimated", "not_accepted"),
        ("#/rows/3/purchase_date", "format"),
        ("#/rows/3/purchase_country", "format"),
        ("#/rows/4/serial_number", "serial_is_barcode"),
        ("#/rows/4/purchase_date", "date_in_future"),
    ];
    assert_eq!(
        refused.faults(),
        wanted.map(|(at, code)| (at.to_owned(), code.to_owned()))
    );
    let after = two.app.get(&format!("{METTE}/products"), &two.mette).await;
    assert_eq!(after.body, before.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn products_leave_as_a_file_that_can_be_read_again() {
    let two = two().await;
    let mut body = two.whole("22201010");
    body["dealer"] = json!("=HYPERLINK(\"http://evil.example\")");
    two.mette(body).await.expect(201);
    let file = two
        .app
        .get(&format!("{METTE}/products/export"), &two.mette)
        .await
        .expect(200);
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert!(file.header("content-disposition").starts_with("attachment"));
    assert!(file.text.contains("\"'=HYPERLINK("), "{}", file.text);
    let again = import(&two, "?dry_run=true", &file.text).await.expect(200);
    let lines = again.body["lines"].as_array().unwrap();
    assert_eq!(lines[0]["status"], "standing");
}

/// The serial numbers of a list, page by page.
async fn serials(two: &Two, query: &str) -> Vec<String> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("{METTE}/products?limit=2{query}{cursor}");
        let page = two.app.get(&path, &two.mette).await.expect(200);
        for item in page.body["items"].as_array().unwrap() {
            found.push(item["serial_number"].as_str().unwrap_or("-").to_owned());
        }
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

/// Beside the two seeded products: one of the same dealer, one of a dealer with odd letters, one that was sold.
async fn three_more(two: &Two) {
    two.mette(two.whole("77700001")).await.expect(201);
    let mut lens = two.whole("77700002");
    lens["model_id"] = json!(two.lens);
    lens["dealer"] = json!("Kamera_Gården");
    two.mette(lens).await.expect(201);
    let sold = two.mette(two.whole("77700003")).await.expect(201);
    let path = format!("{}?reason=sold", sold.header("location"));
    two.app.delete(&path, &two.mette, 1).await.expect(204);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn products_are_found_as_people_call_them_in_every_order_page_by_page() {
    let two = two().await;
    three_more(&two).await;
    let newest = ["77700002", "77700001", "-", TAKEN];
    assert_eq!(serials(&two, "").await, newest);
    assert_eq!(serials(&two, "&sort=newest").await, newest);
    let mut oldest = newest;
    oldest.reverse();
    assert_eq!(serials(&two, "&sort=oldest").await, oldest);
    // EF 40mm, EOS 5D, EOS R6, RF 50mm.
    let by_model = ["-", TAKEN, "77700001", "77700002"];
    assert_eq!(serials(&two, "&sort=model").await, by_model);
    for (query, found) in [
        ("&query=r6%20mark", &["77700001"][..]),
        ("&query=R6-mk%20II", &["77700001"]),
        ("&query=5dmk3", &[TAKEN]),
        ("&query=EOS", &["77700001", TAKEN]),
        ("&query=EOS&sort=oldest", &[TAKEN, "77700001"]),
        ("&query=777-0000", &["77700002", "77700001"]),
        ("&query=000777%2000001%20(hus)", &["77700001"]),
        ("&query=KAMERA_G%C3%85RDEN", &["77700002"]),
        ("&query=g%C3%A5rden%2050mm", &["77700002"]),
        ("&query=kamera%25g", &[]),
        ("&query=nord%20r6", &["77700001"]),
        ("&status=incomplete", &["-"]),
        ("&status=incomplete&status=ended", &["77700003", "-"]),
        ("&status=ended&query=r6", &["77700003"]),
    ] {
        assert_eq!(serials(&two, query).await, found, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_of_products_is_asked_for_in_words_that_it_knows() {
    let two = two().await;
    let refused = async |query: &str| {
        let path = format!("{METTE}/products?{query}");
        let odd = two.app.get(&path, &two.mette).await;
        odd.problem(422, "invalid_request").faults()
    };
    let fault = |pointer: &str, code: &str| vec![(pointer.to_owned(), code.to_owned())];
    assert_eq!(
        refused("status=complete&status=sold").await,
        fault("#/query/status/1", "not_accepted")
    );
    assert_eq!(
        refused(&["status=ended"; 6].join("&")).await,
        fault("#/query/status", "too_many")
    );
    assert_eq!(
        refused("sort=price").await,
        fault("#/query/sort", "not_accepted")
    );
    assert_eq!(
        refused("sort=model&sort=newest").await,
        fault("#/query/sort", "not_unique")
    );
    assert_eq!(
        refused(&format!("query={}", "x".repeat(101))).await,
        fault("#/query/query", "too_long")
    );
    assert_eq!(
        refused("query=%00").await,
        fault("#/query/query", "invalid")
    );
    let path = format!("{METTE}/products?limit=1");
    let first = two.app.get(&path, &two.mette).await.expect(200);
    let cursor = first.str("/next_cursor");
    let of_another_order = refused(&format!("limit=1&sort=model&cursor={cursor}")).await;
    assert_eq!(of_another_order, fault("#/query/cursor", "cursor_invalid"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn products_are_summed_up() {
    let two = two().await;
    let summary = format!("{METTE}/products/summary");
    let before = two.app.get(&summary, &two.mette).await.expect(200);
    let seeded = json!({
        "complete": 1, "incomplete": 1, "disputed": 0, "points_granted": 235, "points_missing": 15, "points_pending": 0
    });
    assert_eq!(before.body, seeded);
    three_more(&two).await;
    for n in 0..4 {
        let guess = two.guessed(&format!("8880000{n}"));
        two.mette(guess).await.expect(201);
    }
    let after = two.app.get(&summary, &two.mette).await.expect(200);
    assert_ne!(after.header("etag"), before.header("etag"));
    let expected = json!({
        "complete": 7, "incomplete": 1, "disputed": 0,
        "points_granted": two.balance().await, "points_missing": 15, "points_pending": 205
    });
    assert_eq!(after.body, expected);
    let unchanged = two.app.request(Method::GET, &summary).sent_by(&two.mette);
    let etag = after.header("etag").to_owned();
    let unchanged = unchanged.header("if-none-match", etag).answer().await;
    assert_eq!(unchanged.status, 304);
    let stranger = two.app.get(&summary, &two.jonas).await;
    stranger.problem(404, "not_found");
}
