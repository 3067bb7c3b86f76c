//! Reading a file twice: once to see that all of it can be taken and what it proves, once for its lines. Storing them is in `importing`.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek};

use crate::domain::bank::camt::{self, Header, Part, Refused, Stopped, Why};
use crate::domain::bank::{
    Entry, Line, Page, StatementFormat, Sums, entry_lines, fingerprint, number_repeats, state,
    turned_round,
};
use crate::error::{Code, Error, Fault, FaultCode, Refusal, Result};
use crate::secrets::sha256_hex;

use super::importing::NewLine;
use super::spreadsheet;

/// So many lines are handed on at once.
const CHUNK: usize = 500;

/// What a file holds.
pub enum Contents {
    /// A camt.053 file, read as often as it is asked.
    Camt(File),
    /// The statements that the rows of a CSV file make.
    Csv(Vec<(Header, Vec<Entry>)>),
}

impl Contents {
    /// What a file of this form holds.
    pub fn of(mut file: File, format: StatementFormat) -> Result<Self> {
        let unreadable = Error::internal("reading a bank statement");
        match format {
            StatementFormat::Camt => Ok(Self::Camt(file)),
            StatementFormat::Csv => {
                let mut bytes = Vec::new();
                file.rewind().map_err(&unreadable)?;
                file.read_to_end(&mut bytes).map_err(&unreadable)?;
                Ok(Self::Csv(spreadsheet::statements(&bytes)?))
            }
        }
    }
}

/// One statement as the whole file shows it.
#[derive(Debug, Clone)]
pub struct Surveyed {
    pub header: Header,
    pub sums: Sums,
    pub lines: i64,
    pub pending: i64,
}

impl Surveyed {
    /// Whether its balances say that its reversals are to be turned round.
    pub fn is_inverted(&self, our_account: &str) -> bool {
        let page = Page {
            header: &self.header,
            sums: self.sums,
        };
        state(&[page], our_account).1
    }
}

/// Why reading stopped before the end.
enum Halt {
    /// An account cannot hold so much.
    TooMuch,
    /// Nobody wants more lines.
    Unwanted,
}

/// The refusal of a file, with the line on which its fault is seen.
pub struct NotAccepted(pub Refused);

impl From<NotAccepted> for Error {
    fn from(NotAccepted(refused): NotAccepted) -> Self {
        let fault = Fault::new(format!("#/line/{}", refused.line), FaultCode::Invalid);
        Refusal::from(Code::StatementNotAccepted)
            .with("why", refused.why)
            .with("line", refused.line)
            .faults(vec![fault])
            .into()
    }
}

fn failed(stopped: Stopped<Halt>) -> Error {
    match stopped {
        Stopped::Refused(refused) => NotAccepted(refused).into(),
        Stopped::Unreadable(cause) => Error::internal("reading a bank statement")(cause),
        Stopped::Taken(Halt::TooMuch) => {
            let why = Why::Amount;
            NotAccepted(Refused { line: 1, why }).into()
        }
        Stopped::Taken(Halt::Unwanted) => Code::Overloaded.into(),
    }
}

fn each_part(
    contents: &mut Contents,
    mut take: impl FnMut(Part) -> Result<(), Halt>,
) -> Result<()> {
    match contents {
        Contents::Camt(file) => {
            file.rewind()
                .map_err(Error::internal("reading a bank statement"))?;
            camt::read(BufReader::new(&*file), take).map_err(failed)
        }
        Contents::Csv(statements) => {
            let parts = statements.iter().flat_map(|(header, entries)| {
                let opens = Part::Opens(header.clone());
                let entries = entries.iter().cloned().map(Part::Entry);
                let closes = Part::Closes(header.clone());
                std::iter::once(opens).chain(entries).chain([closes])
            });
            let mut parts = parts;
            parts
                .try_for_each(&mut take)
                .map_err(|halt| failed(Stopped::Taken(halt)))
        }
    }
}

