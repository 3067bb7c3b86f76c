//! The database itself keeps the points ledger right: what it refuses, whoever asks.

use cps_api::repository::Kind;

use crate::process::Setup;
use crate::raw::Raw;
use crate::support::Database;

const AT: &str = "2026-03-01T12:00:00.000000Z";
const ACCOUNTS: [u8; 2] = [1, 2];
const PRODUCTS: [u8; 3] = [1, 2, 3];

/// The `n`-th id of a kind, as both databases read it.
fn id(kind: u8, n: u8) -> String {
    format!("{kind:02}000000-0000-7000-8000-0000000000{n:02}")
}

/// A migrated database with two accounts; products 1 and 2 are the first one's, 3 the other's.
struct Ledger {
    raw: Raw,
    _database: Database,
}

/// What an entry says; the accounts and products by their number.
#[derive(Clone, Copy)]
struct Entry {
    n: u8,
    account: u8,
    seq: i64,
    kind: &'static str,
    amount: i64,
    balance: i64,
    held: i64,
    product: Option<u8>,
    reverses: Option<u8>,
}

const AWARD: Entry = Entry {
    n: 1,
    account: 1,
    seq: 1,
    kind: "award",
    amount: 235,
    balance: 235,
    held: 0,
    product: Some(1),
    reverses: None,
};

const REVERSAL: Entry = Entry {
    n: 2,
    seq: 2,
    kind: "reversal",
    amount: -235,
    balance: 0,
    reverses: Some(1),
    ..AWARD
};

impl Ledger {
    fn new() -> Self {
        let database = Database::create();
        let mut raw = Raw::migrated(&database);
        for n in ACCOUNTS {
            raw.run(&format!(
                "INSERT INTO accounts (id, account_number, status, version, company_name, company_key, country, vat_registered, street,
                    postal_code, city, contact_name, contact_email, contact_email_key, language, authority_declared_at,
                    authority_declared_from, terms_version, terms_accepted_at, created_at, updated_at)
                 VALUES ('{}', '{n}', 'active', 1, 'a', 'a', 'DK', FALSE, 's', 'p', 'c', 'n', 'e', 'e', 'da', '{AT}', 'f', 't', '{AT}', '{AT}', '{AT}')",
                id(1, n)
            ))
            .unwrap();
        }
        raw.run(&format!(
            "INSERT INTO models (id, name, name_key, category, example, created_at)
             VALUES ('{}', 'A model of no catalogue', 'a model of no catalogue', 'camera', TRUE, '{AT}')",
            id(2, 1)
        ))
        .unwrap();
        for n in PRODUCTS {
            raw.run(&format!(
                "INSERT INTO products (id, account_id, model_id, version, status, estimated, created_at, updated_at)
                 VALUES ('{}', '{}', '{}', 1, 'complete', '[]', '{AT}', '{AT}')",
                id(3, n),
                id(1, 1 + n / 3),
                id(2, 1)
            ))
            .unwrap();
        }
        Self {
            raw,
            _database: database,
        }
    }

    fn add(&mut self, entry: Entry) -> Result<(), String> {
        self.add_at(entry, AT)
    }

    fn add_at(&mut self, entry: Entry, at: &str) -> Result<(), String> {
        let quoted = |id: Option<String>| id.map_or("NULL".to_owned(), |id| format!("'{id}'"));
        let sql = format!(
            "INSERT INTO points_entries (id, account_id, seq, kind, amount, balance, held, product_id, reverses, value_valid_from, reason, actor, created_at)
             VALUES ('{}', '{}', {}, '{}', {}, {}, {}, {}, {}, {}, 'a reason', 'service:seed', '{at}')",
            id(4, entry.n),
            id(1, entry.account),
            entry.seq,
            entry.kind,
            entry.amount,
            entry.balance,
            entry.held,
            quoted(entry.product.map(|n| id(3, n))),
            quoted(entry.reverses.map(|n| id(4, n))),
            if entry.kind == "award" { "'2026-01-01'" } else { "NULL" },
        );
        self.raw
            .run(&sql)
            .map(drop)
            .map_err(|error| error.to_string())
    }

    #[track_caller]
    fn takes(&mut self, entry: Entry) {
        self.add(entry).unwrap();
    }

    #[track_caller]
    fn refuses(&mut self, entry: Entry, why: &str) {
        let before = self.entries();
        let refusal = self.add(entry).expect_err(why);
        assert!(refusal.contains(why), "{refusal}");
        assert_eq!(self.entries(), before);
    }

    fn entries(&mut self) -> Vec<String> {
        self.raw.lines(
            "SELECT CAST(account_id AS TEXT) || ' ' || seq || ' ' || kind || ' ' || amount || ' ' || balance || ' ' || held AS line
             FROM points_entries ORDER BY account_id, seq",
        )
    }
}

