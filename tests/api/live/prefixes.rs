//! The prefix of invoices is a seller's from the first start on, also where nothing is sold yet.

use crate::process::{Said, Setup};
use crate::support::Database;

const SMTP: &str = "smtp://127.0.0.1:25";
const FIRST: &str = "999999990B51";
const SECOND: &str = "999999990B52";

/// A live service of the seller with that VAT number, whose invoices have that prefix.
fn seller(database: &Database, vat_number: &str, prefix: &str) -> Setup {
    let programme = include_str!("../../../programme.toml")
        .replacen("\nexample = true", "\nexample = false", 1)
        .replace(FIRST, vat_number)
        .replace("prefix = \"CPS\"", &format!("prefix = \"{prefix}\""));
    let name = format!("{}.toml", uuid::Uuid::new_v4());
    let file = database.file(&name, &programme);
    Setup::live(database, SMTP).with("CPS_PROGRAMME", &file)
}

#[track_caller]
fn refused(said: &Said, owner: &str) {
    let names = ["CPS_PROGRAMME", "prefix", owner];
    assert!(
        !said.ok && names.iter().all(|name| said.stderr.contains(name)),
        "{said:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_starts_first_has_the_prefix_before_anything_is_sold() {
    let database = Database::create();
    let first = seller(&database, FIRST, "CPS");
    let said = first.run(&["migrate"]);
    assert!(said.ok, "{said:?}");
    // Payment references hold neither case nor signs, nor letters of other alphabets.
    for prefix in ["CPS", "cps", "C.P-S", "CP\u{d8}S"] {
        let second = seller(&database, SECOND, prefix);
        for command in ["migrate", "serve", "verify-ledger"] {
            refused(&second.run(&[command]), "NL999999990B51");
        }
    }
    let said = first.run(&["verify-ledger"]);
    assert!(said.ok, "{said:?}");
    let second = seller(&database, SECOND, "CP-T");
    assert!(second.run(&["verify-ledger"]).ok);
    refused(
        &seller(&database, FIRST, "CPT").run(&["verify-ledger"]),
        "NL999999990B52",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_who_start_at_once_one_has_the_prefix() {
    let database = Database::create();
    if !database.is_shared() {
        return;
    }
    let starts = [FIRST, SECOND].map(|vat_number| {
        let setup = seller(&database, vat_number, "CPS");
        std::thread::spawn(move || setup.run(&["migrate"]))
    });
    let said = starts.map(|start| start.join().unwrap());
    let first = said.iter().position(|said| said.ok).unwrap();
    let owner = ["NL999999990B51", "NL999999990B52"][first];
    refused(&said[1 - first], owner);
}
