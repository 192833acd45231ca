//! The file-system root every probe reads through.
//!
//! Purpose: one door to files, so that the same probes read this machine (`/`) or a captured tree (a folder
//! that holds another machine's `etc`, `proc`, `sys`, `var`…).
//!
//! Invariants:
//! - every read has a limit; a file that is larger is an error, never a silent cut;
//! - only regular files are opened, so a pipe in a captured tree cannot block a probe;
//! - in a captured tree symbolic links are resolved here, inside the folder: `/etc/x` in a link means
//!   `FOLDER/etc/x` and `..` stops at the folder. A link chain that cannot be resolved is unreadable.
//!   Resolving is not proof against somebody who changes the tree while it is read.
//!
//! A tree of files cannot hold what only system calls answer. A capture may add such facts below
//! `parc-capture/`: the file [`STATVFS`] has one line per mount point, `MOUNTPOINT SIZE_BYTES FREE_BYTES`,
//! with blanks in the mount point written as `\040`, as in `/proc/mounts`.

use std::collections::VecDeque;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Take};
use std::path::PathBuf;

/// Sizes and free space of a captured machine's volumes, see the module.
pub const STATVFS: &str = "/parc-capture/statvfs";

/// As many links as Linux follows before it calls a path a loop.
const LINKS_MAX: usize = 40;
/// A `/sys` attribute is at most one page.
const ATTRIBUTE_BYTES_MAX: u64 = 4096;

/// Where probes read: `/` on the machine itself, a folder for a captured tree.
#[derive(Clone, Debug)]
pub struct Root {
    dir: PathBuf,
    live: bool,
}

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// No such file: often a normal state.
    #[error("no such file")]
    Absent,
    /// The file is there but the system refuses it.
    #[error("cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// A folder, pipe or socket where a file should be.
    #[error("not a regular file")]
    NotAFile,
    /// More bytes than the reader allows.
    #[error("larger than {max} bytes")]
    TooLarge {
        /// The limit that was passed.
        max: u64,
    },
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::Absent,
            _ => Self::Unreadable(error),
        }
    }
}

/// The names in a folder, sorted.
#[derive(Debug, Default)]
pub struct Listing {
    /// Names that are valid UTF-8; the kernel and package managers make no others.
    pub names: Vec<String>,
    /// The folder held more than the limit and the rest was left out.
    pub cut: bool,
}

impl Root {
    /// This machine.
    pub fn live() -> Self {
        Self { dir: PathBuf::from("/"), live: true }
    }

    /// A folder that holds another machine's files.
    pub fn captured(dir: PathBuf) -> Self {
        Self { dir, live: false }
    }

    /// Whether system calls answer for the machine that is read.
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// Where `inner`, an absolute path of the machine, lies on this one, links resolved inside the root.
    /// A path that cannot be resolved becomes one that no file system can hold, so that opening it fails.
    pub fn path(&self, inner: &str) -> PathBuf {
        if self.live {
            return self.join(&components(inner));
        }
        match self.resolve(inner, true) {
            Ok(parts) => self.join(&parts),
            Err(_) => self.dir.join("\0"),
        }
    }

    /// The path of `inner` with every link resolved, as the machine itself would name it.
    ///
    /// # Errors
    /// When a part of it does not exist or the links form a loop.
    pub fn canonical(&self, inner: &str) -> Result<String, ReadError> {
        let parts = self.resolve(inner, true)?;
        fs::symlink_metadata(self.join(&parts))?;
        Ok(format!("/{}", parts.join("/")))
    }

    /// What the link `inner` says, if it is one.
    pub fn link(&self, inner: &str) -> Option<String> {
        let parts = self.resolve(inner, false).ok()?;
        let target = fs::read_link(self.join(&parts)).ok()?;
        target.into_os_string().into_string().ok()
    }