#[test]
fn an_entry_is_never_changed_nor_deleted() {
    let mut ledger = Ledger::new();
    ledger.takes(AWARD);
    let before = ledger.entries();
    let mut attempts = vec![
        "UPDATE points_entries SET amount = 500",
        "UPDATE points_entries SET reason = 'another'",
        "DELETE FROM points_entries",
        "DELETE FROM points_entries WHERE amount > 0",
    ];
    if ledger.raw.kind() == Kind::Postgres {
        attempts.push("TRUNCATE points_entries CASCADE");
        attempts.push("TRUNCATE accounts CASCADE");
    }
    for attempt in attempts {
        let refusal = ledger.raw.run(attempt).expect_err(attempt).to_string();
        assert!(
            refusal.contains("never changed or deleted"),
            "{attempt}: {refusal}"
        );
        assert_eq!(ledger.entries(), before, "{attempt}");
    }
}

#[test]
fn the_entries_of_an_account_are_numbered_without_a_gap() {
    let mut ledger = Ledger::new();
    let gap = "seq has a gap";
    ledger.refuses(Entry { seq: 2, ..AWARD }, gap);
    ledger.takes(AWARD);
    let next = Entry {
        n: 2,
        kind: "adjustment",
        amount: 10,
        balance: 245,
        product: None,
        ..AWARD
    };
    ledger.refuses(Entry { seq: 3, ..next }, gap);
    ledger.refuses(Entry { seq: 1, ..next }, gap);
    ledger.takes(Entry { seq: 2, ..next });
    // Another account's numbers are its own.
    ledger.takes(Entry {
        n: 3,
        account: 2,
        product: Some(3),
        ..AWARD
    });
}

#[test]
fn an_entry_never_lies_before_the_last_one() {
    let mut ledger = Ledger::new();
    ledger.takes(AWARD);
    let refusal = ledger.add_at(REVERSAL, "2020-01-01T00:00:00.000000Z");
    let refusal = refusal.expect_err("an entry before the last one");
    assert!(refusal.contains("lies before the last one"), "{refusal}");
    // At the same moment, and another account's at any.
    ledger.takes(REVERSAL);
    let elsewhere = Entry {
        n: 3,
        account: 2,
        product: Some(3),
        ..AWARD
    };
    ledger
        .add_at(elsewhere, "2020-01-01T00:00:00.000000Z")
        .unwrap();
}

