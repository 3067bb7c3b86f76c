//! The results of a batch as files: what was sent, and what came of it. As JSON they are a list of the interface.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::registration_batch::{BatchId, BatchLineStatus};
use crate::error::{Error, Fault, FaultCode, Result};
use crate::repository::DbConn;
use crate::repository::registration_batches::{self as batches, Batch, BatchLine, LineListing};
use crate::types::{Json, text_enum};
use crate::workflows::csv_file::{Spreadsheet, cell, writer};

/// How many lines are read at once.
const PAGE: i64 = 500;

text_enum! {
    /// How a file of results is written.
    pub enum ResultFormat {
        /// A list, page by page.
        Json = "json",
        /// A header, then a record a line: the columns as they were sent, and the result behind them.
        Csv = "csv",
        /// A JSON object a line.
        Ndjson = "ndjson",
    }
}

impl ResultFormat {
    /// The media type of a file.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Ndjson => "application/x-ndjson",
        }
    }
}

/// A fault as a line keeps it: its words are made for whoever reads it.
#[derive(Serialize, Deserialize)]
struct StoredFault {
    pointer: String,
    code: String,
    #[serde(default)]
    params: Vec<(String, String)>,
}

/// The faults of a line as they are stored.
pub fn stored_faults(faults: &[Fault]) -> Result<Option<Json>> {
    let stored = |fault: &Fault| StoredFault {
        pointer: fault.pointer.clone(),
        code: fault.code.as_str().to_owned(),
        params: fault
            .params
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
    };
    let stored: Vec<StoredFault> = faults.iter().map(stored).collect();
    match stored.is_empty() {
        true => Ok(None),
        false => Ok(Some(Json::of(&stored)?)),
    }
}

/// The names that faults of lines give values.
const NAMES: [&str; 6] = ["min", "max", "allowed", "format", "expected", "launched"];

/// The faults of a line.
pub fn faults_of(line: &BatchLine) -> Result<Vec<Fault>> {
    let Some(errors) = &line.errors else {
        return Ok(Vec::new());
    };
    let stored: Vec<StoredFault> = errors.decode()?;
    let fault = |stored: StoredFault| {
        let code = FaultCode::from_word(&stored.code).unwrap_or(FaultCode::Invalid);
        let named = |(name, value): (String, String)| {
            let known = NAMES.iter().find(|known| **known == name)?;
            Some((*known, value))
        };
        Fault {
            params: stored.params.into_iter().filter_map(named).collect(),
            ..Fault::new(stored.pointer, code)
        }
    };
    Ok(stored.into_iter().map(fault).collect())
}

/// `#/gtin model_unknown; #/purchase_date format`.
fn error_text(line: &BatchLine) -> Result<String> {
    let faults = faults_of(line)?.into_iter();
    let texts: Vec<String> = faults
        .map(|fault| format!("{} {}", fault.pointer, fault.code.as_str()))
        .collect();
    Ok(texts.join("; "))
}

/// Every line of the batch that has this status, in their order; all where none is asked for.
fn for_each(
    conn: &mut DbConn,
    batch: BatchId,
    status: Option<BatchLineStatus>,
    mut each: impl FnMut(&BatchLine) -> Result<()>,
) -> Result<()> {
    let mut listing = LineListing {
        status,
        after: 0,
        limit: PAGE,
    };
    loop {
        let page = batches::list_lines(conn, batch, listing)?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        listing.after = last.line;
        page.iter().try_for_each(&mut each)?;
    }
}

/// A file of the results: `all` columns where the batch was no CSV file.
pub fn file(
    conn: &mut DbConn,
    batch: &Batch,
    status: Option<BatchLineStatus>,
    (format, reader): (ResultFormat, Option<Spreadsheet>),
    all: &[&str],
) -> Result<String> {
    match format {
        ResultFormat::Csv => csv_file(conn, batch, status, reader, all),
        ResultFormat::Json | ResultFormat::Ndjson => {
            let mut text = String::new();
            for_each(conn, batch.id, status, |line| {
                text.push_str(&object(line)?.to_string());
                text.push('\n');
                Ok(())
            })?;
            Ok(text)
        }
    }
}

fn csv_file(
    conn: &mut DbConn,
    batch: &Batch,
    status: Option<BatchLineStatus>,
    reader: Option<Spreadsheet>,
    all: &[&str],
) -> Result<String> {
    let failed = Error::internal::<csv::Error>("writing a file");
    let sent: Option<Vec<String>> = batch.header.as_ref().map(Json::decode).transpose()?;
    let columns = sent.unwrap_or_else(|| all.iter().map(|name| (*name).to_owned()).collect());
    let mut writer = writer(reader);
    let results = ["status", "code", "error", "registration_id"].map(str::to_owned);
    let header = [vec!["line".to_owned()], columns.clone(), results.to_vec()].concat();
    writer.write_record(&header).map_err(&failed)?;
    for_each(conn, batch.id, status, |line| {
        let record = record(line, &columns, reader)?;
        writer.write_record(record).map_err(&failed)
    })?;
    let bytes = writer
        .into_inner()
        .map_err(|e| Error::internal("writing a file")(e.to_string()))?;
    String::from_utf8(bytes).map_err(Error::internal("writing a file"))
}

fn record(
    line: &BatchLine,
    columns: &[String],
    reader: Option<Spreadsheet>,
) -> Result<Vec<String>> {
    let sent = sent(line)?;
    let mut record = vec![line.line.to_string()];
    record.extend(columns.iter().map(|name| match sent.get(name) {
        Some(Value::String(text)) => cell(text, reader),
        Some(Value::Null) | None => String::new(),
        Some(other) => cell(&other.to_string(), reader),
    }));
    let id = line.registration_id.map(|id| id.to_string());
    record.extend([
        line.status.to_string(),
        line.code.clone().unwrap_or_default(),
        error_text(line)?,
        id.unwrap_or_default(),
    ]);
    Ok(record)
}

fn sent(line: &BatchLine) -> Result<Map<String, Value>> {
    let sent = line.body.as_deref().map(serde_json::from_str).transpose()?;
    Ok(match sent {
        Some(Value::Object(fields)) => fields,
        _ => Map::new(),
    })
}

/// What was sent, with its result beside it.
fn object(line: &BatchLine) -> Result<Value> {
    let mut fields = sent(line)?;
    fields.insert("line".to_owned(), line.line.into());
    fields.insert("status".to_owned(), line.status.as_str().into());
    let id = line.registration_id.map(|id| id.to_string());
    let error = Some(error_text(line)?).filter(|text| !text.is_empty());
    for (name, value) in [
        ("code", line.code.clone()),
        ("error", error),
        ("registration_id", id),
    ] {
        if let Some(value) = value {
            fields.insert(name.to_owned(), value.into());
        }
    }
    Ok(Value::Object(fields))
}
