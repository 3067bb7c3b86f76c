//! The documents of invoices as bytes: made, stored once, and read again. What they are made of is in `workflows::invoices::document`.

use futures_util::TryStreamExt;

use super::Worker;
use crate::domain::file;
use crate::domain::invoice::{InvoiceFileKind, InvoiceId};
use crate::error::{Error, Result};
use crate::integrations::document_store::DocumentStore;
use crate::integrations::pdf::{self, Printed};
use crate::repository::Db;
use crate::repository::invoice_files::{self, InvoiceFile};
use crate::repository::invoices::{self, Invoice};
use crate::secrets::sha256_hex;
use crate::types::Instant;
use crate::workflows::invoices::document::InvoiceDocument;

/// A document with its hash, in lower-case hex.
#[derive(Debug)]
pub struct Made {
    pub bytes: Vec<u8>,
    pub sha256: String,
}

impl Made {
    fn of(bytes: Vec<u8>) -> Self {
        let sha256 = sha256_hex(&bytes);
        Self { bytes, sha256 }
    }
}

/// A document of an invoice: the stored one, and before it is stored the same bytes, made again. Refused where there can be none.
pub async fn read(
    store: &DocumentStore,
    invoice: Invoice,
    kind: InvoiceFileKind,
    stored: Option<InvoiceFile>,
) -> Result<Made> {
    match stored {
        Some(file) => read_stored(store, &file).await,
        None => made(InvoiceDocument::of(invoice)?, kind).await,
    }
}

/// What differs from what was stored is an error, and nobody is given it.
async fn read_stored(store: &DocumentStore, file: &InvoiceFile) -> Result<Made> {
    let differs = Error::internal("reading the document of an invoice");
    let Some(stream) = store.get(&file.file_key).await? else {
        return Err(differs(format!("{} is not there", file.file_key)));
    };
    let parts: Vec<bytes::Bytes> = stream.try_collect().await?;
    let read = Made::of(parts.concat());
    match read.sha256 == file.sha256 {
        true => Ok(read),
        false => Err(differs(format!("{} is not as stored", file.file_key))),
    }
}

/// Makes a document, off the threads that serve.
async fn made(document: InvoiceDocument, kind: InvoiceFileKind) -> Result<Made> {
    let made = tokio::task::spawn_blocking(move || make(&document, kind)).await;
    made.map_err(Error::internal("making the document of an invoice"))?
}

fn make(document: &InvoiceDocument, kind: InvoiceFileKind) -> Result<Made> {
    let bytes = match kind {
        InvoiceFileKind::Xml => document.xml()?.into_bytes(),
        InvoiceFileKind::Pdf => {
            let xml = document.xml().ok();
            pdf::render(Printed {
                id: document.invoice.id,
                issued_at: document.invoice.issued_at,
                issued: document.issued(),
                xml: xml.as_deref(),
            })?
        }
    };
    Ok(Made::of(bytes))
}

/// Makes the documents of an invoice that are not stored, and puts their bytes in the store: their rows are still to come. To do it again puts the same bytes
/// in the same place.
pub async fn store(worker: &Worker, id: InvoiceId) -> Result<Vec<InvoiceFile>> {
    let found = worker
        .db
        .read(move |conn| {
            Ok((
                invoices::find_by_id(conn, id)?,
                invoice_files::of(conn, id)?,
            ))
        })
        .await?;
    let (Some(invoice), stored) = found else {
        return Ok(Vec::new());
    };
    let mut files = Vec::new();
    for kind in InvoiceFileKind::ALL {
        if stored.iter().any(|file| file.kind == *kind) {
            continue;
        }
        match made(InvoiceDocument::of(invoice.clone())?, *kind).await {
            Ok(made) => files.push(put(worker, (id, *kind), made).await?),
            Err(Error::Refused(_)) => {}
            Err(failed) => return Err(failed),
        }
    }
    Ok(files)
}

async fn put(
    worker: &Worker,
    (invoice_id, kind): (InvoiceId, InvoiceFileKind),
    made: Made,
) -> Result<InvoiceFile> {
    let row = row((invoice_id, kind), &made, worker.clock.now());
    worker.store.put(&row.file_key, made.bytes.into()).await?;
    Ok(row)
}

fn row(
    (invoice_id, kind): (InvoiceId, InvoiceFileKind),
    made: &Made,
    created_at: Instant,
) -> InvoiceFile {
    // What is made of whose bytes says where they are, so that none lies there twice.
    let mut place = sha256_hex(format!("{invoice_id} {kind} {}", made.sha256).as_bytes());
    place.truncate(32);
    InvoiceFile {
        invoice_id,
        kind,
        renderer: pdf::RENDERER.to_owned(),
        sha256: made.sha256.clone(),
        bytes: i64::try_from(made.bytes.len()).unwrap_or(i64::MAX),
        file_key: file::invoice_key(&place),
        created_at,
    }
}

/// How many rows are read at once.
const PAGE: i64 = 500;

/// Reads every stored document, and holds it against its hash; how many there are, or which is the first that differs, and how.
pub async fn verify(db: &Db, store: &DocumentStore) -> Result<Result<u64, String>> {
    let (mut count, mut after) = (0, String::new());
    loop {
        let behind = after.clone();
        let page = db
            .fetch(move |conn| invoice_files::after(conn, &behind, PAGE))
            .await?;
        let Some(last) = page.last() else {
            return Ok(Ok(count));
        };
        after.clone_from(&last.file_key);
        for file in &page {
            if let Err(cause) = read_stored(store, file).await {
                let InvoiceFile {
                    kind, invoice_id, ..
                } = file;
                let told = format!("M10: the {kind} of {invoice_id} is not as stored: {cause}");
                return Ok(Err(told));
            }
            count += 1;
        }
    }
}
