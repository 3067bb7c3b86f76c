//! Files and folders that only the service's own user may read, whatever the umask says. What is in them is others' matter.

use std::fs::{DirBuilder, File, Permissions, metadata, set_permissions};
use std::io::{Error, Result};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// What group and others may do.
const OTHERS: u32 = 0o077;
/// What marks a folder that everybody puts files into.
const SHARED: u32 = 0o1000;

/// Has all files that this process makes from now on be its own user's alone: those that a library makes too.
pub fn by_default() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(OTHERS));
}

/// Makes a folder, with those above it, 0700; one that is there stays as it is.
pub fn folder(path: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Opens a file to write, made 0600 where it is not there and narrowed to that where it is wider.
pub fn file(path: &Path) -> Result<File> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)?;
    narrow(path)?;
    Ok(file)
}

/// Takes from group and others what they may do with `path`; nothing there is as good. A folder that is shared on purpose is an error:
/// it is not ours to close.
pub fn narrow(path: &Path) -> Result<()> {
    let Ok(found) = metadata(path) else {
        return Ok(());
    };
    let mode = found.permissions().mode();
    if mode & OTHERS == 0 {
        return Ok(());
    }
    let told = |cause: &dyn std::fmt::Display| {
        Error::other(format!(
            "{} is open to other users: {cause}",
            path.display()
        ))
    };
    if found.is_dir() && mode & SHARED != 0 {
        return Err(told(&"it is a folder that everybody uses"));
    }
    set_permissions(path, Permissions::from_mode(mode & 0o7700)).map_err(|cause| told(&cause))
}

/// Whether group or others may do anything with the file at `path`, behind every link.
pub fn is_open_to_others(path: &Path) -> Result<bool> {
    Ok(metadata(path)?.permissions().mode() & OTHERS != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn what_is_made_is_ours_alone_and_what_was_open_is_closed() {
        let root = tempfile::tempdir().unwrap();
        let (inner, path) = (root.path().join("a/b"), root.path().join("a/b/file"));
        folder(&inner).unwrap();
        file(&path).unwrap();
        assert_eq!((mode(&inner), mode(&path)), (0o700, 0o600));
        set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert!(is_open_to_others(&path).unwrap());
        file(&path).unwrap();
        assert_eq!(mode(&path), 0o600);
        narrow(&root.path().join("nowhere")).unwrap();
    }

    #[test]
    fn a_folder_of_everybody_is_not_closed() {
        let root = tempfile::tempdir().unwrap();
        set_permissions(root.path(), Permissions::from_mode(0o1777)).unwrap();
        let refused = narrow(root.path()).unwrap_err().to_string();
        assert!(refused.contains("everybody"), "{refused}");
        assert_eq!(mode(root.path()), 0o1777);
    }
}
