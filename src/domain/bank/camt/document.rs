//! What a file may be: one document of a message that is known, with nothing in it that reaches out of it.

use quick_xml::NsReader;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};

use super::statement::Statements;
use super::{Part, Why};
use crate::domain::text::is_xml;

const MESSAGES: [&[u8]; 2] = [
    b"urn:iso:std:iso:20022:tech:xsd:camt.053.001.02",
    b"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08",
];
const XINCLUDE: &[u8] = b"http://www.w3.org/2001/XInclude";
const DEEPEST: usize = 40;
const LONGEST_TEXT: usize = 10_000;

/// Why reading halts at an event.
pub enum Halt<E> {
    Why(Why),
    Taken(E),
}

impl<E> From<Why> for Halt<E> {
    fn from(why: Why) -> Self {
        Self::Why(why)
    }
}

/// A document as far as it was read.
pub struct Document<F> {
    take: F,
    /// The names of the elements that are open; of another namespace, none.
    names: Vec<String>,
    /// The message that the document is, once its first element is there.
    message: Option<&'static [u8]>,
    /// What stands in the element that is open.
    text: String,
    statements: Statements,
    is_over: bool,
}

impl<F> Document<F> {
    /// Of which nothing was read; its parts go to `take`.
    pub fn new(take: F) -> Self {
        Self {
            take,
            names: Vec::new(),
            message: None,
            text: String::new(),
            statements: Statements::default(),
            is_over: false,
        }
    }

    /// Takes in what comes next.
    pub fn take_in<R, E>(&mut self, event: Event<'_>, xml: &NsReader<R>) -> Result<(), Halt<E>>
    where
        F: FnMut(Part) -> Result<(), E>,
    {
        match event {
            Event::Start(start) => Ok(self.begin(&start, xml)?),
            Event::End(_) => self.end(),
            Event::Text(text) => Ok(self.write(&text)?),
            Event::CData(text) => Ok(self.write(&text)?),
            Event::GeneralRef(reference) => Ok(self.refer(&reference)?),
            Event::DocType(text) => Err(doctype(&text).into()),
            Event::Eof if !self.is_over => Err(Why::Broken.into()),
            _ => Ok(()),
        }
    }

    fn begin<R>(&mut self, start: &BytesStart<'_>, xml: &NsReader<R>) -> Result<(), Why> {
        let (resolved, local) = xml.resolver().resolve_element(start.name());
        let namespace = match resolved {
            ResolveResult::Bound(Namespace(namespace)) => namespace,
            _ => &[],
        };
        let name = String::from_utf8_lossy(local.into_inner());
        if self.names.len() >= DEEPEST {
            return Err(Why::TooDeep);
        }
        if namespace == XINCLUDE {
            return Err(Why::Xinclude);
        }
        if self.names.is_empty() {
            self.message = Some(self.first(&name, namespace)?);
        }
        let is_own = self.message == Some(namespace);
        let name = if is_own {
            name.into_owned()
        } else {
            String::new()
        };
        if is_own && name == "Amt" {
            let currency = start.try_get_attribute("Ccy").map_err(|_| Why::Broken)?;
            let written = currency.map(|currency| currency.value.into_owned());
            self.statements.currency(written.as_deref())?;
        }
        self.names.push(name);
        self.text.clear();
        Ok(())
    }

    /// The message that the first element says the document is.
    fn first(&self, name: &str, namespace: &[u8]) -> Result<&'static [u8], Why> {
        let message = MESSAGES.into_iter().find(|message| *message == namespace);
        match message {
            _ if name.eq_ignore_ascii_case("html") => Err(Why::Html),
            _ if self.is_over => Err(Why::Broken),
            Some(message) if name == "Document" => Ok(message),
            _ => Err(Why::Namespace),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Why> {
        let text = std::str::from_utf8(bytes).map_err(|_| Why::Encoding)?;
        if self.names.is_empty() && !text.trim().is_empty() {
            return Err(Why::Broken);
        }
        self.text.push_str(text);
        match self.text.len() {
            0..=LONGEST_TEXT => Ok(()),
            _ => Err(Why::TooLong),
        }
    }

    /// A character by its number, or one of the five entities that every XML has.
    fn refer(&mut self, reference: &BytesRef<'_>) -> Result<(), Why> {
        let name: &[u8] = reference;
        let c = match name {
            b"amp" => '&',
            b"lt" => '<',
            b"gt" => '>',
            b"quot" => '"',
            b"apos" => '\'',
            _ => {
                let number = reference.resolve_char_ref().map_err(|_| Why::Character)?;
                number.ok_or(Why::Entity)?
            }
        };
        if !is_xml(c) {
            return Err(Why::Character);
        }
        self.write(c.encode_utf8(&mut [0; 4]).as_bytes())
    }

    fn end<E>(&mut self) -> Result<(), Halt<E>>
    where
        F: FnMut(Part) -> Result<(), E>,
    {
        let path = self.names.join("/");
        let path = path.strip_prefix("Document/BkToCstmrStmt/");
        let text = std::mem::take(&mut self.text);
        let parts = match path {
            Some(path) => self.statements.end(path, text.trim())?,
            None => Vec::new(),
        };
        for part in parts {
            (self.take)(part).map_err(Halt::Taken)?;
        }
        self.names.pop();
        self.is_over = self.names.is_empty();
        if self.is_over && !self.statements.has_any() {
            return Err(Why::Missing.into());
        }
        Ok(())
    }
}

fn doctype(text: &[u8]) -> Why {
    let begins = text.trim_ascii_start().get(..4).unwrap_or_default();
    match begins.eq_ignore_ascii_case(b"html") {
        true => Why::Html,
        false => Why::Doctype,
    }
}
