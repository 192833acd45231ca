//! Refuses to serve from places that others can write: whoever can change the program, its settings
//! or its key is the machine (rule R19).

use std::path::{Path, PathBuf};

use thiserror::Error;

/// Somebody else could take over the agent.
#[derive(Debug, Error)]
#[error("{path} can be written by {who}: take the right away (chmod go-w) before starting the service")]
pub struct UnsafePath {
    /// The file or folder.
    pub path: PathBuf,
    /// `its group` or `everybody`.
    pub who: &'static str,
}

/// Checks each path that exists. Windows keeps such rights in access lists that the installer sets.
pub fn check<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Result<(), UnsafePath> {
    paths.into_iter().try_for_each(|path| match std::fs::metadata(path) {
        Ok(found) => refuse_foreign_writers(path, &found),
        Err(_) => Ok(()),
    })
}

#[cfg(unix)]
fn refuse_foreign_writers(path: &Path, found: &std::fs::Metadata) -> Result<(), UnsafePath> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&found.permissions());
    let who = match (mode & 0o002 != 0, mode & 0o020 != 0) {
        (true, _) => "everybody",
        (false, true) => "its group",
        (false, false) => return Ok(()),
    };
    Err(UnsafePath { path: path.to_owned(), who })
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the same face as on Unix")]
fn refuse_foreign_writers(_path: &Path, _found: &std::fs::Metadata) -> Result<(), UnsafePath> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_folder_that_others_can_write_is_refused_and_says_who() {
        let folder = tempfile::tempdir().unwrap();
        let set =
            |mode| std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        let refusal = || check([folder.path()]).unwrap_err().to_string();
        set(0o755);
        assert!(check([folder.path(), Path::new("/nowhere/at/all")]).is_ok());
        set(0o775);
        assert!(refusal().contains("its group"));
        set(0o777);
        assert!(refusal().contains("everybody"));
        set(0o700);
    }
}