#[test]
fn a_balance_is_the_sum_of_the_entries_and_what_is_held_that_of_the_holds() {
    let mut ledger = Ledger::new();
    let (wrong, held) = (
        "the balance is not that of the entries",
        "held is not that of the entries",
    );
    ledger.refuses(
        Entry {
            balance: 236,
            ..AWARD
        },
        wrong,
    );
    ledger.refuses(Entry { held: 1, ..AWARD }, held);
    ledger.takes(AWARD);
    let hold = Entry {
        n: 2,
        seq: 2,
        kind: "hold",
        held: 235,
        ..AWARD
    };
    ledger.refuses(
        Entry {
            balance: 470,
            ..hold
        },
        wrong,
    );
    ledger.refuses(Entry { held: 234, ..hold }, held);
    ledger.takes(hold);
    let release = Entry {
        n: 3,
        seq: 3,
        kind: "release",
        held: 0,
        ..AWARD
    };
    ledger.refuses(
        Entry {
            held: 235,
            ..release
        },
        held,
    );
    ledger.takes(release);
    ledger.takes(Entry {
        n: 4,
        seq: 4,
        kind: "adjustment",
        amount: -300,
        balance: -65,
        product: None,
        ..AWARD
    });
}

#[test]
fn a_registration_has_at_most_one_award_that_stands() {
    let mut ledger = Ledger::new();
    ledger.takes(AWARD);
    let second = Entry {
        n: 2,
        seq: 2,
        balance: 470,
        ..AWARD
    };
    let stands = "has an award that stands";
    ledger.refuses(second, stands);
    ledger.takes(Entry {
        product: Some(2),
        ..second
    });
    // Nor may another account be awarded for it.
    ledger.refuses(
        Entry {
            n: 3,
            account: 2,
            ..AWARD
        },
        stands,
    );
}

#[test]
fn an_award_is_taken_back_once_and_for_its_amount() {
    let mut ledger = Ledger::new();
    ledger.takes(AWARD);
    let one_award = "takes back one award for its amount";
    let wrong = [
        Entry {
            amount: -234,
            balance: 1,
            ..REVERSAL
        },
        Entry {
            product: Some(2),
            ..REVERSAL
        },
        Entry {
            account: 2,
            seq: 1,
            balance: -235,
            ..REVERSAL
        },
        Entry {
            reverses: Some(9),
            ..REVERSAL
        },
    ];
    for entry in wrong {
        ledger.refuses(entry, one_award);
    }
    ledger.takes(REVERSAL);
    let again = Entry {
        n: 3,
        seq: 3,
        balance: -235,
        ..REVERSAL
    };
    let refusal = ledger.add(again).unwrap_err();
    assert!(
        refusal.contains("points_entries.reverses")
            || refusal.contains("points_entries_reverses_key"),
        "{refusal}"
    );
    // A reversal is no award.
    ledger.refuses(
        Entry {
            n: 3,
            seq: 3,
            amount: 235,
            balance: 235,
            reverses: Some(2),
            ..REVERSAL
        },
        one_award,
    );
    ledger.takes(Entry {
        n: 3,
        seq: 3,
        ..AWARD
    });
}

#[test]
fn what_somebody_changed_past_the_triggers_is_found_and_named() {
    let database = Database::create();
    let setup = Setup::on(&database);
    let mut served = setup.serve();
    served.terminate();
    assert!(served.end().success());
    let right = setup.run(&["verify-ledger"]);
    assert!(right.ok, "{right:?}");
    let mut raw = Raw::open(&database);
    let entry = raw.lines(
        "SELECT CAST(account_id AS TEXT) || ' ' || seq AS line FROM points_entries ORDER BY account_id, seq DESC LIMIT 1",
    );
    let (account, seq) = entry[0].split_once(' ').unwrap();
    raw.run(match raw.kind() {
        Kind::Postgres => "DROP TRIGGER points_entries_no_change ON points_entries",
        Kind::Sqlite => "DROP TRIGGER points_entries_no_update",
    })
    .unwrap();
    raw.run(&format!(
        "UPDATE points_entries SET amount = amount + 1 WHERE account_id = '{account}' AND seq = {seq}"
    ))
    .unwrap();
    let wrong = setup.run(&["verify-ledger"]);
    let named = format!("acc_{}", account.replace('-', ""));
    assert!(
        !wrong.ok && wrong.stderr.contains(&named) && wrong.stderr.contains(seq),
        "{wrong:?}"
    );
}
