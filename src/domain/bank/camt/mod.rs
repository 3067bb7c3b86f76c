//! Reading bank statements as camt.053.001.02 and .08 (ISO 20022), entry by entry: its characters are read in `decoded`, what a file may be is decided in
//! `document`, what its elements mean in `statement`. No schema is asked for: banks deviate from it, and what is not needed is passed over.

mod decoded;
mod document;
mod statement;
mod values;

use std::io::{self, BufRead};

use quick_xml::NsReader;
use quick_xml::events::Event;

use self::decoded::Decoded;
use self::document::{Document, Halt};
use super::Entry;
use crate::types::text_enum;
pub use statement::Header;

text_enum! {
    /// Why a file is not taken for a bank statement.
    pub enum Why {
        /// There is nothing in it.
        Empty = "empty",
        /// It is an archive: the statements in it are sent one by one.
        Archive = "archive",
        /// It is a page for a browser, of a session that has ended perhaps.
        Html = "html",
        /// It is no XML, or was cut off.
        Broken = "broken",
        /// It is encoded as no bank statement is, or not as it says.
        Encoding = "encoding",
        /// It holds a character that no XML may hold.
        Character = "character",
        /// It has a document type.
        Doctype = "doctype",
        /// It names an entity that is none of the five of XML.
        Entity = "entity",
        /// It would have other files read into it.
        Xinclude = "xinclude",
        /// Its elements stand too deep in each other.
        TooDeep = "too_deep",
        /// A text in it is too long.
        TooLong = "too_long",
        /// It is another kind of message than camt.053.001.02 or .08.
        Namespace = "namespace",
        /// An amount is negative, or not written as one.
        Amount = "amount",
        /// A currency, a date or a number is not written as one.
        Value = "value",
        /// Something that every statement has is missing.
        Missing = "missing",
    }
}

/// A file that is refused, with the line, from 1 on, on which that is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    pub line: usize,
    pub why: Why,
}

/// What stops reading.
#[derive(Debug)]
pub enum Stopped<E> {
    /// The file is no bank statement.
    Refused(Refused),
    /// The file could not be read.
    Unreadable(io::Error),
    /// Whoever took the parts did not want more.
    Taken(E),
}

/// What a file says, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A statement begins; its balances may still be missing.
    Opens(Header),
    /// An entry of it.
    Entry(Entry),
    /// It ends, with all that is said of it.
    Closes(Header),
}

/// Reads a file and gives each part of it to `take`, as soon as it is there: no more than one entry is held.
pub fn read<E>(
    file: impl BufRead,
    take: impl FnMut(Part) -> Result<(), E>,
) -> Result<(), Stopped<E>> {
    let file = Decoded::new(file).map_err(|error| stopped::<E>(error, 1))?;
    let mut xml = NsReader::from_reader(file);
    xml.config_mut().expand_empty_elements = true;
    let mut document = Document::new(take);
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        let event = match xml.read_event_into(&mut buffer) {
            Ok(event) => event,
            Err(quick_xml::Error::Io(error)) => {
                let error = io::Error::new(error.kind(), Shared(error));
                return Err(stopped(error, xml.get_ref().line()));
            }
            Err(_) => return Err(refused(Why::Broken, xml.get_ref().line())),
        };
        let is_end = matches!(event, Event::Eof);
        let line = xml.get_ref().line();
        document.take_in(event, &xml).map_err(|halt| match halt {
            Halt::Why(why) => refused(why, line),
            Halt::Taken(error) => Stopped::Taken(error),
        })?;
        if is_end {
            return Ok(());
        }
    }
}

/// The error of a file that its reader shares.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Shared(std::sync::Arc<io::Error>);

fn refused<E>(why: Why, line: usize) -> Stopped<E> {
    Stopped::Refused(Refused { line, why })
}

