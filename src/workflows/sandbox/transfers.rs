//! Transfers that nobody ordered: a bank statement of today, as a bank would write it.

use chrono::NaiveDate;
use quick_xml::escape::escape;

use crate::domain::bank::BankStatementId;
use crate::domain::calendar::local_date;
use crate::domain::check_digits::mod97;
use crate::domain::money::{Amount, Currency};
use crate::secrets::sha256_hex;
use crate::workflows::Context;

/// Money that is to come.
#[derive(Debug, Clone)]
pub struct Transfer {
    pub reference: Option<String>,
    pub text: Option<String>,
    pub amount: Amount,
    pub currency: Currency,
    pub payer_name: Option<String>,
    /// So many payments that are all the same.
    pub times: u32,
    pub is_booked: bool,
}

/// A camt.053 of today with these transfers to the seller's account.
pub fn camt(context: &Context, transfer: &Transfer) -> String {
    let seller = &context.programme.seller;
    let today = local_date(context.now, seller.zone);
    let id = BankStatementId::new(context.now)
        .uuid()
        .simple()
        .to_string();
    let sum = match transfer.is_booked {
        true => transfer.amount.0.saturating_mul(transfer.times.into()),
        false => 0,
    };
    let entries: String = (0..transfer.times)
        .map(|_| entry(transfer, &id, today))
        .collect();
    let balance = |kind: &str, amount: Amount| {
        format!(
            "<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy=\"{0}\">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{today}</Dt></Dt></Bal>",
            transfer.currency
        )
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
        <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt><GrpHdr><MsgId>{id}</MsgId></GrpHdr>\
        <Stmt><Id>{id}</Id><Acct><Id><IBAN>{}</IBAN></Id><Ccy>{}</Ccy></Acct>{}{}{entries}</Stmt></BkToCstmrStmt></Document>",
        seller.iban.replace(' ', ""),
        transfer.currency,
        balance("OPBD", Amount(0)),
        balance("CLBD", Amount(sum)),
    )
}

fn entry(transfer: &Transfer, id: &str, today: NaiveDate) -> String {
    let element = |name: &str, text: &Option<String>| match text {
        Some(text) => format!("<{name}>{}</{name}>", escape(text.as_str())),
        None => String::new(),
    };
    let status = if transfer.is_booked { "BOOK" } else { "PDNG" };
    let payer = element("Nm", &transfer.payer_name);
    let account = transfer.payer_name.as_deref().and_then(account_of);
    let account = match element("IBAN", &account) {
        none if none.is_empty() => none,
        iban => format!("<DbtrAcct><Id>{iban}</Id></DbtrAcct>"),
    };
    let reference = match element("Ref", &transfer.reference) {
        none if none.is_empty() => none,
        reference => format!("<Strd><CdtrRefInf>{reference}</CdtrRefInf></Strd>"),
    };
    format!(
        "<Ntry><Amt Ccy=\"{0}\">{1}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>{status}</Cd></Sts>\
        <BookgDt><Dt>{today}</Dt></BookgDt><ValDt><Dt>{today}</Dt></ValDt><AcctSvcrRef>{id}</AcctSvcrRef>\
        <NtryDtls><TxDtls><Amt Ccy=\"{0}\">{1}</Amt><RltdPties><Dbtr><Pty>{payer}</Pty></Dbtr>{account}</RltdPties>\
        <RmtInf>{2}{reference}</RmtInf></TxDtls></NtryDtls></Ntry>",
        transfer.currency,
        transfer.amount,
        element("Ustrd", &transfer.text),
    )
}

/// The made-up bank account of whoever has this name, always the same.
fn account_of(name: &str) -> Option<String> {
    let hash = sha256_hex(name.as_bytes());
    let number = u64::from_str_radix(hash.get(..12)?, 16).ok()?;
    let account = format!("TEST{:010}", number % 10_000_000_000);
    let check = 98 - mod97(&format!("{account}NL00"))?;
    Some(format!("NL{check:02}{account}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::check_digits::is_iban;

    #[test]
    fn whoever_has_a_name_has_an_account() {
        let account = account_of("Foto Ærø ApS").unwrap();
        assert!(is_iban(&account), "{account}");
        assert_ne!(account_of("Foto Nord ApS").unwrap(), account);
    }
}
