//! A real collector on free ports of the loopback interface.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::http;
use crate::mailbox::{ACCOUNT_LINES, HELPDESK};
use crate::process::{Running, command, free_port, program, run};

/// A debug build on a busy machine answers within seconds.
const READY_TIMEOUT: Duration = Duration::from_mins(1);

/// What a story may choose about its collector.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Address of the database.
    pub database_url: String,
    /// Names that agents may call it by, in its certificate.
    pub names: Vec<String>,
    /// Seconds between two contacts of an agent.
    pub interval_s: u32,
    /// Port of the mail relay on the loopback interface; nothing for a collector that sends no mail.
    pub mail_port: Option<u16>,
    /// Port of the mailbox on the loopback interface; nothing for a collector that fetches no mail.
    pub mailbox_port: Option<u16>,
}

impl Settings {
    /// The usual ones on a database.
    pub fn on(database_url: &str) -> Self {
        let names = ["localhost", "127.0.0.1"].map(str::to_owned).to_vec();
        Self {
            database_url: database_url.to_owned(),
            names,
            interval_s: 14_400,
            mail_port: None,
            mailbox_port: None,
        }
    }
}

/// A collector program with its configuration and data folder.
#[derive(Debug)]
pub struct Collector {
    running: Option<Running>,
    agents_port: u16,
    web_port: u16,
    folder: TempDir,
}

impl Collector {
    /// Writes the configuration, starts the program and waits until it is ready.
    pub async fn start(settings: &Settings) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut collector = Self { running: None, agents_port: free_port(), web_port: free_port(), folder };
        std::fs::write(collector.config(), collector.config_text(settings)).expect("write the configuration");
        collector.start_again().await;
        collector
    }

    fn config_text(&self, settings: &Settings) -> String {
        let Settings { database_url, names, interval_s, mail_port, mailbox_port } = settings;
        let data = self.data_dir();
        std::fs::create_dir_all(&data).expect("a data folder");
        let data = data.display();
        let web = self.web();
        let mut mail = mail_port.map(mail_section).unwrap_or_default();
        mail += &mailbox_port.map(|it| self.mailbox_section(it)).unwrap_or_default();
        format!(
            "data_dir = \"{data}\"\npublic_url = {web:?}\n\n[database]\nurl = {database_url:?}\n\n\
             [agents]\nlisten = \"127.0.0.1:{agents}\"\nnames = {names:?}\ninterval_s = {interval_s}\n\
             enrollments_per_minute = 6000\n\n\
             [web]\nlisten = \"127.0.0.1:{port}\"\n\n[log]\nlevel = \"info\"\nformat = \"text\"\n{mail}",
            agents = self.agents_port,
            port = self.web_port,
        )
    }

    fn mailbox_section(&self, port: u16) -> String {
        let credentials = self.write("mailbox", ACCOUNT_LINES);
        let credentials = credentials.display();
        format!(
            "\n[[mailboxes]]\nname = \"helpdesk\"\naddress = \"{HELPDESK}\"\nhost = \"127.0.0.1\"\nport = {port}\n\
             security = \"none\"\ncredentials_file = \"{credentials}\"\npoll_s = 10\n\
             authentication_server = \"mx.parc.example\"\nmonitoring_senders = [\"sonde@client.example\"]\n"
        )
    }

    /// Its configuration file.
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("collector.toml")
    }

    /// Its data folder.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Where it writes what it says.
    pub fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Address of the pages and of REST.
    pub fn web(&self) -> String {
        format!("http://127.0.0.1:{}", self.web_port)
    }

    /// Address for agents.
    pub fn agents(&self) -> String {
        format!("https://127.0.0.1:{}", self.agents_port)
    }

    /// Port for agents.
    pub fn agents_port(&self) -> u16 {
        self.agents_port
    }

    /// Process number of the running program.
    pub fn pid(&self) -> u32 {
        self.running.as_ref().expect("the collector runs").pid()
    }

    /// Starts the stopped or killed program on the same data and ports.
    pub async fn start_again(&mut self) {
        assert!(self.running.is_none(), "the collector runs already");
        let mut serve = command(program("parc-collector"));
        serve.arg("serve").arg("--config").arg(self.config()).current_dir(self.folder.path());
        self.running = Some(Running::start(serve, &self.log()));
        self.wait_until_ready().await;
    }

    /// The same, on a disk where no file can grow over `kib_max` KiB: writing more is an input/output error.
    pub async fn start_again_with_small_files(&mut self, kib_max: u32) {
        assert!(self.running.is_none(), "the collector runs already");
        let mut serve = command("sh");
        // The shell counts in blocks of 512 bytes. Without the trap the signal would end the program.
        let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", kib_max * 2);
        serve.args(["-c", &script, "sh"]).arg(program("parc-collector"));
        serve.arg("serve").arg("--config").arg(self.config()).current_dir(self.folder.path());
        self.running = Some(Running::start(serve, &self.log()));
        self.wait_until_ready().await;
    }

    /// How it ended by itself, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.running.as_mut().expect("the collector runs").ended()?;
        self.running = None;
        Some(status)
    }

    async fn wait_until_ready(&mut self) {
        let address = format!("{}/readyz", self.web());
        let since = Instant::now();
        loop {
            let running = self.running.as_mut().expect("it was started");
            if let Some(status) = running.ended() {
                panic!("the collector ended with {status}; {}", running.log_tail());
            }
            if http::get(&address).await.is_ok_and(|it| it.status == 200) {
                return;
            }
            assert!(since.elapsed() < READY_TIMEOUT, "the collector is not ready; {}", running.log_tail());
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// `SIGTERM`: it drains and ends.
    pub async fn stop(&mut self) -> ExitStatus {
        self.running.take().expect("the collector runs").terminate().await
    }

    /// `SIGKILL`: it ends in the middle of whatever it does.
    pub fn kill(&mut self) {
        self.running.take().expect("the collector runs").kill();
    }

    /// `parc-collector admin …`, which must succeed; gives the line it prints.
    pub fn admin(&self, arguments: &[&str]) -> String {
        let (ok, out, err) = self.run("admin", arguments);
        assert!(ok, "parc-collector admin {arguments:?} failed: {err}{out}");
        out.trim().to_owned()
    }

    /// Any other command of the program on this configuration: success, standard output, standard error.
    pub fn run(&self, subcommand: &str, arguments: &[&str]) -> (bool, String, String) {
        let mut asked = command(program("parc-collector"));
        asked
            .arg(subcommand)
            .arg("--config")
            .arg(self.config())
            .args(arguments)
            .current_dir(self.folder.path());
        let output = run(&mut asked);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    }

    /// A file of the story's own beside the collector's.
    pub fn write(&self, name: &str, content: &str) -> PathBuf {
        let path: &Path = self.folder.path();
        let path = path.join(name);
        std::fs::write(&path, content).expect("write a file");
        path
    }
}

/// Address that the collectors of stories send mail from.
pub const SUPPORT: &str = "support@parc.example";

fn mail_section(port: u16) -> String {
    format!(
        "\n[mail]\nhost = \"127.0.0.1\"\nport = {port}\nsecurity = \"none\"\nfrom = \"{SUPPORT}\"\n\
         from_name = \"Support Parc\"\ncontact = [\"Support : 04 78 00 00 00\"]\n"
    )
}
