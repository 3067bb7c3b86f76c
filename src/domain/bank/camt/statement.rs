//! What the elements of a camt.053 statement mean: each is told apart by its path, and whatever has another path is passed over.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::values::{amount, date, direction, given, key, value, yes};
use super::{Part, Why};
use crate::domain::bank::{BankAmount, Detail, Entry, Party};
use crate::domain::money::Currency;

/// What a statement says beside its entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    pub message_id: String,
    pub statement_ref: String,
    pub sequence: String,
    /// Its page, from 1 on, where it comes in several.
    pub page: u32,
    pub is_last_page: bool,
    /// The IBAN of the account, or what its bank has instead.
    pub account: String,
    pub currency: Option<Currency>,
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
    /// The booked balance before its entries, negative where the account is overdrawn.
    pub opening: Option<Decimal>,
    /// The booked balance after them.
    pub closing: Option<Decimal>,
}

/// An amount as far as it was read.
#[derive(Debug, Clone, Default)]
struct Money {
    amount: Option<BankAmount>,
    currency: Option<Currency>,
    is_credit: Option<bool>,
}

/// An entry as far as it was read.
#[derive(Debug, Clone, Default)]
struct Draft {
    money: Money,
    is_reversal: bool,
    status: Option<String>,
    booking_date: Option<NaiveDate>,
    value_date: Option<NaiveDate>,
    bank_reference: Option<String>,
    text: Option<String>,
    payments: Option<u32>,
    details: Vec<Detail>,
    detail: Detail,
}

/// A page, where it is one of several.
#[derive(Debug, Clone, Copy, Default)]
struct Page {
    number: Option<u32>,
    is_last: Option<bool>,
}

/// The statements of a file as far as they were read.
#[derive(Debug, Clone, Default)]
pub struct Statements {
    message_id: String,
    /// The page of the message, and whether it is the last one; and those of the statement.
    page: Page,
    own_page: Page,
    header: Header,
    is_open: bool,
    is_any: bool,
    balance: (Option<String>, Money),
    entry: Draft,
    /// The currency of the amount that is open.
    currency: Option<Currency>,
}

impl Statements {
    /// Whether there was one.
    pub fn has_any(&self) -> bool {
        self.is_any
    }

    /// An amount begins, in a currency.
    pub fn currency(&mut self, written: Option<&[u8]>) -> Result<(), Why> {
        let written = written.map(std::str::from_utf8).transpose();
        self.currency = match written.map_err(|_| Why::Value)? {
            Some(code) => Some(value(code)?),
            None => None,
        };
        Ok(())
    }

    /// An element ends with this text in it; what that makes whole.
    pub fn end(&mut self, path: &str, text: &str) -> Result<Vec<Part>, Why> {
        if let Some(path) = path.strip_prefix("Stmt/Ntry/NtryDtls/TxDtls/") {
            self.detail(path, text)?;
        } else if let Some(path) = path.strip_prefix("Stmt/Ntry/") {
            self.entry(path, text)?;
        } else if let Some(path) = path.strip_prefix("Stmt/Bal/") {
            self.balance(path, text)?;
        } else {
            return match path {
                "Stmt/Ntry" => self.entry_ends(),
                "Stmt/Bal" => self.balance_ends().map(|()| Vec::new()),
                "Stmt" => self.statement_ends(),
                _ => self.about(path, text).map(|()| Vec::new()),
            };
        }
        Ok(Vec::new())
    }

    fn about(&mut self, path: &str, text: &str) -> Result<(), Why> {
        let header = &mut self.header;
        match path {
            "GrpHdr/MsgId" => self.message_id = named(text)?,
            "GrpHdr/MsgPgntn/PgNb" => self.page.number = Some(value(text)?),
            "GrpHdr/MsgPgntn/LastPgInd" => self.page.is_last = Some(yes(text)?),
            "Stmt/StmtPgntn/PgNb" => self.own_page.number = Some(value(text)?),
            "Stmt/StmtPgntn/LastPgInd" => self.own_page.is_last = Some(yes(text)?),
            "Stmt/Id" => header.statement_ref = named(text)?,
            "Stmt/ElctrncSeqNb" => header.sequence = named(text)?,
            "Stmt/LglSeqNb" if header.sequence.is_empty() => header.sequence = named(text)?,
            "Stmt/Acct/Id/IBAN" => header.account = named(text)?.split_whitespace().collect(),
            "Stmt/Acct/Id/Othr/Id" => header.account = named(text)?,
            "Stmt/Acct/Ccy" if !text.is_empty() => header.currency = Some(value(text)?),
            "Stmt/FrToDt/FrDtTm" => header.from = date(text)?,
            "Stmt/FrToDt/ToDtTm" => header.to = date(text)?,
            _ => {}
        }
        Ok(())
    }

    fn balance(&mut self, path: &str, text: &str) -> Result<(), Why> {
        let (kind, money) = &mut self.balance;
        match path {
            "Tp/CdOrPrtry/Cd" => *kind = Some(text.to_owned()),
            "Amt" => money.amount = Some(amount(text)?),
            "CdtDbtInd" => money.is_credit = Some(direction(text)?),
            _ => {}
        }
        Ok(())
    }

