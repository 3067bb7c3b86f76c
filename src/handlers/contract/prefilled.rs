//! What an operation is tried with, as Swagger UI fills it in: the seeded thing with which it succeeds, where that is another than its parameters name.

use serde_json::{Value, json};

use super::Object;

/// Operation, parameter, example.
const PREFILLED: &[(&str, &str, &str)] = &[
    ("uploadDocument", "account_id", DRAFT),
    ("removeDocument", "account_id", DRAFT),
    (
        "removeDocument",
        "document_id",
        "doc_0000000000007000800000000000000e",
    ),
    ("submitApplication", "account_id", DRAFT),
    ("withdrawApplication", "account_id", DRAFT),
    ("readRequirements", "account_id", DRAFT),
    ("sendFirstPasswordLink", "account_id", APPROVED),
    ("acceptContactEmail", "account_id", APPROVED),
    ("refuseContactEmail", "account_id", APPROVED),
    ("readReview", "account_id", SUBMITTED),
    ("claimReview", "account_id", SUBMITTED),
    ("decideReview", "account_id", IN_REVIEW),
    ("decideDocument", "account_id", IN_REVIEW),
    (
        "decideDocument",
        "document_id",
        "doc_00000000000070008000000000000013",
    ),
    ("liftSuspension", "account_id", SUSPENDED),
    ("listUsers", "account_id", READY_TO_JOIN),
    ("removeUser", "account_id", READY_TO_JOIN),
    (
        "removeUser",
        "user_id",
        "usr_00000000000070008000000000000079",
    ),
    ("joinProgramme", "account_id", READY_TO_JOIN),
    ("sendMigrationCode", "account_id", READY_TO_JOIN),
    ("proveLegacyAddress", "account_id", READY_TO_JOIN),
    ("readMigration", "account_id", PROVEN),
    ("migrateProducts", "account_id", PROVEN),
    (
        "updateProduct",
        "product_id",
        "prd_000000000000700080000000000000ca",
    ),
    ("checkProduct", "account_id", PROVEN),
    (
        "checkProduct",
        "product_id",
        "prd_000000000000700080000000000000d3",
    ),
];

const SUBMITTED: &str = "acc_00000000000070008000000000000003";
const DRAFT: &str = "acc_00000000000070008000000000000004";
const APPROVED: &str = "acc_00000000000070008000000000000005";
const READY_TO_JOIN: &str = "acc_00000000000070008000000000000006";
const PROVEN: &str = "acc_00000000000070008000000000000007";
const SUSPENDED: &str = "acc_00000000000070008000000000000008";
const IN_REVIEW: &str = "acc_00000000000070008000000000000009";

/// The moments of the examples that a sandbox replaces by its own, in the text of the contract: a day from now, and now.
pub const TOMORROW: &str = "2030-01-01T12:00:00Z";
pub const NOW: &str = "2026-06-01T12:00:00Z";

/// Puts the examples of an operation into its parameters.
pub fn put(operation: &mut Object) {
    let id = operation.get("operationId").and_then(Value::as_str);
    let own: Vec<_> = PREFILLED
        .iter()
        .filter(|(of, ..)| Some(*of) == id)
        .collect();
    let parameters = operation
        .get_mut("parameters")
        .and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten() {
        let name = parameter.get("name").and_then(Value::as_str);
        let example = own.iter().find(|(_, of, _)| Some(*of) == name);
        if let (Some((.., example)), Value::Object(parameter)) = (example, parameter) {
            parameter.insert("example".to_owned(), json!(example));
        }
    }
}
