//! Offers of dealers, what becomes of them, and whom a customer trusts.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};

use crate::partners::KAMERAHUSET;
use crate::products::METTE;
use crate::raw::{Raw, Sold};
use crate::support::{Answer, Sending, TestApp, Token};

const JONAS: &str = "/v1/accounts/acc_00000000000070008000000000000002";
const CAMERA: &str = "EOS R6 Mark II";
const SERIAL: &str = "012021005511";

/// A sandbox, a dealer, and two of its customers.
struct Shop {
    app: TestApp,
    raw: Raw,
    partner: String,
    /// The dealers and products of the test, beside what every sandbox has.
    own: Vec<String>,
    began: DateTime<Utc>,
    mette: Token,
    jonas: Token,
}

impl Shop {
    async fn open() -> Self {
        let app = TestApp::start().await;
        let mut raw = Raw::open(&app.database);
        let partner = raw.partner("Foto Vest");
        Self {
            own: vec![partner.clone()],
            partner,
            raw,
            began: app.now().await,
            mette: app.sign_in("mette@fjordfoto.example").await,
            jonas: app.sign_in("jonas@lysogskygge.example").await,
            app,
        }
    }

    /// From now on another dealer offers.
    fn dealer(&mut self, name: &str) {
        self.partner = self.raw.partner(name);
        self.own.push(self.partner.clone());
    }

    /// Has the dealer offer a product to an account; the path of the offer.
    async fn offer(&mut self, account: &str, model: &str, serial: &str) -> String {
        let model = self.app.model(model).await;
        let product = self.raw.offer(&Sold {
            account,
            partner: &self.partner,
            model: &model,
            serial,
            now: self.began,
        });
        self.own.push(product.clone());
        format!("{account}/offers/{product}")
    }

    async fn accept(&self, offer: &str, token: &Token) -> Answer {
        self.app.act(&format!("{offer}/acceptance"), token).await
    }

    async fn refuse(&self, offer: &str, reason: &str) -> Answer {
        let path = format!("{offer}/refusal");
        let body = json!({ "reason": reason });
        self.app.post(&path, &self.mette, body).await
    }

    async fn offers(&self) -> Vec<Value> {
        let listed = self.app.get(&format!("{METTE}/offers"), &self.mette).await;
        let items = listed.expect(200).body["items"].as_array().unwrap().clone();
        let is_own = |one: &Value| self.own.iter().any(|id| one["partner"]["id"] == json!(id));
        items.into_iter().filter(is_own).collect()
    }

    async fn register(&self, account: &str, token: &Token, serial: &str, change: Value) -> Answer {
        let mut body = json!({
            "model_id": self.app.model(CAMERA).await, "serial_number": serial, "purchase_date": "2024-05-17",
            "purchase_country": "DK", "dealer": "Kamerahuset"
        });
        let fields = body.as_object_mut().unwrap();
        fields.extend(change.as_object().unwrap().clone());
        let path = format!("{account}/products");
        self.app.post(&path, token, body).await
    }

    /// The status, code and reason of the only line of the test.
    fn line(&mut self) -> String {
        let line = "SELECT status || ' ' || coalesce(code, '-') || ' ' || coalesce(reason, '-') AS line FROM registrations WHERE body_hash = 'hash'";
        self.raw.lines(line).concat()
    }