fn stopped<E>(error: io::Error, line: usize) -> Stopped<E> {
    let shared = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Shared>());
    let why = match shared {
        Some(shared) => decoded::why(&shared.0),
        None => decoded::why(&error),
    };
    match why {
        Some(why) => refused(why, line),
        None => Stopped::Unreadable(error),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;
    use rust_decimal::Decimal;
    use serde_json::Value;

    use super::*;
    use crate::domain::bank::{Balance, Line, Sums, balance, entry_lines, references_in};

    /// What a file says: each statement with its entries.
    fn statements(bytes: &[u8]) -> Result<Vec<(Header, Vec<Entry>)>, Refused> {
        let mut all: Vec<(Header, Vec<Entry>)> = Vec::new();
        let take = |part: Part| -> Result<(), ()> {
            match part {
                Part::Opens(header) => all.push((header, Vec::new())),
                Part::Entry(entry) => all.last_mut().unwrap().1.push(entry),
                Part::Closes(header) => all.last_mut().unwrap().0 = header,
            }
            Ok(())
        };
        match read(bytes, take) {
            Ok(()) => Ok(all),
            Err(Stopped::Refused(refused)) => Err(refused),
            Err(stopped) => panic!("{stopped:?}"),
        }
    }

    fn lines(bytes: &[u8]) -> Vec<Line> {
        let statements = statements(bytes).unwrap();
        let entries = statements.iter().flat_map(|(_, entries)| entries);
        entries.flat_map(entry_lines).collect()
    }

    fn folder() -> &'static Path {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/camt"))
    }

    fn sample(name: &str) -> Vec<u8> {
        std::fs::read(folder().join(format!("{name}.xml"))).unwrap()
    }

    fn expected() -> Value {
        let text = std::fs::read_to_string(folder().join("expected.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// The balances of the only statement of a file.
    fn proven(name: &str) -> Balance {
        let statements = statements(&sample(name)).unwrap();
        let [(header, entries)] = statements.as_slice() else {
            panic!("{name}");
        };
        let booked = entries.iter().filter(|entry| entry.is_booked);
        let sums = booked.fold(Sums::default(), |sums, entry| {
            sums.plus(entry.signed(), entry.is_reversal).unwrap()
        });
        balance(header.opening.unwrap(), sums, header.closing.unwrap())
    }

    #[test]
    fn each_sample_gives_its_lines_to_the_cent() {
        let expected = expected();
        let samples = expected.as_object().unwrap();
        assert_eq!(samples.len(), 20);
        for (name, case) in samples {
            if case["accept"] == false {
                assert!(statements(&sample(name)).is_err(), "{name}");
                continue;
            }
            let lines = lines(&sample(name));
            let wanted = case["lines"].as_array().unwrap();
            assert_eq!(lines.len(), wanted.len(), "{name}");
            for (line, wanted) in lines.iter().zip(wanted) {
                assert_eq!(line.cents, wanted["amount"].as_i64(), "{name}");
                assert_eq!(line.currency.as_str(), wanted["ccy"], "{name}");
                let references = references_in(line, Some("81234567"));
                let all: Vec<&String> = references.rf.iter().chain(&references.fi71).collect();
                let wanted = wanted["ref"].as_str();
                assert_eq!(all.len(), usize::from(wanted.is_some()), "{name}: {all:?}");
                assert_eq!(all.first().map(|one| one.as_str()), wanted, "{name}");
            }
        }
    }

    #[test]
    fn whoever_paid_is_read_in_every_spelling_and_version() {
        for name in [
            "01-plain-02-structured",
            "02-plain-08-structured-pty",
            "31-iso-8859-1",
            "34-namespace-prefix",
        ] {
            let line = lines(&sample(name)).remove(0);
            assert_eq!(line.payer.name.as_deref(), Some("Foto Ærø ApS"), "{name}");
            assert_eq!(
                line.payer.account.as_deref(),
                Some("DK5000400440116243"),
                "{name}"
            );
            assert_eq!(
                line.bank_reference.as_deref(),
                Some("2026122200001"),
                "{name}"
            );
            assert_eq!(line.end_to_end_id, None, "{name}");
            assert_eq!(
                line.booking_date,
                Some("2026-12-22".parse().unwrap()),
                "{name}"
            );
            assert!(line.is_booked, "{name}");
        }
    }

    #[test]
    fn a_statement_says_what_it_is_of() {
        let statements = statements(&sample("01-plain-02-structured")).unwrap();
        let header = Header {
            message_id: "MSG-1".to_owned(),
            statement_ref: "2026-356".to_owned(),
            sequence: "356".to_owned(),
            page: 1,
            is_last_page: true,
            account: "NL13TEST0123456789".to_owned(),
            currency: Some("EUR".parse().unwrap()),
            from: None,
            to: None,
            opening: Some(Decimal::new(100_000, 2)),
            closing: Some(Decimal::new(135_100, 2)),
        };
        assert_eq!(statements.first().unwrap().0, header);
    }

    #[test]
    fn the_balances_prove_the_entries() {
        for name in [
            "01-plain-02-structured",
            "03-batch-02-leading-zeros",
            "16-debit-entries",
            "17-reversal-standard",
            "23-charges-deducted",
        ] {
            assert_eq!(proven(name), Balance::Booked, "{name}");
        }
        assert_eq!(proven("42-not-balanced"), Balance::Held);
        assert_eq!(proven("27-page-1-of-2"), Balance::Held);
    }

    #[test]
    fn what_is_pending_is_no_money_and_what_is_kept_is_told() {
        let pending = lines(&sample("19-pending-02")).remove(0);
        assert!(!pending.is_booked);
        assert!(lines(&sample("23-charges-deducted")).remove(0).has_charges);
        let reversal = lines(&sample("17-reversal-standard")).remove(1);
        assert!(reversal.is_reversal);
    }

    #[test]
    fn pages_are_told_apart() {
        for (name, page, is_last) in [("27-page-1-of-2", 1, false), ("28-page-2-of-2", 2, true)] {
            let header = statements(&sample(name)).unwrap().remove(0).0;
            assert_eq!(
                (header.page, header.is_last_page),
                (page, is_last),
                "{name}"
            );
            assert_eq!(header.message_id, "PAGED-1");
        }
    }

    /// The first sample with one piece of it changed.
    fn changed(written: &str, by: &str) -> Vec<u8> {
        let text = String::from_utf8(sample("01-plain-02-structured")).unwrap();
        assert!(text.contains(written), "{written}");
        text.replacen(written, by, 1).into_bytes()
    }

    #[test]
    fn a_file_that_is_no_statement_is_refused_by_name() {
        let why = |bytes: &[u8]| statements(bytes).unwrap_err().why;
        assert_eq!(why(&sample("h1-xxe-file")), Why::Doctype);
        assert_eq!(why(&sample("h3-billion-laughs")), Why::Doctype);
        assert_eq!(why(&sample("h8-html-login-page")), Why::Html);
        assert_eq!(why(b"<html><body>Sign in</body></html>"), Why::Html);
        assert_eq!(why(b""), Why::Empty);
        assert_eq!(why(b"PK\x03\x04"), Why::Archive);
        assert_eq!(why(b"Dato;Tekst;Saldo"), Why::Broken);
        let begin = "xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.02\"";
        for other in [
            "xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.052.001.02\"",
            "xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.03\"",
            "",
        ] {
            assert_eq!(why(&changed(begin, other)), Why::Namespace, "{other}");
        }
        let deep = format!("{}{}", "<a>".repeat(50), "</a>".repeat(50));
        let xinclude =
            "<x:include xmlns:x=\"http://www.w3.org/2001/XInclude\" href=\"file:///etc/passwd\"/>";
        let long = format!("<Purp>{}</Purp>", "a".repeat(10_001));
        for (name, by, expected) in [
            ("&#198;", "&x;", Why::Entity),
            ("&#198;", "&#0;", Why::Character),
            ("&#198;", "&#8;", Why::Character),
            ("<BkTxCd>", &format!("{deep}<BkTxCd>"), Why::TooDeep),
            ("<BkTxCd>", &format!("{xinclude}<BkTxCd>"), Why::Xinclude),
            ("<BkTxCd>", &format!("{long}<BkTxCd>"), Why::TooLong),
            (
                "351.00</Amt><CdtDbtInd>",
                "-351.00</Amt><CdtDbtInd>",
                Why::Amount,
            ),
            (
                "351.00</Amt><CdtDbtInd>",
                "351,00</Amt><CdtDbtInd>",
                Why::Amount,
            ),
            (
                "351.00</Amt><CdtDbtInd>",
                "3.51e2</Amt><CdtDbtInd>",
                Why::Amount,
            ),
            (
                "351.00</Amt><CdtDbtInd>",
                "1234567890123456789</Amt><CdtDbtInd>",
                Why::Amount,
            ),
            ("CRDT", "CREDIT", Why::Value),
            ("Ccy=\"EUR\"", "Ccy=\"euro\"", Why::Value),
            (
                "<Dt>2026-12-22</Dt></BookgDt>",
                "<Dt>2026-13-22</Dt></BookgDt>",
                Why::Value,
            ),
            ("<Sts>BOOK</Sts>", "", Why::Missing),
            ("<IBAN>NL13TEST0123456789</IBAN>", "", Why::Missing),
            ("</Document>", "", Why::Broken),
            ("</Document>", "</Document><Document/>", Why::Broken),
            ("</Document>", "</Document>more", Why::Broken),
            ("</Stmt>", "</Statement>", Why::Broken),
        ] {
            assert_eq!(why(&changed(name, by)), expected, "{name} {by:.40}");
        }
    }

    #[test]
    fn what_is_not_needed_is_passed_over() {
        for (written, by) in [
            ("<RmtInf>", "<Purp/><RmtInf>"),
            ("<RmtInf>", "<!-- a note --><?note of the bank?><RmtInf>"),
            (
                "</Ntry>",
                "<SplmtryData xmlns=\"urn:bank\"><Amt>-1,0</Amt></SplmtryData></Ntry>",
            ),
            ("RF422026000001", "<![CDATA[RF42]]>20&#50;6000001"),
            ("<Ntry>", "\r\n  <Ntry>\n"),
            ("<Amt Ccy=\"EUR\">351.00", "<Amt Ccy=\"EUR\"> 000351.00000 "),
        ] {
            let lines = lines(&changed(written, by));
            assert_eq!(lines.len(), 1, "{by}");
            assert_eq!(lines[0].cents, Some(35100), "{by}");
            assert_eq!(
                references_in(&lines[0], None).rf,
                ["RF422026000001"],
                "{by}"
            );
        }
    }

    #[test]
    fn a_refusal_names_the_line() {
        let at = |written: &str, by: &str| statements(&changed(written, by)).unwrap_err();
        let expected = Refused {
            line: 4,
            why: Why::Amount,
        };
        assert_eq!(
            at("351.00</Amt><CdtDbtInd>", "\n\n-351.00</Amt><CdtDbtInd>"),
            expected
        );
    }

    #[test]
    fn whoever_takes_the_parts_may_stop() {
        let mut taken = 0;
        let stopped = read(sample("01-plain-02-structured").as_slice(), |_| {
            taken += 1;
            if taken < 2 { Ok(()) } else { Err("enough") }
        });
        assert!(
            matches!(stopped, Err(Stopped::Taken("enough"))),
            "{stopped:?}"
        );
    }

    proptest! {
        #[test]
        fn a_file_that_is_cut_or_scrambled_is_never_half_read(at in 0usize..1400, by in any::<u8>(), is_cut in any::<bool>()) {
            let whole = sample("01-plain-02-structured");
            let at = at.min(whole.len() - 1);
            let mut bytes = whole.clone();
            match is_cut {
                true => bytes.truncate(at),
                false => bytes[at] = by,
            }
            // It is refused, or all of it is there.
            if let Ok(statements) = statements(&bytes) {
                prop_assert_eq!(statements.len(), 1);
                prop_assert_eq!(statements[0].1.len(), 1);
            }
        }
    }
}
