//! What an active account has: products, points, a membership.

use serde_json::json;

use super::super::subject::serial;
use super::{Operation, hex};
use crate::membership::by_transfer;

pub static REGISTER_PRODUCT: Operation = Operation::new(
    "register product",
    |call| {
        let product = call.staff.product(call.subject.n, call.nth);
        call.post(&call.path("products"), &call.subject.token)
            .json(&product)
    },
    |call| {
        let key = serial(call.subject.n, call.nth);
        call.of_account("products", &format!("serial_key = '{key}'"))
    },
);

pub static IMPORT_PRODUCTS: Operation = Operation::new(
    "import products",
    |call| {
        let file = format!(
            "model;serial_number;purchase_date;purchase_country;dealer;estimated\r\n\
             EOS R6 Mark II;{};2024-05-17;DK;Foto Nord;\r\n",
            serial(call.subject.n, 4 + call.nth)
        );
        call.post(&call.path("products/import"), &call.subject.token)
            .header("content-type", "text/csv")
            .body(file)
    },
    |call| {
        let key = serial(call.subject.n, 4 + call.nth);
        call.of_account("products", &format!("serial_key = '{key}'"))
    },
);

pub static CHANGE_PRODUCT: Operation = Operation::new(
    "change product",
    |call| {
        let subject = call.subject;
        let body = json!({ "dealer": call.name() });
        call.patch(&subject.product, &subject.token, 1, body)
    },
    |call| call.of_account("products", &format!("dealer = '{}'", call.name())),
);

pub static END_PRODUCT: Operation = Operation::new(
    "end product",
    |call| {
        let path = format!("{}?reason=sold", call.subject.product);
        call.delete(&path, &call.subject.token, 1)
    },
    |call| {
        let id = hex(&call.subject.product);
        call.of_account("products", &format!("id = '{id}' AND status = 'ended'"))
    },
);

/// The entry stands, and the balance is what all entries come to.
pub static ADJUST: Operation = Operation::new(
    "adjust",
    |call| {
        let body = json!({ "amount": 5, "reason": call.name() });
        call.post(&call.path("points/adjustments"), &call.staff.admin)
            .json(&body)
    },
    |call| {
        let newest = "SELECT e.balance FROM points_entries e WHERE e.account_id = points_entries.account_id ORDER BY e.seq DESC LIMIT 1";
        call.of_account(
            "points_entries",
            &format!(
                "reason = '{}' AND ({newest}) =
                   (SELECT p.balance FROM points_accounts p WHERE p.account_id = points_entries.account_id)",
                call.name()
            ),
        )
    },
);

pub static JOIN: Operation = Operation::new(
    "join",
    |call| {
        call.post(&call.path("membership"), &call.subject.token)
            .json(&by_transfer("gold"))
    },
    |call| call.of_account("memberships", "status = 'active'"),
);
