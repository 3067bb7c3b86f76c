//! Taking bank statements in and matching them: chunk after chunk, each a transaction of its own, so that other writers take their turn between two of them.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::Worker;
use crate::domain::access::ServiceAccess;
use crate::domain::actor::Stamp;
use crate::domain::bank::{BankStatementId, StatementFormat};
use crate::error::{Code, Error, Result};
use crate::repository::{Db, DbConn};
use crate::secrets::Sha256;
use crate::workflows::Context;
use crate::workflows::bank::{self, Begun, Contents, Imported, NewLine, Plan, Surveyed};

/// Lines that are matched in one transaction.
const LINES: i64 = 100;
/// How long a statement waits for the one before it, how long that one may bring nothing, and how often is looked.
const WAITING: Duration = Duration::from_secs(25);
const STILL: Duration = Duration::from_secs(5);
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
/// Bytes that are read at once.
const PIECE: usize = 64 * 1024;

/// A file as it was sent.
pub struct SentFile {
    pub file: File,
    pub sha256: String,
    pub format: StatementFormat,
}

impl SentFile {
    /// The file at a path: CSV by its name, else camt.053.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let mut file = File::open(path)?;
        let (mut digest, mut piece) = (Sha256::default(), vec![0; PIECE]);
        loop {
            let read = file.read(&mut piece)?;
            match piece.get(..read).filter(|read| !read.is_empty()) {
                Some(read) => digest.update(read),
                None => break,
            }
        }
        let is_csv = path
            .extension()
            .is_some_and(|end| end.eq_ignore_ascii_case("csv"));
        let format = match is_csv {
            true => StatementFormat::Csv,
            false => StatementFormat::Camt,
        };
        let sha256 = digest.hex();
        Ok(Self {
            file,
            sha256,
            format,
        })
    }
}

/// What became of a file.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub statements: Vec<Imported>,
    /// Whether it came before.
    pub is_known: bool,
}

/// A line for each statement.
impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.statements.iter().try_for_each(|one| {
            let (state, new, seen) = (one.state, one.lines_new, one.lines_seen);
            writeln!(f, "{state}: {new} new lines, {seen} seen before.")
        })
    }
}

/// Where statements are taken in, and by whom.
#[derive(Clone)]
pub struct Importer {
    pub db: Db,
    pub context: Context,
    pub stamp: Stamp,
}

impl Importer {
    /// Takes a file in; refused whole where any of it is no bank statement.
    pub async fn import(&self, sent: SentFile) -> Result<Outcome> {
        let (format, sha256) = (sent.format, sent.sha256.clone());
        let (contents, read) = surveyed(sent).await?;
        let (asked, count) = (sha256.clone(), read.len());
        let known = move |conn: &mut DbConn| bank::known_file(conn, &asked, count);
        if let Some(statements) = self.db.read(known).await? {
            let is_known = true;
            return Ok(Outcome {
                statements,
                is_known,
            });
        }
        let mut lines = self.read_on(contents, &read);
        let mut statements = Vec::new();
        for one in read {
            let stored = self.store(&mut lines, (&sha256, format), one).await?;
            statements.push(stored);
        }
        let is_known = false;
        Ok(Outcome {
            statements,
            is_known,
        })
    }

    /// Says what would become of a file.
    pub async fn rehearse(&self, sent: SentFile) -> Result<Outcome> {
        let (contents, read) = surveyed(sent).await?;
        let mut lines = self.read_on(contents, &read);
        let mut statements = Vec::new();
        for one in read {
            let context = self.context.clone();
            let rehearse = move |conn: &mut DbConn| bank::rehearse(conn, &context, &one);
            let (plan, mut imported) = self.db.read(rehearse).await?;
            loop {
                let (chunk, is_end) = lines.next().await?;
                let plan = plan.clone();
                let count = move |conn: &mut DbConn| bank::count_seen(conn, &plan, &chunk);
                let seen = self.db.read(count).await?;
                imported.lines_seen += seen;
                imported.lines_new -= seen;
                if is_end {
                    break;
                }
            }
            statements.push(imported);
        }
        let is_known = false;
        Ok(Outcome {
            statements,
            is_known,
        })
    }

