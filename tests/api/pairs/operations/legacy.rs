//! Taking over an old account: its code, its proof, its products, and attaching one.

use reqwest::Method;
use serde_json::json;

use super::super::subject::{old_address, old_number};
use super::{Operation, truth};

const CODE: &[&str] = &["migration_proof"];

/// A mail for each, as long as the address is not proven.
pub static SEND_CODE: Operation = Operation::new(
    "send code",
    |call| {
        let path = call.path("migration/proof");
        call.sent(Method::POST, &path, &call.subject.token)
    },
    |call| {
        let (id, old) = (call.subject.id(), old_address(call.subject.n, 0));
        truth(&format!(
            "EXISTS (SELECT 1 FROM legacy_proofs WHERE account_id = '{id}' AND (proven_at IS NOT NULL
               OR sealed_code IS NOT NULL AND mails = {} AND {}))",
            2 + call.besides,
            call.has_mails(CODE, &[old])
        ))
    },
)
.mailing(CODE);

/// With the code that the subject has got.
pub static PROVE: Operation = Operation::new(
    "prove",
    |call| {
        let path = call.path("migration/proof");
        call.sent(Method::PUT, &path, &call.subject.token)
            .json(&json!({ "code": call.subject.code }))
    },
    |call| {
        call.of_account(
            "legacy_proofs",
            "proven_at IS NOT NULL AND sealed_code IS NULL",
        )
    },
);

/// The products of the old accounts that are taken over are here, each once.
pub static MIGRATE: Operation = Operation::new(
    "migrate",
    |call| call.post(&call.path("migration"), &call.subject.token),
    |call| {
        let id = call.subject.id();
        truth(&format!(
            "(SELECT count(*) > 0 AND bool_and((
               SELECT count(*) = 2 AND count(products.id) = 2 AND count(DISTINCT products.id) = 2
               FROM legacy_products LEFT JOIN products
                 ON products.id = product_id AND products.account_id = legacy_takeovers.account_id
               WHERE legacy_products.legacy_account_id = legacy_takeovers.legacy_account_id AND result IS NOT NULL))
              FROM legacy_takeovers WHERE account_id = '{id}' AND migrated_at IS NOT NULL)"
        ))
    },
);

/// Another old account than the one of the address.
pub static ATTACH: Operation = Operation::new(
    "attach",
    |call| {
        let number = old_number(call.subject.n, 1);
        call.sent(
            Method::PUT,
            &call.path("legacy-account"),
            &call.staff.support,
        )
        .json(&json!({ "member_number": number, "reason": "The old mailbox is closed." }))
    },
    |call| {
        let number = old_number(call.subject.n, 1);
        call.of_account(
            "legacy_takeovers",
            &format!(
                "attached_by IS NOT NULL
                 AND legacy_account_id = (SELECT id FROM legacy_accounts WHERE member_number = '{number}')"
            ),
        )
    },
);