/// Every statement of a file; refused where any of it is none.
pub fn survey(contents: &mut Contents) -> Result<Vec<Surveyed>> {
    let (mut all, mut sums, mut lines, mut pending) = (Vec::new(), Sums::default(), 0, 0);
    each_part(contents, |part| {
        match part {
            Part::Opens(_) => (sums, lines, pending) = (Sums::default(), 0, 0),
            Part::Entry(entry) => {
                let of_entry = i64::try_from(entry_lines(&entry).len()).unwrap_or(i64::MAX);
                lines += of_entry;
                match entry.is_booked {
                    true => {
                        let more = sums.plus(entry.signed(), entry.is_reversal);
                        sums = more.ok_or(Halt::TooMuch)?;
                    }
                    false => pending += of_entry,
                }
            }
            Part::Closes(header) => all.push(Surveyed {
                header,
                sums,
                lines,
                pending,
            }),
        }
        Ok(())
    })?;
    Ok(all)
}

/// Gives the lines of a file to `take`, some hundred at a time, and says which are the last of their statement; those of the statements that are
/// `inverted` with their reversals turned round. Where nobody takes them, reading stops.
pub fn read_lines(
    contents: &mut Contents,
    inverted: &[bool],
    mut take: impl FnMut(Vec<NewLine>, bool) -> bool,
) -> Result<()> {
    let mut reader = Reader::default();
    each_part(contents, |part| {
        let is_end = match part {
            Part::Opens(header) => {
                reader.begin(header.account);
                return Ok(());
            }
            Part::Entry(entry) => {
                let is_inverted = inverted.get(reader.statement).copied().unwrap_or(false);
                reader.read(&entry, is_inverted);
                false
            }
            Part::Closes(_) => {
                reader.statement += 1;
                true
            }
        };
        let mut hand_on = |lines, is_end| match take(lines, is_end) {
            true => Ok(()),
            false => Err(Halt::Unwanted),
        };
        while reader.waiting.len() >= CHUNK {
            let rest = reader.waiting.split_off(CHUNK);
            hand_on(std::mem::replace(&mut reader.waiting, rest), false)?;
        }
        match is_end {
            true => hand_on(std::mem::take(&mut reader.waiting), true),
            false => Ok(()),
        }
    })
}

/// How far a file is read.
#[derive(Default)]
struct Reader {
    /// Which statement of the file it is, from 0 on.
    statement: usize,
    account: String,
    position: i64,
    seen: HashMap<String, i64>,
    waiting: Vec<NewLine>,
}

impl Reader {
    fn begin(&mut self, account: String) {
        self.account = account;
        self.position = 0;
        self.seen.clear();
    }

    fn read(&mut self, entry: &Entry, is_inverted: bool) {
        for line in entry_lines(entry) {
            // As its bank wrote it, whichever way round it is taken.
            let like = stored_fingerprint(&self.account, &line);
            let line = match is_inverted && line.is_reversal {
                true => turned_round(line),
                false => line,
            };
            let nth = number_repeats(std::slice::from_ref(&like), &mut self.seen);
            self.waiting.push(NewLine {
                position: self.position,
                nth: nth.first().copied().unwrap_or(0),
                fingerprint: like,
                line,
            });
            self.position += 1;
        }
    }
}

/// By what a line is told from others where it is stored; one that is pending is not the one that is booked.
fn stored_fingerprint(account: &str, line: &Line) -> String {
    let state = if line.is_booked { "booked" } else { "pending" };
    sha256_hex(format!("{state}:{}", fingerprint(account, line)).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::bank::{BankAmount, Detail};
    use crate::domain::money::Currency;

    #[test]
    fn an_entry_of_many_payments_is_handed_on_in_pieces() {
        let detail = Detail {
            amount: Some((BankAmount::of_cents(100), Currency::EUR)),
            ..Detail::default()
        };
        let entry = Entry {
            amount: BankAmount::of_cents(120_000),
            currency: Currency::EUR,
            is_credit: true,
            is_reversal: false,
            is_booked: true,
            booking_date: None,
            value_date: None,
            bank_reference: None,
            text: None,
            payments: None,
            balance: None,
            details: vec![detail; 1200],
        };
        let mut contents = Contents::Csv(vec![(Header::default(), vec![entry])]);
        let mut pieces = Vec::new();
        let take = |lines: Vec<NewLine>, is_end| {
            pieces.push((lines.len(), is_end));
            true
        };
        read_lines(&mut contents, &[false], take).unwrap();
        assert_eq!(pieces, [(500, false), (500, false), (200, true)]);
    }
}