    /// Stores one statement with its lines, as they come.
    async fn store(
        &self,
        lines: &mut Lines,
        (sha256, format): (&str, StatementFormat),
        read: Surveyed,
    ) -> Result<Imported> {
        let plan = self.begin((sha256, format), &read).await?;
        loop {
            let (chunk, is_end) = lines.next().await?;
            self.take_in(&plan, chunk.into()).await?;
            if is_end {
                break;
            }
        }
        let of = self.clone();
        let finish =
            move |conn: &mut DbConn| bank::finish(conn, &of.context, &of.stamp, (&plan, &read));
        self.db.write(finish).await
    }

    /// Stores some lines, once no other statement of the account is on its way.
    async fn take_in(&self, plan: &Plan, lines: Arc<[NewLine]>) -> Result<()> {
        let begun = tokio::time::Instant::now();
        while begun.elapsed() < WAITING {
            let (plan, lines, now) = (plan.clone(), Arc::clone(&lines), self.context.now);
            let take_in = move |conn: &mut DbConn| bank::take_in(conn, &plan, now, &lines);
            if self.db.write(take_in).await? {
                return Ok(());
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        Err(Code::Overloaded.into())
    }

    /// Begins with a statement once none of its account is on its way. One of which nothing more comes was left by whoever sent it, and is forgotten.
    async fn begin(
        &self,
        (sha256, format): (&str, StatementFormat),
        read: &Surveyed,
    ) -> Result<Plan> {
        let begun = tokio::time::Instant::now();
        let mut last = (None, begun);
        while begun.elapsed() < WAITING {
            let (of, sha256, read) = (self.clone(), sha256.to_owned(), read.clone());
            let begin = move |conn: &mut DbConn| {
                let file = (sha256.as_str(), format);
                bank::begin(conn, &of.context, &of.stamp, file, &read)
            };
            let ahead = match self.db.write(begin).await? {
                Begun::Ready(plan) => return Ok(plan),
                Begun::Behind(statement, lines) => (statement, lines),
            };
            if last.0 != Some(ahead) {
                last = (Some(ahead), tokio::time::Instant::now());
            } else if last.1.elapsed() > STILL {
                let forget = move |conn: &mut DbConn| bank::forget_left(conn, ahead);
                self.db.write(forget).await?;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        Err(Code::Overloaded.into())
    }

    /// Reads the lines of a file off the async threads, no further ahead than one chunk.
    fn read_on(&self, mut contents: Contents, read: &[Surveyed]) -> Lines {
        let iban = &self.context.programme.seller.iban;
        let iban: String = iban.split_whitespace().collect();
        let inverted: Vec<bool> = read.iter().map(|one| one.is_inverted(&iban)).collect();
        let (sender, receiver) = mpsc::channel(1);
        tokio::task::spawn_blocking(move || {
            let take = |chunk, is_end| sender.blocking_send(Ok((chunk, is_end))).is_ok();
            if let Err(error) = bank::read_lines(&mut contents, &inverted, take) {
                // Where nobody listens any more, nobody is told.
                let _ = sender.blocking_send(Err(error));
            }
        });
        Lines(receiver)
    }
}

/// The lines of a file as they are read.
struct Lines(mpsc::Receiver<Result<(Vec<NewLine>, bool)>>);

impl Lines {
    /// The next ones, and whether they are the last of their statement.
    async fn next(&mut self) -> Result<(Vec<NewLine>, bool)> {
        let next = self.0.recv().await;
        next.unwrap_or_else(|| Err(Code::Overloaded.into()))
    }
}

/// What a file holds, read whole once.
async fn surveyed(sent: SentFile) -> Result<(Contents, Vec<Surveyed>)> {
    let read = tokio::task::spawn_blocking(move || {
        let mut contents = Contents::of(sent.file, sent.format)?;
        let read = bank::survey(&mut contents)?;
        Ok((contents, read))
    });
    read.await
        .map_err(Error::internal("reading a bank statement"))?
}

/// Matches the lines of a statement until none is left; where other writers were in its way, fewer of them at a time.
pub async fn match_statement(
    worker: &Worker,
    service: ServiceAccess,
    id: BankStatementId,
) -> Result<()> {
    let (mut from, mut most) = (0, LINES);
    loop {
        let context = worker.context();
        let work = move |conn: &mut DbConn| bank::work(conn, &context, service, (id, from), most);
        match worker.db.write(work).await {
            Ok(Some(next)) => (from, most) = (next, LINES.min(most * 2)),
            Ok(None) => return Ok(()),
            Err(Error::Contended) if most > 1 => most /= 2,
            Err(error) => return Err(error),
        }
    }
}
