//! What is seen of a bank statement, and of taking one in.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::bank::{BankStatementId, StatementFormat, StatementState, StatementWhy};
use crate::domain::language::Language;
use crate::handlers::labels::label;
use crate::jobs::bank::Outcome;
use crate::repository::bank_statements::BankStatement;
use crate::types::Instant;
use crate::workflows::bank::Imported;

/// A statement as the sandbox takes it.
pub const EXAMPLE_CAMT: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.02\"><BkToCstmrStmt><GrpHdr><MsgId>MSG-1</MsgId></GrpHdr><Stmt><Id>2026-356</Id><ElctrncSeqNb>356</ElctrncSeqNb><Acct><Id><IBAN>NL13TEST0123456789</IBAN></Id><Ccy>EUR</Ccy></Acct><Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">1000.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal><Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">1351.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal><Ntry><Amt Ccy=\"EUR\">351.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-12-22</Dt></BookgDt><NtryDtls><TxDtls><RmtInf><Ustrd>RF42 2026 0000 01</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry></Stmt></BkToCstmrStmt></Document>";
/// The same as rows.
pub const EXAMPLE_CSV: &str = "account;booking_date;amount;currency;balance;text;payer_name\nNL13TEST0123456789;2026-12-22;351.00;EUR;1351.00;RF42 2026 0000 01;Foto Nord ApS\n";

/// What became of one statement of a file.
#[derive(Serialize, ToSchema)]
struct ImportedStatement {
    /// None where it was only looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    id: Option<BankStatementId>,
    state: StatementState,
    label: String,
    #[schema(minimum = 0)]
    lines_new: i64,
    /// That were stored before.
    #[schema(minimum = 0)]
    lines_seen: i64,
    /// That the bank has not booked.
    #[schema(minimum = 0)]
    lines_pending: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    why: Option<StatementWhy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    why_label: Option<String>,
}

impl ImportedStatement {
    fn of(imported: &Imported, language: Language) -> Self {
        Self {
            id: imported.id,
            state: imported.state,
            label: label("bank_statement_states", imported.state, language),
            lines_new: imported.lines_new,
            lines_seen: imported.lines_seen,
            lines_pending: imported.lines_pending,
            why: imported.why,
            why_label: why_label(imported.why, language),
        }
    }
}

fn why_label(why: Option<StatementWhy>, language: Language) -> Option<String> {
    why.map(|why| label("bank_statement_whys", why, language))
}

/// What became of a file.
#[derive(Serialize, ToSchema)]
#[schema(as = BankImport)]
pub struct ImportView {
    /// In the order in which they stand in it.
    statements: Vec<ImportedStatement>,
}

impl ImportView {
    pub fn of(outcome: &Outcome, language: Language) -> Self {
        let statements = outcome.statements.iter();
        Self {
            statements: statements
                .map(|one| ImportedStatement::of(one, language))
                .collect(),
        }
    }
}

/// One page of a bank statement.
#[derive(Serialize, ToSchema)]
#[schema(as = BankStatement)]
pub struct BankStatementView {
    id: BankStatementId,
    format: StatementFormat,
    /// The IBAN of the account, or what its bank has instead.
    #[schema(example = "NL13TEST0123456789")]
    account: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = false, example = "EUR")]
    currency: String,
    /// The bank's own id of it.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = false, example = "2026-356")]
    statement_ref: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = false, example = "356")]
    sequence: String,
    #[schema(minimum = 1)]
    page: i64,
    last_page: bool,
    /// The booked balance before its lines.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = false, example = "1000")]
    opening: String,
    /// The booked balance after them.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = false, example = "1351")]
    closing: String,
    state: StatementState,
    label: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    why: Option<StatementWhy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    why_label: Option<String>,
    /// Whether its bank writes reversals the wrong way round: they were turned.
    reversals_inverted: bool,
    #[schema(minimum = 0)]
    lines_new: i64,
    #[schema(minimum = 0)]
    lines_seen: i64,
    #[schema(minimum = 0)]
    lines_pending: i64,
    created_at: Instant,
    #[schema(minimum = 1)]
    version: i64,
}

impl BankStatementView {
    pub fn of(row: BankStatement, language: Language) -> Self {
        Self {
            id: row.id,
            format: row.format,
            account: row.account,
            currency: row.currency,
            statement_ref: row.statement_ref,
            sequence: row.sequence,
            page: row.page,
            last_page: row.last_page,
            opening: row.opening,
            closing: row.closing,
            state: row.state,
            label: label("bank_statement_states", row.state, language),
            why: row.why,
            why_label: why_label(row.why, language),
            reversals_inverted: row.reversals_inverted,
            lines_new: row.lines_new,
            lines_seen: row.lines_seen,
            lines_pending: row.lines_pending,
            created_at: row.created_at,
            version: row.version,
        }
    }
}

/// A page of statements.
#[derive(Serialize, ToSchema)]
pub struct BankStatementPage {
    pub items: Vec<BankStatementView>,
    #[schema(required = true)]
    pub next_cursor: Option<String>,
}
