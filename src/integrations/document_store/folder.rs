//! A folder as the document store: it is the service's alone, and says so by a mark.

use std::fs::{DirEntry, read_dir};
use std::io;
use std::path::{Component, Path, PathBuf};

use object_store::local::LocalFileSystem;

use crate::domain::file;
use crate::error::{Error, Result};
use crate::private;

/// The file that marks a folder as ours.
const MARK: &str = ".cps-documents";
/// What file systems keep for themselves in the topmost folder.
const OF_THE_DISK: &str = "lost+found";

/// Refuses a folder in which the database is, and one with files of others that is not marked as ours.
pub fn check(folder: &Path, database: Option<&Path>) -> Result<(), String> {
    let told = |cause: io::Error| format!("CPS_DOCUMENT_STORE: {}: {cause}", folder.display());
    if let Some(database) = database {
        let within = resolved(database)
            .map_err(told)?
            .starts_with(resolved(folder).map_err(told)?);
        if within {
            return Err(format!(
                "CPS_DOCUMENT_STORE names {}, which holds the database: name a folder of its own, and move `documents` and `sandbox` into it \
                 where documents were kept here",
                folder.display()
            ));
        }
    }
    if folder.join(MARK).exists() || !folder.exists() {
        return Ok(());
    }
    match foreign(folder, folder).map_err(told)? {
        None => Ok(()),
        Some(found) => Err(format!(
            "CPS_DOCUMENT_STORE names {}, which holds {} and so is not the service's alone: name a new or empty folder, or move what does \
             not belong there",
            folder.display(),
            found.display()
        )),
    }
}

/// Opens a folder that was checked: makes it where it is not there, closes it to other users and marks it.
pub fn open(folder: &Path) -> Result<LocalFileSystem> {
    let mark = || {
        private::folder(folder)?;
        private::narrow(folder)?;
        private::file(&folder.join(MARK)).map(drop)
    };
    mark().map_err(Error::internal("making the folder for documents"))?;
    let opened = LocalFileSystem::new_with_prefix(folder);
    Ok(opened
        .map_err(Error::internal("opening the document store"))?
        .with_fsync(true))
}

/// Deletes what was written of `key` under the name that it has until its end.
pub async fn delete_staged(folder: &Path, key: &str) -> Result<()> {
    match tokio::fs::remove_file(folder.join(format!("{key}#1"))).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::internal("deleting a document")(error))
        }
        _ => Ok(()),
    }
}

/// Where `path` leads, behind every link of what is there of it.
fn resolved(path: &Path) -> io::Result<PathBuf> {
    let absolute = std::path::absolute(path)?;
    let mut resolved = PathBuf::new();
    for part in absolute.components() {
        match part {
            Component::ParentDir => {
                resolved.pop();
            }
            part => resolved.push(part),
        }
        if let Ok(there) = resolved.canonicalize() {
            resolved = there;
        }
    }
    Ok(resolved)
}

/// Something in `folder` that no version of this service put there.
fn foreign(root: &Path, folder: &Path) -> io::Result<Option<PathBuf>> {
    for entry in read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let name = path.strip_prefix(root).unwrap_or(&path).to_path_buf();
        if is_inner_folder(&entry, &name)? {
            if let Some(found) = foreign(root, &path)? {
                return Ok(Some(found));
            }
        } else if name != *OF_THE_DISK && !is_ours_file(&entry, &name)? {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

fn is_inner_folder(entry: &DirEntry, name: &Path) -> io::Result<bool> {
    let known = [file::UPLOADS, file::INVOICES, "sandbox"];
    let is_known = known.iter().any(|known| name == *known);
    Ok(is_known && entry.file_type()?.is_dir())
}

/// Whether it is the file of an upload, of an invoice or a sample, whole or half written.
fn is_ours_file(entry: &DirEntry, name: &Path) -> io::Result<bool> {
    Ok(entry.file_type()?.is_file() && is_ours(&name.to_string_lossy()))
}

fn is_ours(name: &str) -> bool {
    let whole = match name.split_once('#') {
        Some((whole, number)) if number.bytes().all(|b| b.is_ascii_digit()) => whole,
        _ => name,
    };
    is_whole(whole)
}

/// Whether a file of this name in the store is one of the service's own, and whole.
pub fn is_whole(key: &str) -> bool {
    file::is_key(key) || file::SAMPLES.contains(&key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        root
    }

    const UPLOAD: &str = "documents/0123456789abcdef0123456789abcdef";

    #[test]
    fn what_older_versions_kept_is_taken_over_and_then_stays_ours() {
        let staged = format!("{UPLOAD}#1");
        let root = with(&[UPLOAD, &staged, "sandbox/certificate"]);
        std::fs::create_dir(root.path().join("lost+found")).unwrap();
        check(root.path(), None).unwrap();
        open(root.path()).unwrap();
        std::fs::write(root.path().join("README"), "x").unwrap();
        check(root.path(), None).unwrap();
    }

    #[test]
    fn a_folder_with_files_of_others_is_refused_and_named() {
        for other in [
            "notes.txt",
            "documents/report.pdf",
            "sandbox/certificate/more",
            "photos/2026/a.jpg",
        ] {
            let root = with(&[UPLOAD, other]);
            let said = check(root.path(), None).unwrap_err();
            let first = other.split('/').next().unwrap();
            assert!(
                said.contains(first) && said.contains("new or empty"),
                "{said}"
            );
            assert!(!root.path().join(MARK).exists());
        }
    }

    #[test]
    fn a_folder_with_the_database_is_refused_by_whatever_path_it_is_named() {
        let root = tempfile::tempdir().unwrap();
        let data = root.path().join("data");
        let database = data.join("cps.db");
        check(&data.join("documents"), Some(&database)).unwrap();
        for folder in [&data, &root.path().join("data/x/.."), root.path()] {
            let said = check(folder, Some(&database)).unwrap_err();
            assert!(said.contains("database"), "{said}");
        }
        std::fs::create_dir(&data).unwrap();
        let link = root.path().join("link");
        std::os::unix::fs::symlink(&data, &link).unwrap();
        assert!(check(&link, Some(&database)).is_err());
        assert!(check(&data, Some(&link.join("cps.db"))).is_err());
    }
}