    /// Opens a regular file; reading ends after `max` bytes.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn open(&self, inner: &str, max: u64) -> Result<Take<File>, ReadError> {
        let path = self.path(inner);
        if !fs::metadata(&path)?.is_file() {
            return Err(ReadError::NotAFile);
        }
        Ok(File::open(&path)?.take(max))
    }

    /// The whole of a file of at most `max` bytes. Sizes that `/proc` and `/sys` report are not relied on.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn read_bytes(&self, inner: &str, max: u64) -> Result<Vec<u8>, ReadError> {
        let mut bytes = Vec::new();
        self.open(inner, max.saturating_add(1))?.read_to_end(&mut bytes)?;
        if u64::try_from(bytes.len()).is_ok_and(|it| it > max) {
            return Err(ReadError::TooLarge { max });
        }
        Ok(bytes)
    }

    /// The same as text; bytes that are not UTF-8 become replacement characters.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn read_text(&self, inner: &str, max: u64) -> Result<String, ReadError> {
        let bytes = self.read_bytes(inner, max)?;
        Ok(String::from_utf8(bytes).unwrap_or_else(|it| String::from_utf8_lossy(it.as_bytes()).into_owned()))
    }

    /// A one-line fact below `/sys` or `/proc`, blanks around it removed. Absent, refused and empty are all
    /// `None`: the kernel answers "not known" in each of these ways.
    pub fn attribute(&self, inner: &str) -> Option<String> {
        let text = self.read_text(inner, ATTRIBUTE_BYTES_MAX).ok()?;
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// A number in an attribute.
    pub fn number<T: std::str::FromStr>(&self, inner: &str) -> Option<T> {
        self.attribute(inner)?.parse().ok()
    }

    /// The first `max` names of a folder, sorted.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn list_dir(&self, inner: &str, max: usize) -> Result<Listing, ReadError> {
        let mut listing = Listing::default();
        for entry in fs::read_dir(self.path(inner))? {
            if listing.names.len() >= max {
                listing.cut = true;
                break;
            }
            listing.names.extend(entry?.file_name().into_string());
        }
        listing.names.sort_unstable();
        Ok(listing)
    }

    /// Times and kind of a file or folder, links followed.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn metadata(&self, inner: &str) -> Result<Metadata, ReadError> {
        Ok(fs::metadata(self.path(inner))?)
    }

    /// Whether there is anything at `inner`.
    pub fn exists(&self, inner: &str) -> bool {
        self.metadata(inner).is_ok()
    }

    fn join(&self, parts: &[String]) -> PathBuf {
        self.dir.join(parts.join("/"))
    }

    /// Walks `inner` part by part and replaces links. The last part is left alone unless `follow_last`.
    fn resolve(&self, inner: &str, follow_last: bool) -> io::Result<Vec<String>> {
        let mut rest: VecDeque<String> = components(inner).into();
        let mut done: Vec<String> = Vec::with_capacity(rest.len());
        let mut links = 0;
        while let Some(part) = rest.pop_front() {
            if part == ".." {
                done.pop();
                continue;
            }
            done.push(part);
            if rest.is_empty() && !follow_last {
                break;
            }
            let path = self.join(&done);
            if !fs::symlink_metadata(&path).is_ok_and(|it| it.file_type().is_symlink()) {
                continue;
            }
            links += 1;
            if links > LINKS_MAX {
                return Err(io::Error::other("too many symbolic links"));
            }
            let target = fs::read_link(&path)?.into_os_string().into_string();
            let target = target.map_err(|_| io::Error::other("a symbolic link is not UTF-8"))?;
            done.pop();
            if target.starts_with('/') {
                done.clear();
            }
            for part in components(&target).into_iter().rev() {
                rest.push_front(part);
            }
        }
        Ok(done)
    }
}

fn components(path: &str) -> Vec<String> {
    path.split('/').filter(|it| !it.is_empty() && *it != ".").map(str::to_owned).collect()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn tree() -> (tempfile::TempDir, Root) {
        let outer = tempfile::tempdir().unwrap();
        let inner = outer.path().join("tree");
        fs::create_dir_all(inner.join("etc")).unwrap();
        fs::write(inner.join("etc/inside"), "inside").unwrap();
        fs::write(outer.path().join("secret"), "outside").unwrap();
        let root = Root::captured(inner);
        (outer, root)
    }

    #[test]
    fn an_absolute_link_stays_inside_the_captured_tree() {
        let (_outer, root) = tree();
        symlink("/etc/inside", root.dir.join("etc/link")).unwrap();
        assert_eq!(root.read_text("/etc/link", 100).unwrap(), "inside");
        assert_eq!(root.canonical("/etc/link").unwrap(), "/etc/inside");
        assert_eq!(root.link("/etc/link").as_deref(), Some("/etc/inside"));
    }

    #[test]
    fn no_link_and_no_dots_lead_out_of_the_captured_tree() {
        let (outer, root) = tree();
        symlink("../../../secret", root.dir.join("etc/up")).unwrap();
        symlink(outer.path(), root.dir.join("etc/away")).unwrap();
        symlink("../..", root.dir.join("etc/parent")).unwrap();
        for path in ["/etc/up", "/etc/away/secret", "/etc/parent/secret", "/../secret", "/etc/../../secret"] {
            assert!(matches!(root.read_text(path, 100), Err(ReadError::Absent)), "{path}");
        }
    }

    #[test]
    fn a_loop_of_links_is_unreadable() {
        let (_outer, root) = tree();
        symlink("b", root.dir.join("etc/a")).unwrap();
        symlink("a", root.dir.join("etc/b")).unwrap();
        assert!(matches!(root.read_text("/etc/a", 100), Err(ReadError::Unreadable(_))));
        assert!(!root.exists("/etc/a"));
    }

    #[test]
    fn a_file_over_its_limit_is_an_error_and_one_at_the_limit_is_not() {
        let (_outer, root) = tree();
        assert!(matches!(root.read_bytes("/etc/inside", 5), Err(ReadError::TooLarge { max: 5 })));
        assert_eq!(root.read_bytes("/etc/inside", 6).unwrap(), b"inside");
    }

    #[test]
    fn a_folder_is_not_a_file_and_a_pipe_is_never_opened() {
        let (_outer, root) = tree();
        assert!(matches!(root.read_bytes("/etc", 10), Err(ReadError::NotAFile)));
        let _socket = std::os::unix::net::UnixListener::bind(root.dir.join("etc/socket")).unwrap();
        assert!(matches!(root.read_bytes("/etc/socket", 10), Err(ReadError::NotAFile)));
    }

    #[test]
    fn a_listing_is_sorted_and_says_when_it_was_cut() {
        let (_outer, root) = tree();
        fs::write(root.dir.join("etc/a"), "").unwrap();
        let all = root.list_dir("/etc", 10).unwrap();
        assert_eq!((all.names, all.cut), (vec!["a".to_owned(), "inside".to_owned()], false));
        assert!(root.list_dir("/etc", 1).unwrap().cut);
    }

    #[test]
    fn files_of_the_kernel_are_read_although_their_size_is_zero() {
        let text = Root::live().read_text("/proc/self/mountinfo", 1 << 20).unwrap();
        assert!(text.contains(" - "));
    }
}
