//! The products of an account as a CSV file: reading one in, line by line with a result each, and writing one.

use std::sync::Arc;

use diesel::Connection;

use super::Context;
use super::csv_file::{Column, Row, Spreadsheet, cell, optional, required, rows, writer};
use super::products::{Inventories, Origin, Registered, Wanted, checked, wanted};
use crate::domain::access::AccountAccess;
use crate::domain::model::{ModelId, name_key};
use crate::domain::product::{ProductField, ProductId};
use crate::domain::product_details::{CheckedDetails, Details, Unread};
use crate::domain::values::Date;
use crate::error::{Error, Fault, FaultCode, Result};
use crate::repository::DbConn;
use crate::repository::catalogue::{Catalogue, CatalogueModel};
use crate::repository::models;
use crate::repository::products::{self, Listing, Product, estimated_text};

const COLUMNS: [Column; 6] = [
    required("model"),
    optional("serial_number"),
    optional("purchase_date"),
    optional("purchase_country"),
    optional("dealer"),
    optional("estimated"),
];
/// More products than this no file has: they go in together.
const MOST: usize = 1000;

/// What became of one line.
pub struct ImportedLine {
    /// Its line in the file; the header is line 1.
    pub line: u64,
    pub registered: Registered,
}

struct Line<'a> {
    number: u64,
    model: &'a CatalogueModel,
    details: CheckedDetails,
}

/// Registers the products of a file. A file with a fault is refused whole, with every fault of it; a serial number that somebody
/// holds is the result of its line. A dry run does it all and keeps nothing.
pub fn import(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    text: &str,
    dry_run: bool,
) -> Result<Vec<ImportedLine>> {
    let catalogue = context.catalogue.current(conn)?;
    let lines = read(context, &catalogue, text)?;
    let mut imported = Vec::new();
    let done = conn.transaction(|conn| {
        imported = register(conn, context, access, &catalogue, lines)?;
        match dry_run {
            true => Err(Error::Database(diesel::result::Error::RollbackTransaction)),
            false => Ok(()),
        }
    });
    match done {
        Err(Error::Database(diesel::result::Error::RollbackTransaction)) | Ok(()) => Ok(imported),
        Err(error) => Err(error),
    }
}

fn read<'a>(context: &Context, catalogue: &'a Catalogue, text: &str) -> Result<Vec<Line<'a>>> {
    let rows = rows(text, &COLUMNS, MOST).map_err(Error::invalid)?;
    let (mut lines, mut faults) = (Vec::new(), Vec::new());
    for row in rows {
        let key = name_key(row.get("model").unwrap_or_default());
        let model = catalogue.of_name(&key);
        if model.is_none() {
            faults.push(row.fault("model", FaultCode::ModelUnknown));
        }
        let details = details(&row, &mut faults);
        let Some(model) = model else { continue };
        match checked(context, model, &details) {
            Ok(details) => lines.push(Line {
                number: row.number,
                model,
                details,
            }),
            Err(found) => faults.extend(found.into_iter().map(|fault| row.place(fault))),
        }
    }
    if faults.is_empty() {
        Ok(lines)
    } else {
        Err(Error::invalid(faults))
    }
}

fn details(row: &Row, faults: &mut Vec<Fault>) -> Details {
    let words: Vec<&str> = ProductField::ALL.iter().map(|one| one.as_str()).collect();
    let named = row.get("estimated").unwrap_or_default();
    let named = named.split(|c: char| c.is_whitespace() || c == '|');
    let (mut estimated, mut unread) = (Vec::new(), Unread::default());
    for word in named.filter(|word| !word.is_empty()) {
        match word.parse() {
            Ok(field) => estimated.push(field),
            Err(_) => {
                unread.estimated = true;
                let fault = row.fault("estimated", FaultCode::NotAccepted);
                faults.push(fault.with("allowed", words.join(", ")));
            }
        }
    }
    let purchase_date = row.value("purchase_date", faults).map(Date::day);
    let purchase_country = row.value("purchase_country", faults);
    let dealer = row.line::<200>("dealer", faults);
    for (field, is_read) in [
        (ProductField::PurchaseDate, purchase_date.is_some()),
        (ProductField::PurchaseCountry, purchase_country.is_some()),
        (ProductField::Dealer, dealer.is_some()),
    ] {
        if !is_read && row.get(field.as_str()).is_some() {
            unread.fields.push(field);
        }
    }
    Details {
        serial_number: row.get("serial_number").map(str::to_owned),
        purchase_date,
        purchase_country,
        dealer,
        estimated,
        unread,
    }
}

fn register(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    catalogue: &Arc<Catalogue>,
    lines: Vec<Line<'_>>,
) -> Result<Vec<ImportedLine>> {
    let wanted_by_line = |line: &Line<'_>| wanted(line.model, &line.details);
    let wanted: Vec<Wanted> = lines.iter().filter_map(wanted_by_line).collect();
    let mut inventories = Inventories::open(conn, context, catalogue.clone(), &[access], &wanted)?;
    let mut imported = Vec::new();
    for line in lines {
        let id = (access.account_id(), ProductId::new(context.now));
        let registered = inventories.register(conn, id, line.model, line.details, Origin::Owner)?;
        imported.push(ImportedLine {
            line: line.number,
            registered,
        });
    }
    inventories.flush(conn)?;
    Ok(imported)
}

