//! Writing XML: elements in the order given, texts escaped, and nothing that is empty.

use std::borrow::Cow;

use quick_xml::escape::escape;

use crate::domain::text::is_xml;

/// A text as it stands in a document: what XML forbids is replaced, what means something to it is escaped.
fn written(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_xml) {
        return escape(text);
    }
    let allowed = |c| {
        if is_xml(c) {
            c
        } else {
            char::REPLACEMENT_CHARACTER
        }
    };
    let text: String = text.chars().map(allowed).collect();
    escape(text)
}

/// A document as it is written.
#[derive(Debug)]
pub struct Xml(String);

impl Xml {
    /// A document of which only the declaration is there.
    pub fn document() -> Self {
        Self("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned())
    }

    /// The document.
    pub fn into_text(self) -> String {
        self.0
    }

    /// An element with others in it.
    pub fn element(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.with(name, &[], inside);
    }

    /// One with attributes.
    pub fn with(
        &mut self,
        name: &str,
        attributes: &[(&str, &str)],
        inside: impl FnOnce(&mut Self),
    ) {
        self.begin(name, attributes);
        inside(self);
        self.end(name);
    }

    /// An element with a text; nothing where the text is empty.
    pub fn text(&mut self, name: &str, text: &str) {
        self.text_with(name, &[], text);
    }

    /// One with attributes.
    pub fn text_with(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        if text.is_empty() {
            return;
        }
        self.begin(name, attributes);
        self.0.push_str(&written(text));
        self.end(name);
    }

    fn begin(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.0.push('<');
        self.0.push_str(name);
        for (attribute, value) in attributes {
            self.0
                .push_str(&format!(" {attribute}=\"{}\"", written(value)));
        }
        self.0.push('>');
    }

    fn end(&mut self, name: &str) {
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_xml_may_hold_is_replaced() {
        let mut xml = Xml::document();
        xml.with("a", &[("b", "\u{ffff}")], |xml| {
            xml.text("c", "Foto\u{fffe} & \u{0}Søn\t\u{10ffff}");
        });
        let expected = "<a b=\"\u{fffd}\"><c>Foto\u{fffd} &amp; \u{fffd}Søn\t\u{10ffff}</c></a>";
        assert_eq!(xml.into_text().lines().last(), Some(expected));
    }

    #[test]
    fn texts_are_escaped_and_nothing_empty_is_written() {
        let mut xml = Xml::document();
        xml.with("a", &[("b", "\"<\"")], |xml| {
            xml.text("c", "Foto & Søn <ApS>");
            xml.text("d", "");
        });
        let expected = "<a b=\"&quot;&lt;&quot;\"><c>Foto &amp; Søn &lt;ApS&gt;</c></a>";
        assert_eq!(xml.into_text().lines().last(), Some(expected));
    }
}
