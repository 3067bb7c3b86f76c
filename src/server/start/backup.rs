//! A copy of everything that a service on SQLite keeps, in one tar file, and its way back. What PostgreSQL and S3 keep is copied by their own tools.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;
use tar::{Archive, Builder, EntryType, Header};

use super::StartError;
use crate::config::{Config, DocumentPlace};
use crate::domain::file;
use crate::integrations::document_store::{self, DocumentStore};
use crate::private;
use crate::repository::{copy_sqlite, sqlite_file};

/// What the database is called in a backup.
const DATABASE: &str = "cps.db";
/// What the folder of documents is called in a backup.
const DOCUMENTS: &str = "store";
/// The folders in a document store.
const FOLDERS: [&str; 3] = [file::UPLOADS, file::INVOICES, "sandbox"];

/// Writes the database, as it is at one moment, and the documents to `file`, where nothing is yet; the service may go on meanwhile. How many
/// documents there are.
pub fn backup(config: &Config, file: &Path) -> Result<usize, StartError> {
    let (database, documents) = places(config)?;
    if !database.exists() {
        return Err(format!("{}: there is no database", database.display()).into());
    }
    if file.exists() {
        return Err(format!("{} is there already: name another file", file.display()).into());
    }
    let copy = beside(file, ".db");
    let part = beside(file, ".part");
    remove(&copy)?;
    let written = copy_sqlite(database, &copy).and_then(|()| {
        let written = write(&part, &copy, documents)?;
        fs::rename(&part, file)?;
        Ok(written)
    });
    remove(&copy)?;
    remove(&part)?;
    written
}

/// Puts what `file` holds where the configuration names it, where nothing is yet; how many documents there are.
pub fn restore(config: &Config, file: &Path) -> Result<usize, StartError> {
    let (database, documents) = places(config)?;
    for place in [database, documents] {
        if !is_free(place)? {
            let place = place.display();
            return Err(format!(
                "{place} is there already: stop the service and move it away first"
            )
            .into());
        }
    }
    let (new_database, new_documents) = (
        beside(database, ".restored"),
        beside(documents, ".restored"),
    );
    clear(&new_database, &new_documents)?;
    let restored = read(file, &new_database, &new_documents).and_then(|restored| {
        if documents.exists() {
            fs::remove_dir(documents)?;
        }
        fs::rename(&new_documents, documents)?;
        fs::rename(&new_database, database)?;
        Ok(restored)
    });
    clear(&new_database, &new_documents)?;
    restored.map_err(|cause| format!("{}: {cause}", file.display()).into())
}

/// The database's file and the folder of documents.
fn places(config: &Config) -> Result<(&Path, &Path), StartError> {
    let Some(database) = sqlite_file(config.database_url.expose_secret()) else {
        return Err(
            "the database is a PostgreSQL: copy it with pg_dump and bring it back with pg_restore, the documents with it".into(),
        );
    };
    match &config.documents {
        DocumentPlace::Folder(folder) => Ok((database, folder)),
        DocumentPlace::Bucket(url) => Err(format!(
            "the documents are in {url}: copy them with the bucket's own tools, and the database with sqlite3's .backup"
        )
        .into()),
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Whether nothing is at `path`, or an empty folder.
fn is_free(path: &Path) -> io::Result<bool> {
    if path.is_dir() {
        return Ok(fs::read_dir(path)?.next().is_none());
    }
    Ok(!path.exists())
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn clear(database: &Path, documents: &Path) -> io::Result<()> {
    remove(database)?;
    match fs::remove_dir_all(documents) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn write(part: &Path, database: &Path, documents: &Path) -> Result<usize, StartError> {
    let mut tar = Builder::new(private::file(part)?);
    tar.get_ref().set_len(0)?;
    tar.append_path_with_name(database, DATABASE)?;
    let mut written = 0;
    for folder in FOLDERS {
        written += write_folder(&mut tar, documents, folder)?;
    }
    let file = tar.into_inner()?;
    file.sync_all()?;
    Ok(written)
}

fn write_folder(tar: &mut Builder<File>, documents: &Path, folder: &str) -> io::Result<usize> {
    let entries = match fs::read_dir(documents.join(folder)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let mut written = 0;
    for entry in entries {
        let name = entry?.file_name();
        let key = format!("{folder}/{}", name.to_string_lossy());
        // What is half written has another name, and what is deleted meanwhile is wanted by nobody.
        if !document_store::is_whole(&key) {
            continue;
        }
        match File::open(documents.join(&key)) {
            Ok(mut file) => tar.append_file(format!("{DOCUMENTS}/{key}"), &mut file)?,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        }
        written += 1;
    }
    Ok(written)
}

fn read(file: &Path, database: &Path, documents: &Path) -> Result<usize, StartError> {
    let mut archive = Archive::new(File::open(file)?);
    // The folder is made and marked as the service would.
    DocumentStore::open(&DocumentPlace::Folder(documents.to_owned()), None)?;
    let mut restored = 0;
    let mut has_database = false;
    for entry in archive.entries()? {
        let mut entry = entry?;
        let name = entry.path()?.to_string_lossy().into_owned();
        let target = target(entry.header(), &name, database, documents);
        let target = target.ok_or_else(|| format!("{name} is nothing that a backup holds"))?;
        if let Some(folder) = target.parent() {
            private::folder(folder)?;
        }
        let mut written = private::file(&target)?;
        io::copy(&mut entry, &mut written)?;
        written.flush()?;
        written.sync_all()?;
        has_database |= target == database;
        restored += usize::from(target != database);
    }
    match has_database {
        true => Ok(restored),
        false => Err("it holds no database".into()),
    }
}

/// Where a file of the backup goes; nowhere what no backup of ours holds.
fn target(header: &Header, name: &str, database: &Path, documents: &Path) -> Option<PathBuf> {
    if header.entry_type() != EntryType::Regular {
        return None;
    }
    if name == DATABASE {
        return Some(database.to_owned());
    }
    let key = name.strip_prefix(DOCUMENTS)?.strip_prefix('/')?;
    document_store::is_whole(key).then(|| documents.join(key))
}