    fn balance_ends(&mut self) -> Result<(), Why> {
        let (kind, money) = std::mem::take(&mut self.balance);
        let header = &mut self.header;
        let place = match kind.as_deref() {
            Some("OPBD") => &mut header.opening,
            // The closing balance of the statement before stands in where there is no opening one.
            Some("PRCD") if header.opening.is_none() => &mut header.opening,
            Some("CLBD") => &mut header.closing,
            _ => return Ok(()),
        };
        let amount = money.amount.ok_or(Why::Missing)?;
        let is_credit = money.is_credit.ok_or(Why::Missing)?;
        *place = Some(amount.signed(is_credit));
        Ok(())
    }

    fn entry(&mut self, path: &str, text: &str) -> Result<(), Why> {
        let currency = self.currency.or(self.header.currency);
        let entry = &mut self.entry;
        match path {
            "Amt" => {
                entry.money.amount = Some(amount(text)?);
                entry.money.currency = currency;
            }
            "CdtDbtInd" => entry.money.is_credit = Some(direction(text)?),
            "RvslInd" => entry.is_reversal = yes(text)?,
            "Sts" | "Sts/Cd" if !text.is_empty() => entry.status = Some(text.to_owned()),
            "BookgDt/Dt" | "BookgDt/DtTm" => entry.booking_date = date(text)?,
            "ValDt/Dt" | "ValDt/DtTm" => entry.value_date = date(text)?,
            "AcctSvcrRef" => entry.bank_reference = key(text)?,
            "AddtlNtryInf" => entry.text = given(text),
            "NtryDtls/Btch/NbOfTxs" if !text.is_empty() => entry.payments = Some(value(text)?),
            "NtryDtls/TxDtls" => entry.details.push(std::mem::take(&mut entry.detail)),
            _ => {}
        }
        Ok(())
    }

    fn detail(&mut self, path: &str, text: &str) -> Result<(), Why> {
        let currency = self.currency.or(self.header.currency);
        let detail = &mut self.entry.detail;
        match path {
            // Where both are there, the one of the later version goes first.
            "Amt" => detail.amount = Some(amount(text)?).zip(currency),
            "AmtDtls/TxAmt/Amt" if detail.amount.is_none() => {
                detail.amount = Some(amount(text)?).zip(currency);
            }
            "CdtDbtInd" => detail.is_credit = Some(direction(text)?),
            "Refs/AcctSvcrRef" => detail.bank_reference = key(text)?,
            "Refs/EndToEndId" => {
                detail.end_to_end_id = key(text)?.filter(|id| id != "NOTPROVIDED");
            }
            "RmtInf/Ustrd" => detail.texts.extend(given(text)),
            "RmtInf/Strd/CdtrRefInf/Ref" => {
                let all = detail.reference.take().into_iter().chain(key(text)?);
                let all: Vec<String> = all.collect();
                detail.reference = Some(all.join(" ")).filter(|all| !all.is_empty());
            }
            _ => party(detail, path, text)?,
        }
        Ok(())
    }

    /// Tells of the statement before its first entry.
    fn opens(&mut self) -> Option<Part> {
        let is_new = !std::mem::replace(&mut self.is_open, true);
        is_new.then(|| Part::Opens(self.whole()))
    }

    fn whole(&self) -> Header {
        let own = self.own_page;
        Header {
            message_id: self.message_id.clone(),
            page: own.number.or(self.page.number).unwrap_or(1),
            is_last_page: own.is_last.or(self.page.is_last).unwrap_or(true),
            ..self.header.clone()
        }
    }

    fn entry_ends(&mut self) -> Result<Vec<Part>, Why> {
        let draft = std::mem::take(&mut self.entry);
        let status = draft.status.ok_or(Why::Missing)?;
        let entry = Entry {
            amount: draft.money.amount.ok_or(Why::Missing)?,
            currency: draft.money.currency.ok_or(Why::Missing)?,
            is_credit: draft.money.is_credit.ok_or(Why::Missing)?,
            is_reversal: draft.is_reversal,
            is_booked: status == "BOOK",
            booking_date: draft.booking_date,
            value_date: draft.value_date,
            bank_reference: draft.bank_reference,
            text: draft.text,
            payments: draft.payments,
            balance: None,
            details: draft.details,
        };
        let opens = self.opens();
        Ok(opens.into_iter().chain([Part::Entry(entry)]).collect())
    }

    fn statement_ends(&mut self) -> Result<Vec<Part>, Why> {
        if self.header.account.is_empty() {
            return Err(Why::Missing);
        }
        let opens = self.opens();
        let closes = Part::Closes(self.whole());
        (self.header, self.own_page) = (Header::default(), Page::default());
        self.is_open = false;
        self.is_any = true;
        Ok(opens.into_iter().chain([closes]).collect())
    }
}

/// What a statement or an account is called by; nothing where its bank leaves that out.
fn named(text: &str) -> Result<String, Why> {
    Ok(key(text)?.unwrap_or_default())
}

/// Notes who is at the other end.
fn party(detail: &mut Detail, path: &str, text: &str) -> Result<(), Why> {
    let Some(path) = path.strip_prefix("RltdPties/") else {
        return Ok(());
    };
    let (party, path): (&mut Party, &str) = match path.split_once('/') {
        Some(("Dbtr" | "DbtrAcct", path)) => (&mut detail.debtor, path),
        Some(("Cdtr" | "CdtrAcct", path)) => (&mut detail.creditor, path),
        _ => return Ok(()),
    };
    match path {
        "Nm" | "Pty/Nm" => party.name = given(text),
        "Id/IBAN" => party.account = key(text)?.map(|iban| iban.replace(' ', "")),
        "Id/Othr/Id" if party.account.is_none() => party.account = key(text)?,
        _ => {}
    }
    Ok(())
}