    /// How often an event was told, once all are numbered.
    async fn told(&mut self, word: &str) -> usize {
        let waiting = "SELECT CAST(count(*) AS TEXT) AS line FROM event_inbox";
        for _ in 0..600 {
            if self.raw.lines(waiting) == ["0"] {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let told = format!("SELECT data AS line FROM events WHERE type = '{word}'");
        let told = self.raw.lines(&told);
        let is_own = |data: &&String| self.own.iter().any(|id| data.contains(id));
        told.iter().filter(is_own).count()
    }
}

fn product_of(offer: &str) -> String {
    offer.replace("/offers/", "/products/")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_accepted_is_registered_with_its_points() {
    let mut shop = Shop::open().await;
    let before = shop.app.balance(METTE, &shop.mette).await;
    let offer = shop.offer(METTE, CAMERA, SERIAL).await;
    let listed = shop.offers().await;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["partner"]["name"], "Foto Vest");
    assert_eq!(listed[0]["product"]["status"], "offered");
    assert_eq!(listed[0].get("blocked"), None);
    let ends: DateTime<Utc> = listed[0]["expires_at"].as_str().unwrap().parse().unwrap();
    assert!(ends - shop.app.now().await > TimeDelta::days(29));

    let accepted = shop.accept(&offer, &shop.mette).await.expect(200);
    assert_eq!(accepted.body["status"], "complete");
    assert_eq!(accepted.body["points_granted"], 205);
    assert_eq!(accepted.body.get("evidence"), None);
    assert_eq!(shop.app.balance(METTE, &shop.mette).await, before + 205);
    let product = product_of(&offer);
    let read = shop.app.get(&product, &shop.mette).await.expect(200);
    assert_eq!(read.header("etag"), accepted.header("etag"));
    let support = shop.app.sign_in("support@cps.example").await;
    let seen = shop.app.get(&product, &support).await.expect(200);
    assert_eq!(seen.body["evidence"], "dealer");

    assert_eq!(shop.line(), "registered - -");
    assert_eq!(shop.told("product.offer_accepted").await, 1);
    assert_eq!(shop.told("registration.accepted").await, 1);
    assert!(shop.offers().await.is_empty());
    let again = shop.accept(&offer, &shop.mette).await;
    again.problem(409, "offer_closed");
    let refused = shop.refuse(&offer, "declined").await;
    refused.problem(409, "offer_closed");
    // It holds its serial number by now.
    let taken = shop.register(JONAS, &shop.jonas, SERIAL, json!({})).await;
    taken.problem(409, "serial_already_registered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_counts_nowhere_and_reserves_nothing() {
    let mut shop = Shop::open().await;
    let mut seen = Vec::new();
    for round in ["without", "with"] {
        let mut now = Vec::new();
        for path in [
            "products",
            "products/summary",
            "products/export",
            "points",
            "membership/levels",
        ] {
            let read = shop.app.get(&format!("{METTE}/{path}"), &shop.mette).await;
            now.push(read.expect(200).text);
        }
        seen.push(now);
        if round == "without" {
            shop.offer(METTE, CAMERA, SERIAL).await;
        }
    }
    assert_eq!(seen[0], seen[1]);
    let offers = format!("{METTE}/products?status=offered");
    let offers = shop.app.get(&offers, &shop.mette).await.expect(200);
    let offered = offers.body["items"].as_array().unwrap();
    let is_own = |one: &&Value| one["id"] == json!(shop.own[1]);
    assert_eq!(offered.iter().filter(is_own).count(), 1);

    let product = format!("{METTE}/products/{}", shop.own[1]);
    let change = json!({ "dealer": "Kamerahuset" });
    let changed = shop.app.patch(&product, &shop.mette, 1, change).await;
    changed.problem(409, "registration_not_open");
    let sold = format!("{product}?reason=sold");
    let ended = shop.app.delete(&sold, &shop.mette, 1).await;
    ended.problem(409, "registration_not_open");
    // Anybody may register the number meanwhile; then the offer is blocked.
    let made = shop.register(JONAS, &shop.jonas, SERIAL, json!({})).await;
    made.expect(201);
    assert_eq!(
        shop.offers().await[0]["blocked"],
        "serial_already_registered"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_of_what_is_registered_confirms_it() {
    let mut shop = Shop::open().await;
    let body = json!({
        "model_id": shop.app.model(CAMERA).await, "serial_number": SERIAL, "purchase_country": "SE", "dealer": "Foto Nord?",
        "estimated": ["serial_number", "dealer"]
    });
    let path = format!("{METTE}/products");
    let own = shop.app.post(&path, &shop.mette, body).await.expect(201);
    assert_eq!(own.body["status"], "incomplete");
    let before = shop.app.balance(METTE, &shop.mette).await;
    let offer = shop.offer(METTE, CAMERA, SERIAL).await;
    assert_eq!(shop.offers().await[0].get("blocked"), None);
    let accepted = shop.accept(&offer, &shop.mette).await.expect(200);
    assert_eq!(accepted.body["id"], own.body["id"]);
    let said = [
        "status",
        "purchase_date",
        "purchase_country",
        "dealer",
        "estimated",
    ];
    let said = said.map(|field| accepted.body[field].clone());
    // What the customer knew stays.
    let wanted = ["complete", "2025-05-17", "SE", "Foto Nord"];
    assert_eq!(said[..4], wanted.map(|text| json!(text)));
    assert_eq!(said[4], json!([]));
    assert_eq!(shop.app.balance(METTE, &shop.mette).await, before + 205);
    assert_eq!(shop.line(), "registered confirmed -");
    let offered = shop.app.get(&product_of(&offer), &shop.mette).await;
    let offered = offered.expect(200).body;
    assert_eq!(offered["end_reason"], "merged");
    let support = shop.app.sign_in("support@cps.example").await;
    let seen = shop.app.get(own.header("location"), &support).await;
    assert_eq!(seen.expect(200).body["evidence"], "dealer");
    let again = shop.accept(&offer, &shop.mette).await;
    again.problem(409, "offer_closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_of_what_another_holds_stays_until_it_is_refused() {
    let mut shop = Shop::open().await;
    let held = shop.register(JONAS, &shop.jonas, SERIAL, json!({})).await;
    let held = held.expect(201).header("location").to_owned();
    let offer = shop.offer(METTE, CAMERA, SERIAL).await;
    assert_eq!(
        shop.offers().await[0]["blocked"],
        "serial_already_registered"
    );
    let refused = shop.accept(&offer, &shop.mette).await;
    let refused = refused.problem(409, "serial_already_registered");
    assert!(!refused.text.contains("Lys"));
    assert_eq!(shop.offers().await.len(), 1);
    assert_eq!(shop.line(), "offered - -");
    // Where it is free again, it can be accepted; here it is refused.
    let sold = format!("{held}?reason=sold");
    shop.app.delete(&sold, &shop.jonas, 1).await.expect(204);
    assert_eq!(shop.offers().await[0].get("blocked"), None);
    shop.refuse(&offer, "declined").await.expect(204);
    assert_eq!(shop.line(), "declined - declined");
    assert_eq!(shop.told("product.offer_declined").await, 1);
    assert_eq!(shop.told("registration.declined").await, 1);
    let ended = shop.app.get(&product_of(&offer), &shop.mette).await;
    assert_eq!(ended.expect(200).body["end_reason"], "declined");
    let late = shop.accept(&offer, &shop.mette).await;
    late.problem(409, "offer_closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guess_of_another_gives_way_on_acceptance_and_not_before() {
    let mut shop = Shop::open().await;
    let guess = json!({ "estimated": ["serial_number"] });
    let guess = shop.register(JONAS, &shop.jonas, SERIAL, guess).await;
    let guess = guess.expect(201).header("location").to_owned();
    let before = shop.app.balance(JONAS, &shop.jonas).await;
    let offer = shop.offer(METTE, CAMERA, SERIAL).await;
    assert_eq!(shop.offers().await[0].get("blocked"), None);
    let stands = shop.app.get(&guess, &shop.jonas).await.expect(200);
    assert_eq!(stands.body["status"], "complete");
    let accepted = shop.accept(&offer, &shop.mette).await.expect(200);
    assert_eq!(accepted.body["status"], "complete");
    let lost = shop.app.get(&guess, &shop.jonas).await.expect(200);
    assert_eq!(lost.body["missing"], json!(["serial_number"]));
    assert_eq!(shop.app.balance(JONAS, &shop.jonas).await, before - 205);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stolen_number_that_is_accepted_is_held() {
    let mut shop = Shop::open().await;
    let held = shop.register(JONAS, &shop.jonas, SERIAL, json!({})).await;
    let stolen = format!("{}?reason=stolen", held.expect(201).header("location"));
    shop.app.delete(&stolen, &shop.jonas, 1).await.expect(204);
    let offer = shop.offer(METTE, CAMERA, SERIAL).await;
    let other = shop.offer(METTE, CAMERA, "012021005522").await;
    let accepted = shop.accept(&offer, &shop.mette).await.expect(200);
    assert_eq!(accepted.body["status"], "disputed");
    assert_eq!(accepted.body["points_granted"], 0);
    assert_eq!(shop.told("product.disputed").await, 1);
    let held =
        "SELECT status AS line FROM registrations WHERE body_hash = 'hash' AND status <> 'offered'";
    assert_eq!(shop.raw.lines(held), ["held"]);
    // Another dealer says the same: while it is checked nothing is merged into it.
    shop.dealer("Kamera Vest");
    let same = shop.offer(METTE, CAMERA, SERIAL).await;
    assert_eq!(shop.offers().await.len(), 2);
    let blocked = shop.accept(&same, &shop.mette).await;
    blocked.problem(409, "product_disputed");
    let listed = shop.offers().await;
    let blocked = listed.iter().filter_map(|one| one.get("blocked"));
    assert_eq!(blocked.collect::<Vec<_>>(), [&json!("product_disputed")]);
    shop.accept(&other, &shop.mette).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_answers_at_once_one_counts() {
    let mut shop = Shop::open().await;
    let before = shop.app.balance(METTE, &shop.mette).await;
    let offer = shop.offer(METTE, CAMERA, SERIAL).await;
    let (accepted, again, refused) = tokio::join!(
        shop.accept(&offer, &shop.mette),
        shop.accept(&offer, &shop.mette),
        shop.refuse(&offer, "declined"),
    );
    let mut statuses = [accepted.status, again.status, refused.status];
    statuses.sort_unstable();
    assert_eq!(statuses[1..], [409, 409]);
    let gained = shop.app.balance(METTE, &shop.mette).await - before;
    assert_eq!(gained, if statuses[0] == 200 { 205 } else { 0 });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dealer_whose_customers_say_not_mine_is_looked_at() {
    let mut shop = Shop::open().await;
    let alerts =
        "SELECT kind || ' ' || details AS line FROM work_items WHERE kind = 'partner_alert'";
    let alerts = match shop.raw.kind() {
        cps_api::repository::Kind::Postgres => alerts.replace("details", "details::text"),
        cps_api::repository::Kind::Sqlite => alerts.to_owned(),
    };
    for n in 0..6 {
        let offer = shop.offer(METTE, CAMERA, &format!("01202100661{n}")).await;
        shop.refuse(&offer, "not_mine").await.expect(204);
        let opened = shop.raw.lines(&alerts);
        assert_eq!(opened.len(), usize::from(n >= 4), "{n}: {opened:?}");
    }
    assert_eq!(shop.told("partner.alert").await, 1);
    // What another dealer reported, and what was only declined, is not counted.
    shop.dealer("Kamera Vest");
    for n in 0..5 {
        let offer = shop.offer(METTE, CAMERA, &format!("01202100771{n}")).await;
        let reason = if n == 0 { "declined" } else { "not_mine" };
        shop.refuse(&offer, reason).await.expect(204);
    }
    assert_eq!(shop.raw.lines(&alerts).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_is_reminded_of_and_runs_out() {
    let mut shop = Shop::open().await;
    let began = shop.began;
    let first = shop.offer(METTE, CAMERA, SERIAL).await;
    shop.offer(METTE, CAMERA, "012021005522").await;
    shop.offer(JONAS, CAMERA, "012021005533").await;
    let answered = shop.offer(METTE, CAMERA, "012021005544").await;
    shop.accept(&answered, &shop.mette).await.expect(200);
    shop.app.advance(TimeDelta::days(26)).await;
    let reminders = async |app: &TestApp, to: &str| {
        let mails = app.mails(to).await;
        let is_one = |mail: &&Value| mail["template"] == "offer_expiring";
        mails.iter().filter(is_one).cloned().collect::<Vec<_>>()
    };
    let to = "mette@fjordfoto.example";
    assert!(reminders(&shop.app, to).await.is_empty());
    shop.app.advance(TimeDelta::hours(25)).await;
    let told = reminders(&shop.app, to).await;
    let told: Vec<&Value> = told
        .iter()
        .filter(|mail| mail["text"].as_str().unwrap().contains(SERIAL))
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    let text = told[0]["text"].as_str().unwrap();
    for part in [SERIAL, "012021005522", "Foto Vest", "/offers"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("012021005544") && !text.contains("012021005533"));
    let end = began + TimeDelta::days(30);
    shop.app.set_clock(&end.to_rfc3339()).await;
    shop.mette = shop.app.sign_in(to).await;
    // Its time is over, whether or not its hour is.
    let late = shop.app.now().await + TimeDelta::seconds(10);
    shop.app.set_clock(&late.to_rfc3339()).await;
    let closed = shop.accept(&first, &shop.mette).await;
    closed.problem(409, "offer_closed");
    assert!(shop.offers().await.is_empty());
    shop.app.advance(TimeDelta::hours(1)).await;
    assert_eq!(shop.told("product.offer_expired").await, 3);
    assert_eq!(shop.told("registration.expired").await, 3);
    shop.mette = shop.app.sign_in(to).await;
    let ended = shop.app.get(&product_of(&first), &shop.mette).await;
    let ended = ended.expect(200);
    assert_eq!(ended.body["end_reason"], "expired");
    let other = reminders(&shop.app, "jonas@lysogskygge.example").await;
    assert_eq!(other.len(), 1);
    let verified = shop.app.stop().await.command(&["verify-ledger"]);
    assert!(verified.contains("Every balance is right"), "{verified}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_trusts_a_dealer_and_trusts_it_no_longer() {
    let mut shop = Shop::open().await;
    let list = format!("{METTE}/trusted-partners");
    let path = format!("{list}/{}", shop.partner);
    let trust = async |shop: &Shop| {
        let request = shop.app.request(Method::PUT, &path).sent_by(&shop.mette);
        request.answer().await
    };
    let end = async |shop: &Shop| {
        let request = shop.app.request(Method::DELETE, &path);
        request.sent_by(&shop.mette).answer().await
    };
    end(&shop).await.expect(204);
    let offer = shop.offer(METTE, CAMERA, SERIAL).await;
    let first = trust(&shop).await.expect(200);
    assert_eq!(first.body["name"], "Foto Vest");
    let again = trust(&shop).await.expect(200);
    assert_eq!(first.body, again.body);
    let listed = shop.app.get(&list, &shop.mette).await.expect(200);
    let is_it = |one: &&Value| one["id"] == json!(shop.partner);
    let items = listed.body["items"].as_array().unwrap();
    assert_eq!(items.iter().find(is_it), Some(&first.body));
    // What was offered before waits all the same.
    assert_eq!(shop.offers().await.len(), 1);
    shop.accept(&offer, &shop.mette).await.expect(200);
    assert_eq!(shop.told("account.partner_trusted").await, 1);

    let suspend = "UPDATE partners SET status = 'suspended' WHERE name = 'Foto Vest'";
    shop.raw.run(suspend).unwrap();
    trust(&shop).await.problem(404, "not_found");
    end(&shop).await.expect(204);
    end(&shop).await.problem(404, "not_found");
    assert_eq!(shop.told("account.partner_trust_ended").await, 1);
    let unknown = format!("{list}/ptn_{}", "f".repeat(32));
    let unknown = shop.app.request(Method::PUT, &unknown).sent_by(&shop.mette);
    unknown.answer().await.problem(404, "not_found");
    let none = shop.app.get(&list, &shop.mette).await.expect(200);
    let items = none.body["items"].as_array().unwrap();
    assert!(!items.iter().any(|one| one["id"] == json!(shop.partner)));
}

/// What Kamerahuset, whom nobody trusts, has reported of a camera that another business has: two lines that came to one offer.
struct Siblings {
    shop: Shop,
    dealer: Token,
    /// The path of the offer.
    offer: String,
    /// Those of the lines.
    lines: [String; 2],
}

const HELD: &str = "062021000311";

impl Siblings {
    async fn report(shop: &Shop, dealer: &Token, line: Value) -> Answer {
        shop.app.post("/v1/registrations", dealer, line).await
    }

    fn sale(id: &str) -> Value {
        json!({
            "external_id": id, "account_number": "2000000127", "model": "EOS R1", "serial_number": HELD, "purchase_date": "2025-03-14"
        })
    }

    async fn open() -> Self {
        let shop = Shop::open().await;
        let card = shop.app.get("/v1/sandbox", &Token::default()).await;
        let dealer = shop.app.dealer(KAMERAHUSET, "").await;
        let (mut lines, mut product) = (Vec::new(), String::new());
        for id in ["A-1", "A-2"] {
            let mut line = Self::sale(id);
            line["account_number"] = card.body["customers"]["account_number"].clone();
            let taken = Self::report(&shop, &dealer, line).await.expect(200);
            assert_eq!(taken.str("/status"), "already_registered");
            lines.push(taken.header("location").to_owned());
            product = taken.str("/product_id");
        }
        Self {
            shop,
            dealer,
            offer: format!("{METTE}/offers/{product}"),
            lines: lines.try_into().unwrap(),
        }
    }

    /// Nobody has the serial number any more, and the first line is sent again: an offer stands.
    async fn free(&mut self) {
        let sold = format!(
            "UPDATE products SET status = 'ended', end_reason = 'sold', holds_serial = FALSE, ended_at = updated_at WHERE holds_serial AND serial_number = '{HELD}'"
        );
        self.shop.raw.run(&sold).unwrap();
        let card = self.shop.app.get("/v1/sandbox", &Token::default()).await;
        let mut line = Self::sale("A-1");
        line["account_number"] = card.body["customers"]["account_number"].clone();
        let taken = Self::report(&self.shop, &self.dealer, line).await;
        assert_eq!(taken.expect(201).str("/status"), "offered");
    }

    /// The statuses of both, and whether they still wait for an answer.
    async fn stand(&self) -> [(String, bool); 2] {
        let mut stand = Vec::new();
        for line in &self.lines {
            let read = self.shop.app.get(line, &self.dealer).await.expect(200);
            stand.push((
                read.str("/status"),
                read.body["offer_expires_at"].is_string(),
            ));
        }
        stand.try_into().unwrap()
    }

    async fn told(&mut self, word: &str) -> usize {
        self.shop.own = vec![self.offer.rsplit('/').next().unwrap().to_owned()];
        let lines = self
            .lines
            .iter()
            .map(|line| line.rsplit('/').next().unwrap().to_owned());
        self.shop.own.extend(lines);
        self.shop.told(word).await
    }
}

fn both(status: &str) -> [(String, bool); 2] {
    [(status.to_owned(), false), (status.to_owned(), false)]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_of_an_offer_is_declined_with_it() {
    let mut lines = Siblings::open().await;
    lines
        .shop
        .refuse(&lines.offer, "not_mine")
        .await
        .expect(204);
    assert_eq!(lines.stand().await, both("declined"));
    assert_eq!(lines.told("registration.declined").await, 2);
    assert_eq!(lines.told("product.offer_declined").await, 1);
    let refused = "SELECT CAST(count(DISTINCT product_id) AS TEXT) AS line FROM registrations WHERE reason = 'not_mine'";
    assert_eq!(lines.shop.raw.lines(refused), ["1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_the_lines_of_an_offer_that_is_accepted_one_stands_and_the_others_found_it_registered() {
    let mut lines = Siblings::open().await;
    lines.free().await;
    let accepted = lines.shop.accept(&lines.offer, &lines.shop.mette).await;
    accepted.expect(200);
    let stand = lines.stand().await;
    assert_eq!(stand[0], ("registered".to_owned(), false));
    assert_eq!(stand[1], ("already_registered".to_owned(), false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_of_an_offer_runs_out_with_it() {
    let mut lines = Siblings::open().await;
    lines.shop.app.advance(TimeDelta::days(31)).await;
    lines.dealer = lines.shop.app.dealer(KAMERAHUSET, "").await;
    assert_eq!(lines.stand().await, both("expired"));
    assert_eq!(lines.told("registration.expired").await, 2);
    assert_eq!(lines.told("product.offer_expired").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_line_waits_for_the_answer_to_an_offer_that_is_withdrawn() {
    let mut lines = Siblings::open().await;
    lines.free().await;
    let back = json!({ "verb": "return", "external_id": "A-3", "of": "A-1" });
    Siblings::report(&lines.shop, &lines.dealer, back)
        .await
        .expect(201);
    let stand = lines.stand().await;
    assert_eq!(stand[0], ("returned".to_owned(), false));
    assert_eq!(stand[1], ("already_registered".to_owned(), false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_that_is_accepted_as_it_runs_out_keeps_its_lines() {
    let lines = Siblings::open().await;
    if !lines.shop.app.database.is_shared() {
        return;
    }
    let product = lines.offer.rsplit('_').next().unwrap();
    let product = uuid::Uuid::parse_str(product).unwrap();
    let mut answers = Raw::open(&lines.shop.app.database);
    answers.run("BEGIN").unwrap();
    let accepted = format!("UPDATE products SET status = 'complete' WHERE id = '{product}'");
    answers.run(&accepted).unwrap();
    let answer = async {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        answers.run("COMMIT").unwrap();
    };
    tokio::join!(lines.shop.app.advance(TimeDelta::days(31)), answer);
    let mut raw = Raw::open(&lines.shop.app.database);
    let expired = "SELECT CAST(count(*) AS TEXT) AS line FROM registrations WHERE status = 'expired' AND external_id LIKE 'A-%'";
    assert_eq!(raw.lines(expired), ["0"]);
}
