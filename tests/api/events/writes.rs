//! Every write operation of the contract leaves its event, or stands in a short list that says why not.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::accounts::{PASSWORD, case_of, decide, propose_email, set_password, submit};
use crate::bank::{send_statement, waiting_lines};
use crate::businesses::{Business, PDF, id_of, token_of};
use crate::paid::paid;
use crate::partners::{FOTO_NORD, MEMBER};
use crate::raw::{Raw, Sold};
use crate::support::{Answer, Sending, TestApp, Token};

/// What leaves no event, and why.
const NO_EVENT: [(&str, &str); 9] = [
    ("sendApplicantLink", "asks for a mail"),
    ("requestPasswordReset", "asks for a mail"),
    ("sendMigrationCode", "asks for a mail"),
    ("createSession", "signs in"),
    ("createToken", "signs in"),
    ("refreshSession", "stays signed in"),
    ("endSession", "signs out"),
    ("setClock", "is the sandbox's"),
    ("resetSandbox", "is the sandbox's"),
];

/// What users choose for themselves on the way.
pub const CHOSEN_PASSWORD: &str = "hav og himmel, en tidlig morgen";

/// A service whose events are read as the feed reads them: behind the last position.
pub struct Walk {
    pub app: TestApp,
    pub raw: Raw,
    position: i64,
    walked: BTreeSet<&'static str>,
}

impl Walk {
    async fn start() -> Self {
        Self::on(TestApp::start().await).await
    }

    pub async fn on(app: TestApp) -> Self {
        let raw = Raw::open(&app.database);
        let mut walk = Self {
            app,
            raw,
            position: 0,
            walked: BTreeSet::new(),
        };
        walk.fresh().await;
        walk
    }

