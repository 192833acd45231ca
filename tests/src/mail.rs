//! A real mail server: exim of Debian's package, with a configuration of its own on a port of the loopback interface.
//! It delivers everything into one folder, refuses, puts off and loses what the recipient's name asks for, and writes
//! true reports of non-delivery.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use crate::process::{Running, command, free_port, leave_out, run};
use crate::world::until;

/// When set, a missing mail server is a failure.
const REQUIRED_BY: &str = "PARC_TEST_REQUIRE_MAIL";
/// Where Debian puts it; not on every account's path.
const PROGRAM: &str = "/usr/sbin/exim4";
/// Account that exim runs as when a test runs as root.
pub(crate) const ACCOUNT: &str = "Debian-exim";
/// A mail is there within milliseconds; the collector looks at its outbox every second.
const ARRIVAL_TIMEOUT: Duration = Duration::from_secs(40);

/// A running mail server.
#[derive(Debug)]
pub struct MailServer {
    _running: Running,
    folder: TempDir,
    /// Its port for SMTP.
    pub port: u16,
}

/// A mail as it lies in the mailbox.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The whole message.
    pub bytes: Vec<u8>,
    /// Envelope recipient.
    pub to: String,
    /// Envelope sender, empty for reports.
    pub from: String,
}

impl MailServer {
    /// Starts one; nothing when exim is neither there nor required.
    pub async fn start() -> Option<Self> {
        if !Path::new(PROGRAM).is_file() {
            leave_out("exim4 is not installed", REQUIRED_BY);
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = free_port();
        let open = |path: &Path| fs::set_permissions(path, Permissions::from_mode(0o777)).expect("rights");
        for part in ["spool", "mail", "helpdesk"] {
            fs::create_dir(folder.path().join(part)).expect("a folder");
            open(&folder.path().join(part));
        }
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("rights");
        let config = folder.path().join("exim.conf");
        fs::write(&config, configuration(folder.path(), port)).expect("write the configuration");
        let mut start = if is_root() {
            let mut start = command("setpriv");
            start.args(["--reuid", ACCOUNT, "--regid", ACCOUNT, "--clear-groups", PROGRAM]);
            start
        } else {
            command(PROGRAM)
        };
        // In the foreground, with the queue looked at every second.
        start.arg("-C").arg(&config).args(["-bdf", "-q1s"]);
        let running = Running::start(start, &folder.path().join("log"));
        let server = Self { _running: running, folder, port };
        until("exim listens", Duration::from_secs(20), async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await;
        Some(server)
    }

    /// Everything delivered so far, oldest first.
    pub fn mails(&self) -> Vec<Mail> {
        let new = self.folder.path().join("mail/new");
        let mut files: Vec<PathBuf> =
            fs::read_dir(new).into_iter().flatten().flatten().map(|it| it.path()).collect();
        files.sort();
        files.iter().filter_map(|it| fs::read(it).ok()).map(Mail::read).collect()
    }

    /// Where mail to the helpdesk lies, for a server that people fetch it from.
    pub fn helpdesk_folder(&self) -> PathBuf {
        self.folder.path().join("helpdesk")
    }

    /// Hands a message over, as another server does; its lines may end in any way.
    pub async fn receive(&self, from: &str, to: &str, raw: &[u8]) {
        let stream = tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.expect("exim");
        let mut line = BufReader::new(stream);
        answered(&mut line, "220").await;
        for (said, expected) in [
            ("EHLO client.example".to_owned(), "250"),
            (format!("MAIL FROM:<{from}>"), "250"),
            (format!("RCPT TO:<{to}>"), "250"),
            ("DATA".to_owned(), "354"),
        ] {
            line.get_mut().write_all(format!("{said}\r\n").as_bytes()).await.expect("said");
            answered(&mut line, expected).await;
        }
        let mut data = Vec::with_capacity(raw.len() + 1024);
        for row in raw.split_inclusive(|it| *it == b'\n') {
            let row = row.strip_suffix(b"\n").unwrap_or(row);
            let row = row.strip_suffix(b"\r").unwrap_or(row);
            if row.starts_with(b".") {
                data.push(b'.');
            }
            data.extend_from_slice(row);
            data.extend_from_slice(b"\r\n");
        }
        data.extend_from_slice(b".\r\n");
        line.get_mut().write_all(&data).await.expect("handed over");
        answered(&mut line, "250").await;
        line.get_mut().write_all(b"QUIT\r\n").await.expect("said");
    }

    /// Waits for a mail to this address that satisfies.
    pub async fn mail_to(&self, address: &str, wanted: impl Fn(&Mail) -> bool) -> Mail {
        let found = async || self.mails().into_iter().find(|it| it.to == address && wanted(it));
        until(&format!("a mail to {address}"), ARRIVAL_TIMEOUT, found).await
    }
}

impl Mail {
    fn read(bytes: Vec<u8>) -> Self {
        let unread = Self { bytes, to: String::new(), from: String::new() };
        let (to, from) = (unread.header("Envelope-to"), unread.header("Return-path"));
        Self { to, from: from.trim_matches(['<', '>']).to_owned(), ..unread }
    }

    /// The value of a header, unfolded; empty without it.
    pub fn header(&self, name: &str) -> String {
        let text = String::from_utf8_lossy(&self.bytes);
        let head = text.split("\n\n").next().unwrap_or_default().replace("\n ", " ").replace("\n\t", " ");
        let found = head.lines().find_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        });
        found.unwrap_or_default()
    }

