//! A real mailbox: dovecot of Debian's package on the folder into which exim delivers what is written to the helpdesk.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use crate::mail::{ACCOUNT, MailServer, is_root};
use crate::process::{Running, command, free_port, leave_out, run};
use crate::world::until;

/// When set, a missing program is a failure.
const REQUIRED_BY: &str = "PARC_TEST_REQUIRE_MAIL";
/// Where Debian puts it; not on every account's path.
const PROGRAM: &str = "/usr/sbin/dovecot";
/// Account and password of the mailbox.
pub const ACCOUNT_LINES: &str = "helpdesk\nsecret\n";
/// Address of the mailbox.
pub const HELPDESK: &str = "helpdesk@parc.example";

/// A running IMAP server.
#[derive(Debug)]
pub struct MailboxServer {
    _running: Running,
    _folder: TempDir,
    /// Its port for IMAP.
    pub port: u16,
}

impl MailboxServer {
    /// Starts one on the mail server's folder; nothing when dovecot is neither there nor required.
    pub async fn start(server: &MailServer) -> Option<Self> {
        if !Path::new(PROGRAM).is_file() {
            leave_out("dovecot is not installed", REQUIRED_BY);
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("rights");
        let port = free_port();
        let config = folder.path().join("dovecot.conf");
        fs::write(&config, configuration(folder.path(), &server.helpdesk_folder(), port))
            .expect("configuration");
        let mut start = command(PROGRAM);
        start.arg("-F").arg("-c").arg(&config);
        let running = Running::start(start, &folder.path().join("out"));
        until("dovecot listens", Duration::from_secs(20), async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await;
        Some(Self { _running: running, _folder: folder, port })
    }
}

/// Everything in one folder, one fixed password, no encryption: it listens inside this machine only.
fn configuration(folder: &Path, mail: &Path, port: u16) -> String {
    let (folder, mail) = (folder.display(), mail.display());
    let (internal, login, owner) = if is_root() {
        ("dovecot".to_owned(), "dovenull".to_owned(), ACCOUNT.to_owned())
    } else {
        let own = run(command("id").arg("-un")).stdout;
        let own = String::from_utf8_lossy(&own).trim().to_owned();
        (own.clone(), own.clone(), own)
    };
    format!(
        "base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
default_internal_user = {internal}
default_login_user = {login}
mail_location = maildir:{mail}
first_valid_uid = 1
first_valid_gid = 1
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={owner} gid={owner} home={mail}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
"
    )
}
