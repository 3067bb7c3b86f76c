//! Writing CSV for the program that reads it.

use crate::types::text_enum;

text_enum! {
    /// A program whose CSV files are of a kind of their own.
    pub enum Spreadsheet {
        /// As Excel opens it at once in Denmark and its neighbours: UTF-8 with a byte order mark, semicolons, CRLF.
        Excel = "excel",
    }
}

text_enum! {
    /// How a list is answered.
    pub enum ListFormat {
        /// Page by page.
        Json = "json",
        /// All of it as a file.
        Csv = "csv",
    }
}

/// What writes a file for a reader; for none in particular, with commas.
pub fn writer(reader: Option<Spreadsheet>) -> csv::Writer<Vec<u8>> {
    match reader {
        None => csv::Writer::from_writer(Vec::new()),
        Some(Spreadsheet::Excel) => csv::WriterBuilder::new()
            .delimiter(b';')
            .terminator(csv::Terminator::CRLF)
            .from_writer("\u{feff}".as_bytes().to_vec()),
    }
}