    /// The subject as people read it.
    pub fn subject(&self) -> String {
        self.parsed(|it| it.subject().unwrap_or_default().to_owned())
    }

    /// The plain text.
    pub fn text(&self) -> String {
        self.parsed(|it| it.body_text(0).unwrap_or_default().into_owned())
    }

    /// The page.
    pub fn html(&self) -> String {
        self.parsed(|it| it.body_html(0).unwrap_or_default().into_owned())
    }

    fn parsed(&self, ask: impl Fn(&mail_parser::Message<'_>) -> String) -> String {
        ask(&mail_parser::MessageParser::default().parse(&self.bytes).expect("a message"))
    }
}

/// Reads an answer, of several lines if need be.
async fn answered(line: &mut BufReader<tokio::net::TcpStream>, expected: &str) {
    loop {
        let mut text = String::new();
        line.read_line(&mut text).await.expect("an answer");
        assert!(text.starts_with(expected), "exim says {text:?} instead of {expected}");
        if text.as_bytes().get(3) != Some(&b'-') {
            return;
        }
    }
}

pub(crate) fn is_root() -> bool {
    run(command("id").arg("-u")).stdout.trim_ascii() == b"0"
}

/// `refused@…` is refused and `later@…` put off when it is handed over; `gone@…` is taken and then reported as gone.
fn configuration(folder: &Path, port: u16) -> String {
    let folder = folder.display();
    format!(
        "primary_hostname = mail.parc.test
daemon_smtp_ports = {port}
local_interfaces = 127.0.0.1
spool_directory = {folder}/spool
log_file_path = {folder}/spool/%slog
pid_file_path = {folder}/spool/pid
tls_advertise_hosts =
host_lookup =
rfc1413_query_timeout = 0s
keep_environment =
message_size_limit = 60M
smtp_accept_max_per_connection = 0
smtp_accept_queue_per_connection = 0
deliver_drop_privilege = true
acl_smtp_rcpt = recipient
acl_smtp_data = accept
begin acl
recipient:
  deny local_parts = refused
       message = no such mailbox here
  defer local_parts = later
        message = try again later
  accept
begin routers
gone:
  driver = redirect
  local_parts = gone
  data = :fail: the mailbox was removed
  allow_fail
helpdesk:
  driver = accept
  local_parts = helpdesk : ^helpdesk[+]
  transport = helpdesk
everything:
  driver = accept
  transport = folder
begin transports
helpdesk:
  driver = appendfile
  directory = {folder}/helpdesk
  maildir_format
  envelope_to_add
  return_path_add
folder:
  driver = appendfile
  directory = {folder}/mail
  maildir_format
  envelope_to_add
  return_path_add
begin retry
* * F,1h,1s
"
    )
}
