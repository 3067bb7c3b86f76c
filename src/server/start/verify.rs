//! Checks of what is stored, for the command line: the points, the money, the documents of invoices, the events. Nothing is repaired.

use super::StartError;
use super::open::{database, document_store};
use crate::config::Config;
use crate::jobs::invoice_files;
use crate::repository::events;
use crate::workflows::{points, verify_money};

/// Recomputes every balance of points and every sum of money, and with `files` reads every stored document of an invoice; tells what is right, and
/// what somebody may look at although it is no fault.
pub async fn verify_ledger(
    config: &Config,
    files: bool,
    tell: impl Fn(&str),
) -> Result<(), StartError> {
    let db = database(config).await?;
    match db.read_all(points::verify).await? {
        points::Verdict::Right { accounts, entries } => tell(&format!(
            "Every balance is right: {accounts} accounts, {entries} entries."
        )),
        points::Verdict::Wrong { account, first } => {
            return Err(format!("the ledger of {account}: {first}").into());
        }
    }
    match db.read_all(verify_money::verify).await? {
        verify_money::Verdict::Right { invoices, notes } => {
            for note in &notes {
                tell(note);
            }
            tell(&format!(
                "Every sum of money is right: {invoices} invoices and credit notes."
            ));
        }
        verify_money::Verdict::Wrong(first) => return Err(first.into()),
    }
    if files {
        let files = invoice_files::verify(&db, &document_store(config)?).await??;
        tell(&format!(
            "Every stored document is as it was made: {files} documents of invoices."
        ));
    }
    Ok(())
}

/// Recomputes the chain of hashes over all events and their numbers.
pub async fn verify_events(config: &Config, tell: impl Fn(&str)) -> Result<(), StartError> {
    let db = database(config).await?;
    match db.read_all(events::verify).await? {
        events::Verdict::Right { events } => {
            tell(&format!(
                "Every event is as it was written: {events} events."
            ));
            Ok(())
        }
        events::Verdict::Wrong(first) => Err(first.into()),
    }
}