/// How many products are read at once.
const PAGE: i64 = 500;

/// The account's products as a file that can be read in again; those that have ended are left out.
pub fn export(
    conn: &mut DbConn,
    access: &AccountAccess,
    reader: Option<Spreadsheet>,
) -> Result<String> {
    let failed = Error::internal::<csv::Error>("writing a file");
    let mut writer = writer(reader);
    let names: Vec<&str> = COLUMNS.iter().map(|column| column.name).collect();
    writer.write_record(names).map_err(&failed)?;
    let mut before = None;
    loop {
        let listing = Listing {
            status: None,
            before,
            limit: PAGE,
        };
        let page = products::list(conn, access, &listing)?;
        let ids: Vec<ModelId> = page.iter().map(|product| product.model_id).collect();
        let models = models::of_ids(conn, &ids)?;
        for product in &page {
            let model = models.get(&product.model_id);
            let model = model.map_or("", |model| model.name.as_str());
            let record = record(product, model, reader);
            writer.write_record(record).map_err(&failed)?;
        }
        match page.last() {
            Some(last) => before = Some(last.id),
            None => break,
        }
    }
    let bytes = writer
        .into_inner()
        .map_err(|e| Error::internal("writing a file")(e.to_string()))?;
    String::from_utf8(bytes).map_err(Error::internal("writing a file"))
}

fn record(product: &Product, model: &str, reader: Option<Spreadsheet>) -> [String; 6] {
    let text = |value: Option<String>| cell(&value.unwrap_or_default(), reader);
    [
        cell(model, reader),
        text(product.serial_number.clone()),
        text(product.purchase_date.map(|date| date.to_string())),
        text(product.purchase_country.map(|country| country.to_string())),
        text(product.dealer.clone()),
        estimated_text(&product.estimated()),
    ]
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use diesel::connection::InstrumentationEvent;

    use super::*;
    use crate::clock::Clock;
    use crate::programme::{Programme, SHIPPED};
    use crate::repository::catalogue::CatalogueCache;
    use crate::repository::testing::migrated;
    use crate::secrets::{EarlierKeys, Sealer};
    use crate::workflows::{Links, sandbox};

    fn context() -> Context {
        let earlier = EarlierKeys::derive(&[]).unwrap();
        Context {
            now: "2026-11-26T12:00:00Z".parse().unwrap(),
            clock: Clock::default(),
            programme: Arc::new(Programme::parse(SHIPPED).unwrap()),
            sealer: Sealer::read(&Sealer::generate().unwrap(), earlier).unwrap(),
            links: Arc::new(Links {
                frontend_url: "https://cps.example".to_owned(),
            }),
            catalogue: CatalogueCache::default(),
        }
    }

    /// A thousand lines, every tenth on a guess.
    fn file() -> String {
        let header = "model,serial_number,purchase_date,purchase_country,dealer,estimated\n";
        let line = |n: usize| {
            let guess = if n.is_multiple_of(10) {
                "serial_number"
            } else {
                ""
            };
            format!("EOS R6 Mark II,0130{n:08},2024-05-17,DK,Foto Nord,{guess}\n")
        };
        header.to_owned() + &(1..=1000).map(line).collect::<String>()
    }

    async fn statements_of_import(db: &crate::repository::Db, context: &Context) -> usize {
        let count = Arc::new(AtomicUsize::new(0));
        let (counted, context) = (count.clone(), context.clone());
        let import = db.write(move |conn| {
            let counted = counted.clone();
            conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
                if matches!(event, InstrumentationEvent::StartQuery { .. }) {
                    counted.fetch_add(1, Ordering::AcqRel);
                }
            });
            let access = sandbox::member(1);
            import(conn, &context, &access, &file(), false)
        });
        let lines = import.await.unwrap();
        let new = |line: &&ImportedLine| matches!(line.registered, Registered::New(_));
        assert!(lines.iter().filter(new).count() % 1000 == 0);
        count.load(Ordering::Acquire)
    }

    #[tokio::test]
    async fn a_thousand_lines_are_two_dozen_statements() {
        let (_folder, db) = migrated();
        let context = context();
        let seeding = context.clone();
        let seeded = db.write(move |conn| sandbox::seed(conn, &seeding, "no hash"));
        seeded.await.unwrap();
        let first = statements_of_import(&db, &context).await;
        assert!((8..=24).contains(&first), "{first}");
        // Now each of them has it already.
        let again = statements_of_import(&db, &context).await;
        assert!(again <= 24, "{again}");
        let verdict = db.read_all(crate::workflows::points::verify).await;
        assert!(matches!(
            verdict.unwrap(),
            crate::workflows::points::Verdict::Right { entries, .. } if entries > 900
        ));
    }
}