    /// The events behind the last position, once none waits for its numbers.
    async fn fresh(&mut self) -> Vec<(String, Value)> {
        let waiting = "SELECT CAST(count(*) AS TEXT) AS line FROM event_inbox";
        let mut looks = 0;
        // A job may leave another one at any time: that it was empty once is enough.
        while self.raw.lines(waiting) != ["0"] {
            looks += 1;
            assert!(looks < 600, "events wait for their numbers");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let behind = format!(
            "SELECT type || ' ' || actor || ' ' || data AS line FROM events WHERE position > {} ORDER BY position",
            self.position
        );
        let lines = self.raw.lines(&behind);
        self.position += i64::try_from(lines.len()).unwrap();
        let read = |line: &String| {
            let mut parts = line.splitn(3, ' ');
            let word = format!("{} {}", parts.next().unwrap(), parts.next().unwrap());
            (word, serde_json::from_str(parts.next().unwrap()).unwrap())
        };
        lines.iter().map(read).collect()
    }

    /// Holds that `operation` has just left these events, by somebody of this kind.
    async fn left(&mut self, operation: &'static str, actor: &str, words: &[&str]) {
        let found = self.fresh().await;
        for word in words {
            let is_told = found
                .iter()
                .any(|(told, _)| told.starts_with(&format!("{word} {actor}:")));
            assert!(
                is_told,
                "{operation} leaves no {word} by {actor}: {found:?}"
            );
        }
        self.walked.insert(operation);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_write_operation_leaves_its_event() {
    let mut walk = Walk::start().await;
    let asta = application(&mut walk).await;
    products(&mut walk, &asta).await;
    offers(&mut walk, &asta).await;
    legacy(&mut walk, &asta).await;
    dealers(&mut walk).await;
    staff(&mut walk, &asta).await;
    money(&mut walk, &asta).await;
    jobs(&mut walk).await;
    work(&mut walk, &asta).await;
    partners(&mut walk).await;
    bank(&mut walk).await;
    let operations = include_str!("../../../openapi/operations.txt").lines();
    let writes = operations.filter_map(|line| {
        let mut words = line.split(' ');
        let (id, method) = (words.next()?, words.next()?);
        (method != "GET").then_some(id)
    });
    let exempt: BTreeSet<&str> = NO_EVENT.iter().map(|(id, _)| *id).collect();
    let missing: Vec<&str> = writes
        .filter(|id| !walk.walked.contains(id) && !exempt.contains(id))
        .collect();
    assert!(missing.is_empty(), "nothing holds these: {missing:?}");
    let verified = walk.app.stop().await.command(&["verify-events"]);
    assert!(verified.contains("as it was written"), "{verified}");
}

const EMAIL: &str = "asta@nordlys-test.example";

/// What a dealer's system reports.
pub async fn dealers(walk: &mut Walk) {
    let token = walk.app.dealer(FOTO_NORD, "").await;
    let line = json!({
        "external_id": "F-2001", "member_number": MEMBER, "model": "EOS R5", "serial_number": "130210042001", "purchase_date": "2026-02-20"
    });
    let reported = walk.app.post("/v1/registrations", &token, line).await;
    reported.expect(201);
    let told = ["registration.offered", "product.offered"];
    walk.left("createRegistration", "partner", &told).await;
    batches(walk, &token).await;
}

const BATCHES: &str = "/v1/registration-batches";

/// A batch that is worked through, and one that is stopped while it waits for another one.
async fn batches(walk: &mut Walk, token: &Token) {
    let line = |id: &str| {
        json!({
            "external_id": id, "member_number": MEMBER, "model": "EOS R5", "serial_number": "130210042002", "purchase_date": "2026-02-20"
        })
    };
    let lines =
        |ids: &[&str]| json!({ "lines": ids.iter().map(|id| line(id)).collect::<Vec<_>>() });
    let sent = walk.app.post_once(BATCHES, token, lines(&["F-2002"])).await;
    let path = sent.expect(202).header("location").to_owned();
    while walk.app.get(&path, token).await.body["status"] != "completed" {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    walk.left("createRegistrationBatch", "partner", &["batch.queued"])
        .await;
    let first = "WHERE dry_run = FALSE AND status = ";
    walk.raw.run(&format!("UPDATE registration_batches SET status = 'running', completed_at = NULL {first} 'completed'")).unwrap();
    let sent = walk.app.post_once(BATCHES, token, lines(&["F-2003"])).await;
    let path = sent.expect(202).header("location").to_owned();
    let stopped = walk.app.act(&format!("{path}/cancellation"), token).await;
    stopped.expect(202);
    walk.raw.run(&format!("UPDATE registration_batches SET status = 'completed', completed_at = queued_at {first} 'running'")).unwrap();
    walk.left("cancelRegistrationBatch", "partner", &["batch.cancelled"])
        .await;
}

/// From registering to the first password.
pub async fn application(walk: &mut Walk) -> Business {
    let registration = json!({ "legacy_cps_email": "foto@nordlys.example" });
    let (account, applicant) = walk.app.applicant(registration).await;
    let told = ["account.registered"];
    walk.left("registerAccount", "applicant", &told).await;
    let change = json!({ "contact": { "name": "Asta Holm-Nielsen" } });
    let changed = walk.app.patch(&account, &applicant, 1, change).await;
    changed.expect(200);
    let told = ["account.changed"];
    walk.left("updateAccount", "applicant", &told).await;
    let added = walk.app.upload(&account, &applicant, "vat_invoice", PDF);
    let document = added.await.expect(201).header("location").to_owned();
    walk.left("uploadDocument", "applicant", &["document.added"])
        .await;
    let removed = walk.app.delete(&document, &applicant, 1).await;
    removed.expect(204);
    walk.left("removeDocument", "applicant", &["document.removed"])
        .await;
    for (decision, told) in [("refusal", "refused"), ("acceptance", "accepted")] {
        let email = format!("{decision}@nordlys-test.example");
        let asked = propose_email(&walk.app, &account, &email);
        asked.await.expect(200);
        walk.left(
            "updateAccount",
            "staff",
            &["account.contact_email_proposed"],
        )
        .await;
        let admin = walk.app.sign_in("admin@cps.example").await;
        let path = format!("{account}/contact-email/{decision}");
        walk.app.act(&path, &admin).await.expect(200);
        let told = format!("account.contact_email_{told}");
        let operation = match decision {
            "refusal" => "refuseContactEmail",
            _ => "acceptContactEmail",
        };
        walk.left(operation, "staff", &[&told]).await;
    }
    let version = walk.app.get(&account, &applicant).await.body["version"].as_i64();
    let back = json!({ "contact": { "email": EMAIL } });
    let back = walk.app.patch(&account, &applicant, version.unwrap(), back);
    back.await.expect(200);
    submit(&walk.app, &account, &applicant).await;
    walk.left("submitApplication", "applicant", &["account.submitted"])
        .await;
    let reviewer = walk.app.sign_in("reviewer@cps.example").await;
    let case = case_of(&account);
    let claimed = walk.app.act(&format!("{case}/claim"), &reviewer).await;
    claimed.expect(200);
    let told = ["review.claimed", "account.in_review"];
    walk.left("claimReview", "staff", &told).await;
    let [accept, approve] = ["accept", "approve"].map(|word| json!({ "decision": word }));
    decide(&walk.app, &account, accept, approve)
        .await
        .expect(200);
    walk.walked.insert("decideDocument");
    let told = ["document.decided", "account.approved", "review.decided"];
    walk.left("decideReview", "staff", &told).await;
    let support = walk.app.sign_in("support@cps.example").await;
    let link = format!("{account}/first-password-link");
    walk.app.act(&link, &support).await.expect(202);
    walk.left("sendFirstPasswordLink", "staff", &["account.link_sent"])
        .await;
    let token = set_password(&walk.app, EMAIL, "first_password").await;
    let told = ["user.activated", "account.active"];
    walk.left("setPassword", "user", &told).await;
    renamed(walk, &account, &token).await;
    let (other, its) = walk.app.applicant(json!({})).await;
    let taken_back = walk.app.act(&format!("{other}/withdrawal"), &its).await;
    taken_back.expect(200);
    walk.left("withdrawApplication", "applicant", &["account.withdrawn"])
        .await;
    Business {
        account,
        email: EMAIL.to_owned(),
        token,
    }
}

/// An account in use moves, and gets another name that a document proves.
async fn renamed(walk: &mut Walk, account: &str, asta: &Token) {
    let seen = walk.app.get(account, asta).await.expect(200);
    let moved = json!({ "address": { "street": "Havnegade 2" } });
    let version = seen.body["version"].as_i64().unwrap();
    let moved = walk.app.patch(account, asta, version, moved).await;
    moved.expect(200);
    walk.left("updateAccount", "user", &["account.changed"])
        .await;
    let added = walk.app.upload(account, asta, "vat_invoice", PDF).await;
    let document = added.expect(201).str("/id");
    walk.left("uploadDocument", "user", &["document.added"])
        .await;
    let reviewer = walk.app.sign_in("reviewer@cps.example").await;
    let path = format!("{}/documents/{document}", case_of(account));
    let accept = json!({ "decision": "accept" });
    walk.app.put(&path, &reviewer, accept).await.expect(200);
    walk.left("decideDocument", "staff", &["document.decided"])
        .await;
    let support = walk.app.sign_in("support@cps.example").await;
    let seen = walk.app.get(account, &support).await.expect(200);
    let version = seen.body["version"].as_i64().unwrap();
    let name =
        json!({ "company_name": "Nordlys Film ApS", "reason": "Merged.", "document_id": document });
    let changed = walk.app.patch(account, &support, version, name).await;
    changed.expect(200);
    let told = ["account.changed", "account.company_changed"];
    walk.left("updateAccount", "staff", &told).await;
}

pub async fn products(walk: &mut Walk, asta: &Business) {
    let model = walk.app.model("EOS 5D Mark III").await;
    let path = format!("{}/products", asta.account);
    let product = json!({
        "model_id": model, "serial_number": "012021001234", "purchase_date": "2024-05-17", "purchase_country": "DK", "dealer": "Foto Nord"
    });
    let registered = walk.app.post(&path, &asta.token, product).await.expect(201);
    let told = ["product.registered", "points.changed"];
    walk.left("registerProduct", "user", &told).await;
    let product = registered.header("location").to_owned();
    let change = json!({ "dealer": "Kamerahuset" });
    let changed = walk.app.patch(&product, &asta.token, 1, change).await;
    changed.expect(200);
    walk.left("updateProduct", "user", &["product.changed"])
        .await;
    let sold = format!("{product}?reason=sold");
    walk.app.delete(&sold, &asta.token, 2).await.expect(204);
    let told = ["product.ended", "points.changed"];
    walk.left("endProduct", "user", &told).await;
    let file = "model,serial_number,purchase_date,purchase_country,dealer,estimated\nEOS R6,013021004711,2023-03-01,DK,Foto Nord,\n";
    let import = walk
        .app
        .request(reqwest::Method::POST, &format!("{path}/import"))
        .sent_by(&asta.token)
        .header("content-type", "text/csv")
        .header("idempotency-key", "a-file-of-products");
    import.body(file).answer().await.expect(200);
    walk.left("importProducts", "user", &["product.registered"])
        .await;
}

/// A dealer's offers, one accepted, one refused and one left, and whom the business trusts.
pub async fn offers(walk: &mut Walk, asta: &Business) {
    let partner = walk.raw.partner("Foto Vest");
    let (model, now) = (
        walk.app.model("EF 40mm f/2.8 STM").await,
        walk.app.now().await,
    );
    let offers = ["013021004721", "013021004722", "013021004723"].map(|serial| {
        let product = walk.raw.offer(&Sold {
            account: &asta.account,
            partner: &partner,
            model: &model,
            serial,
            now,
        });
        format!("{}/offers/{product}", asta.account)
    });
    let accept = format!("{}/acceptance", offers[0]);
    walk.app.act(&accept, &asta.token).await.expect(200);
    let told = [
        "product.offer_accepted",
        "registration.accepted",
        "points.changed",
    ];
    walk.left("acceptOffer", "user", &told).await;
    let (refuse, reason) = (
        format!("{}/refusal", offers[1]),
        json!({ "reason": "not_mine" }),
    );
    let refused = walk.app.post(&refuse, &asta.token, reason).await;
    refused.expect(204);
    let told = ["product.offer_declined", "registration.declined"];
    walk.left("refuseOffer", "user", &told).await;
    let trusted = format!("{}/trusted-partners/{partner}", asta.account);
    for (method, operation, told, status) in [
        (Method::PUT, "trustPartner", "account.partner_trusted", 200),
        (
            Method::DELETE,
            "endTrust",
            "account.partner_trust_ended",
            204,
        ),
    ] {
        let request = walk.app.request(method, &trusted).sent_by(&asta.token);
        request.answer().await.expect(status);
        walk.left(operation, "user", &[told]).await;
    }
    // One that is trusted, for whoever looks afterwards.
    let request = walk.app.request(Method::PUT, &trusted).sent_by(&asta.token);
    request.answer().await.expect(200);
}

pub async fn legacy(walk: &mut Walk, asta: &Business) {
    let proof = format!("{}/migration/proof", asta.account);
    walk.app.act(&proof, &asta.token).await.expect(202);
    let mail = walk
        .app
        .mail("foto@nordlys.example", "migration_proof")
        .await;
    let code = json!({ "code": mail["code"] });
    walk.app.put(&proof, &asta.token, code).await.expect(204);
    let told = ["account.legacy_proven"];
    walk.left("proveLegacyAddress", "user", &told).await;
    let migration = format!("{}/migration", asta.account);
    walk.app.act(&migration, &asta.token).await.expect(200);
    let told = ["account.migrated", "product.registered"];
    walk.left("migrateProducts", "user", &told).await;
    let support = walk.app.sign_in("support@cps.example").await;
    let card = walk.app.get("/v1/sandbox", &Token::default()).await;
    let waiting = card.body["legacy_accounts"][0]["member_number"].clone();
    let attach = json!({ "member_number": waiting, "reason": "The address is gone." });
    let account = "/v1/accounts/acc_00000000000070008000000000000001/legacy-account";
    walk.app.put(account, &support, attach).await.expect(200);
    walk.left("attachLegacyAccount", "staff", &["account.legacy_attached"])
        .await;
}

pub async fn staff(walk: &mut Walk, asta: &Business) {
    let admin = walk.app.sign_in("admin@cps.example").await;
    walk.app.adjust(&asta.account, 1000).await;
    let told = ["points.adjusted", "points.changed", "account.invited"];
    walk.left("adjustPoints", "staff", &told).await;
    let join = json!({ "level": "silver", "payment_method": "bank_transfer", "accept_terms_version": "2026-01" });
    let path = format!("{}/membership", asta.account);
    let joined = walk.app.post_once(&path, &asta.token, join).await;
    joined.expect(201);
    walk.left("joinProgramme", "user", &["membership.started"])
        .await;
    let users = format!("{}/users", asta.account);
    let nina = json!({ "email": "nina@nordlys-test.example", "name": "Nina", "role": "member" });
    let invited = walk.app.post(&users, &asta.token, nina).await.expect(201);
    walk.left("inviteUser", "user", &["user.invited"]).await;
    let user = format!("{users}/{}", invited.str("/id"));
    let role = json!({ "role": "read_only" });
    let changed = walk.app.patch(&user, &asta.token, 1, role).await;
    changed.expect(200);
    walk.left(
        "updateUser",
        "user",
        &["user.role_changed", "user.sessions_ended"],
    )
    .await;
    walk.app.delete(&user, &asta.token, 2).await.expect(204);
    let told = ["user.removed", "user.sessions_ended"];
    walk.left("removeUser", "user", &told).await;
    own(walk, asta).await;
    let profile = format!("{}/billing-profile", asta.account);
    let change = json!({ "your_reference": "PO-4711" });
    let changed = walk.app.patch(&profile, &asta.token, 1, change).await;
    changed.expect(200);
    let told = ["account.billing_profile_changed"];
    walk.left("updateBillingProfile", "user", &told).await;
    confirm_invoice_email(walk, asta, &profile).await;
    let suspension = format!("{}/suspension", asta.account);
    let reason = json!({ "reason": "Two members claim the same." });
    let suspended: Answer = walk.app.post(&suspension, &admin, reason).await;
    suspended.expect(200);
    walk.left("suspendAccount", "staff", &["account.suspended"])
        .await;
    let lifted = format!("{suspension}?reason=checked");
    walk.app.delete(&lifted, &admin, 1).await.expect(200);
    walk.left("liftSuspension", "staff", &["account.reopened"])
        .await;
}

/// What users do about themselves, members and staff.
/// Another address for invoices, confirmed by the link that is mailed to it.
async fn confirm_invoice_email(walk: &mut Walk, asta: &Business, profile: &str) {
    const BOOKS: &str = "books@nordlys-test.example";
    let change = json!({ "invoice_email": BOOKS });
    let changed = walk.app.patch(profile, &asta.token, 2, change).await;
    changed.expect(200);
    let told = ["account.billing_profile_changed"];
    walk.left("updateBillingProfile", "user", &told).await;
    let token = token_of(&walk.app.mail(BOOKS, "invoice_email_confirm").await);
    let body = json!({ "token": token });
    walk.app
        .post("/v1/invoice-email-confirmations", &Token::default(), body)
        .await
        .expect(204);
    let told = ["account.invoice_email_confirmed"];
    walk.left("confirmInvoiceEmail", "user", &told).await;
    let gone = json!({ "invoice_email": null });
    let gone = walk.app.patch(profile, &asta.token, 4, gone).await;
    gone.expect(200);
    let told = ["account.billing_profile_changed"];
    walk.left("updateBillingProfile", "user", &told).await;
}

async fn own(walk: &mut Walk, asta: &Business) {
    let finance = walk.app.sign_in("finance@cps.example").await;
    for (token, kind) in [(&asta.token, "user"), (&finance, "staff")] {
        let me = walk.app.get("/v1/me", token).await.expect(200);
        let version = me.body["version"].as_i64().unwrap();
        let change = json!({ "name": "Somebody Else" });
        let changed = walk.app.patch("/v1/me", token, version, change).await;
        changed.expect(200);
        walk.left("updateMe", kind, &[&format!("{kind}.changed")])
            .await;
        let password = match kind {
            "user" => PASSWORD,
            _ => "Sandbox-Adgang-2026",
        };
        let other = walk.app.sign_in_with(&me.str("/email"), password).await;
        let listed = walk.app.get("/v1/me/sessions", &other).await.expect(200);
        let session = format!("/v1/me/sessions/{}", listed.str("/items/0/id"));
        walk.app.delete(&session, token, 1).await.expect(204);
        let told = [format!("{kind}.session_ended")];
        walk.left("endOwnSession", kind, &[&told[0]]).await;
        let body = json!({ "current_password": password, "new_password": CHOSEN_PASSWORD });
        let changed = walk.app.put("/v1/me/password", token, body).await;
        changed.expect(204);
        let told = ["password_changed", "sessions_ended"].map(|word| format!("{kind}.{word}"));
        walk.left("changePassword", kind, &[&told[0], &told[1]])
            .await;
    }
}

/// Finance pauses collecting an invoice, credits some of it, and has money go back.
pub async fn money(walk: &mut Walk, asta: &Business) {
    let finance = walk
        .app
        .sign_in_with("finance@cps.example", CHOSEN_PASSWORD);
    let finance = finance.await;
    walk.app.mail(&asta.email, "invoice_issued").await;
    let invoices = format!("{}/invoices", asta.account);
    let listed = walk.app.get(&invoices, &finance).await.expect(200);
    let invoice = format!("{invoices}/{}", listed.str("/items/0/id"));
    let pause = json!({ "paused_until": "2098-03-02", "reason": "They asked for a month." });
    let collection = format!("{invoice}/collection");
    let paused = walk.app.put(&collection, &finance, pause).await;
    paused.expect(200);
    let told = ["invoice.collection_paused"];
    walk.left("pauseCollection", "staff", &told).await;
    let some = json!({ "amount": "1.00", "currency": "EUR" });
    let credit = json!({ "net": some, "reason": "goodwill", "note": "A late camera." });
    let notes = format!("{invoice}/credit-notes");
    let credited = walk.app.post_once(&notes, &finance, credit).await;
    credited.expect(201);
    walk.left("creditInvoice", "staff", &["credit_note.issued"])
        .await;
    let payment = paid(&walk.app, &asta.account, None, 5000);
    let refunds = format!("{}/payments/{payment}/refunds", asta.account);
    let back = json!({ "amount": some, "reason": "Paid twice." });
    let refund = walk.app.post_once(&refunds, &finance, back).await;
    let refund = refund.expect(202).str("/id");
    walk.left("refundPayment", "staff", &["payment.refunded"])
        .await;
    let payout = format!("/v1/refunds/{refund}/payout");
    let day = json!({ "paid_date": walk.app.now().await.date_naive() });
    let paid_out = walk.app.post_once(&payout, &finance, day).await;
    paid_out.expect(200);
    walk.left("payOutRefund", "staff", &["payment.refunded"])
        .await;
}

/// A mail that nobody could send for three days, tried again.
pub async fn jobs(walk: &mut Walk) {
    let dead =
        "UPDATE jobs SET state = 'dead', finished_at = created_at WHERE kind = 'issue_invoice'";
    assert!(walk.raw.run(dead).unwrap() > 0);
    let admin = walk.app.sign_in("admin@cps.example").await;
    let found = walk
        .app
        .get("/v1/jobs?state=dead", &admin)
        .await
        .expect(200);
    let job = found.str("/items/0/id");
    let reason = json!({ "reason": "The server is back." });
    let retry = format!("/v1/jobs/{job}/retry");
    walk.app.post(&retry, &admin, reason).await.expect(200);
    walk.left("retryJob", "staff", &["job.retried"]).await;
}

/// A bank statement that is held and released, and a line that finance decides on.
pub async fn bank(walk: &mut Walk) {
    let finance = walk
        .app
        .sign_in_with("finance@cps.example", CHOSEN_PASSWORD)
        .await;
    let held = include_str!("../../vectors/camt/42-not-balanced.xml");
    let came = send_statement(&walk.app, &finance, held).await.expect(201);
    let told = ["bank_statement.imported"];
    walk.left("importBankStatement", "staff", &told).await;
    let statement = format!("/v1/bank-statements/{}", came.str("/statements/0/id"));
    let reason = json!({ "reason": "The bank confirmed it." });
    let release = format!("{statement}/release");
    let released = walk.app.post_once(&release, &finance, reason.clone());
    let released = released.await;
    released.expect(200);
    let told = ["bank_statement.released"];
    walk.left("releaseBankStatement", "staff", &told).await;
    let transfer =
        json!({ "amount": "200.00", "text": "Tak for sidst", "payer_name": "Lys & Skygge" });
    let lever = "/v1/sandbox/bank-transfers";
    let came = walk.app.post(lever, &finance, transfer).await.expect(201);
    let told = ["bank_statement.imported"];
    walk.left("createBankTransfer", "service", &told).await;
    let lines = waiting_lines(&walk.app, &finance, &came.str("/statements/0/id")).await;
    let line = format!("/v1/bank-transactions/{}", lines[0]["id"].as_str().unwrap());
    let dismissal = format!("{line}/dismissal");
    let dismissed = walk.app.post_once(&dismissal, &finance, reason).await;
    dismissed.expect(200);
    let told = ["bank_transaction.dismissed"];
    walk.left("dismissBankTransaction", "staff", &told).await;
    walk.app.delete(&dismissal, &finance, 1).await.expect(200);
    let told = ["bank_transaction.brought_back"];
    walk.left("bringBackBankTransaction", "staff", &told).await;
    let matching = json!({ "allocations": [{
        "invoice_id": "inv_00000000000070008000000000000002", "amount": { "amount": "200.00", "currency": "EUR" }
    }] });
    let path = format!("{line}/match");
    let matched = walk.app.post_once(&path, &finance, matching).await;
    matched.expect(200);
    let told = [
        "bank_transaction.matched",
        "payment.received",
        "invoice.paid",
    ];
    walk.left("matchBankTransaction", "staff", &told).await;
    let back = format!("{line}/match?reason=It%20was%20for%20another%20invoice");
    walk.app.delete(&back, &finance, 1).await.expect(200);
    let told = ["bank_transaction.unmatched", "invoice.reopened"];
    walk.left("unmatchBankTransaction", "staff", &told).await;
}

/// Administrators take a dealer in, and give one of its systems a credential.
pub async fn partners(walk: &mut Walk) {
    let admin = walk.app.sign_in("admin@cps.example").await;
    let body =
        json!({ "name": "Foto Vest", "country": "DK", "contact_email": "it@fotovest.example" });
    let made = walk
        .app
        .post("/v1/partners", &admin, body)
        .await
        .expect(201);
    walk.left("createPartner", "staff", &["partner.created"])
        .await;
    let path = made.header("location").to_owned();
    let change = json!({ "lines_per_day": 100 });
    walk.app.patch(&path, &admin, 1, change).await.expect(200);
    walk.left("updatePartner", "staff", &["partner.changed"])
        .await;
    let body = json!({ "name": "Kasse 1", "scopes": ["registrations:write"] });
    let credentials = format!("{path}/credentials");
    let made = walk.app.post(&credentials, &admin, body).await.expect(201);
    walk.left("createCredential", "staff", &["credential.created"])
        .await;
    let own = format!("{credentials}/{}", made.str("/id"));
    let change = json!({ "name": "Kasse 2" });
    walk.app.patch(&own, &admin, 1, change).await.expect(200);
    walk.left("updateCredential", "staff", &["credential.changed"])
        .await;
    let rotation = format!("{own}/secret-rotation");
    let rotated = walk.app.post(&rotation, &admin, json!({})).await;
    rotated.expect(200);
    walk.left("rotateSecret", "staff", &["credential.secret_rotated"])
        .await;
    let previous = format!("{own}/previous-secret");
    walk.app.delete(&previous, &admin, 1).await.expect(204);
    let told = ["credential.previous_secret_ended"];
    walk.left("endPreviousSecret", "staff", &told).await;
    walk.app.delete(&own, &admin, 4).await.expect(204);
    walk.left("revokeCredential", "staff", &["credential.revoked"])
        .await;
    let suspension = format!("{path}/suspension");
    let reason = json!({ "reason": "Its systems are broken." });
    walk.app.post(&suspension, &admin, reason).await.expect(200);
    walk.left("suspendPartner", "staff", &["partner.suspended"])
        .await;
    let reopen = format!("{suspension}?reason=Mended");
    walk.app.delete(&reopen, &admin, 1).await.expect(200);
    walk.left("reopenPartner", "staff", &["partner.reopened"])
        .await;
}

/// Staff take up what waits, look at a serial number that was reported stolen, and let a dealer be.
pub async fn work(walk: &mut Walk, asta: &Business) {
    let product =
        json!({ "model_id": walk.app.model("EOS R8").await, "serial_number": "093021005555" });
    let path = format!("{}/products", asta.account);
    let stolen = walk.app.post(&path, &asta.token, product.clone()).await;
    let stolen = format!("{}?reason=stolen", stolen.expect(201).header("location"));
    walk.app.delete(&stolen, &asta.token, 1).await.expect(204);
    walk.fresh().await;
    let found = walk.app.post(&path, &asta.token, product).await.expect(201);
    let told = ["product.registered", "product.disputed", "work_item.opened"];
    walk.left("registerProduct", "user", &told).await;
    let support = walk.app.sign_in("support@cps.example").await;
    let waits = walk.app.get("/v1/work-items", &support).await.expect(200);
    let claim = format!("/v1/work-items/{}/claim", waits.str("/items/0/id"));
    walk.app.act(&claim, &support).await.expect(200);
    walk.left("claimWorkItem", "staff", &["work_item.claimed"])
        .await;
    walk.app.delete(&claim, &support, 1).await.expect(204);
    walk.left("releaseWorkItem", "staff", &["work_item.released"])
        .await;
    let check = format!("{}/check", found.header("location"));
    let confirm = json!({ "decision": "confirm", "reason": "Asta has sent a photo." });
    let checked = walk.app.post(&check, &support, confirm).await;
    checked.expect(200);
    let told = ["product.checked", "work_item.closed"];
    walk.left("checkProduct", "staff", &told).await;
    let alert = partner_alert(&mut walk.raw);
    let admin = walk.app.sign_in("admin@cps.example").await;
    let reason = json!({ "reason": "The dealer has mended its system." });
    let done = walk.app.post(&alert, &admin, reason).await;
    done.expect(200);
    walk.left("completeWorkItem", "staff", &["work_item.closed"])
        .await;
}

/// A dealer's system has behaved oddly; where staff say that it is done.
pub fn partner_alert(raw: &mut Raw) -> String {
    let alert =
        "INSERT INTO work_items (id, kind, subject_id, details, due_at, opened_at) VALUES
        ('01000000-0000-7000-8000-0000000000a1', 'partner_alert', 'ptn_01000000000070008000000000000001', '{\"cause\":\"unmatched\"}',
        '2030-03-01T12:00:00.000000Z', '2026-03-01T12:00:00.000000Z')";
    raw.run(alert).unwrap();
    "/v1/work-items/wrk_010000000000700080000000000000a1/completion".to_owned()
}

/// Nothing of what people wrote is in an event of theirs, wherever they wrote it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_event_of_a_whole_journey_says_anything_personal() {
    let mut walk = Walk::start().await;
    let asta = application(&mut walk).await;
    products(&mut walk, &asta).await;
    legacy(&mut walk, &asta).await;
    staff(&mut walk, &asta).await;
    let all = walk.raw.lines("SELECT data || actor AS line FROM events");
    assert!(all.len() > 30);
    let secrets = [
        "Asta",
        "Holm",
        "Nordlys",
        "nordlys",
        "Nina",
        "@",
        "012021001234",
        "013021004711",
        "Kamerahuset",
        "Foto Nord",
        "Havnegade",
        "13585628",
        "certifikat",
    ];
    for line in &all {
        for secret in secrets {
            assert!(!line.contains(secret), "{secret} in {line}");
        }
    }
    let reset = json!({ "email": asta.email });
    let nobody = Token::default();
    let asked = walk.app.post("/v1/password-resets", &nobody, reset).await;
    asked.expect(202);
    let token = token_of(&walk.app.mail(&asta.email, "password_reset").await);
    walk.app.set_password(&token).await;
    let told: Vec<String> = walk
        .fresh()
        .await
        .into_iter()
        .map(|(word, _)| word)
        .collect();
    let user = |word: &str| {
        told.iter()
            .any(|line| line.starts_with(&format!("{word} user:")))
    };
    assert!(
        user("user.password_changed") && user("user.sessions_ended"),
        "{told:?}"
    );
    assert!(!id_of(&asta.account).is_empty());
}
