//! Programs that a story starts: found beside the test, logged to a file, stopped when dropped.

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

/// How long a program may take to end after it was asked to.
const END_TIMEOUT: Duration = Duration::from_secs(20);
/// Lines of a log that a failure shows.
const LOG_LINES_SHOWN: usize = 40;

/// A command of the operating system or of this project.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    #[expect(clippy::disallowed_methods, reason = "stories are told by starting the real programs")]
    Command::new(program)
}

/// Where a program of this workspace was built: beside the running test or load program.
pub fn program(name: &str) -> PathBuf {
    let running = std::env::current_exe().expect("the path of this test");
    let built = running.ancestors().skip(1).take(2).map(|it| it.join(name)).find(|it| it.is_file());
    built.unwrap_or_else(|| {
        panic!(
            "{name} is not built beside {}: run `cargo build --workspace --bins` first, or tests/run",
            running.display()
        )
    })
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Output {
    command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"))
}

/// A program that runs beside the story.
#[derive(Debug)]
pub struct Running {
    child: Child,
    log: PathBuf,
    name: String,
}

impl Running {
    /// Starts a command; what it says goes to the end of `log`.
    pub fn start(mut command: Command, log: &Path) -> Self {
        let name =
            Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
        let file = File::options().create(true).append(true).open(log).expect("a log file");
        let also = file.try_clone().expect("a second handle of the log");
        command.stdin(Stdio::null()).stdout(file).stderr(also);
        let child = command.spawn().unwrap_or_else(|error| panic!("{name} cannot be started: {error}"));
        Self { child, log: log.to_owned(), name }
    }

    /// Process number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("ask for the state of a child")
    }

    /// The end of what it said.
    pub fn log_tail(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let tail = lines.get(lines.len().saturating_sub(LOG_LINES_SHOWN)..).unwrap_or_default();
        format!("{} said last:\n{}", self.name, tail.join("\n"))
    }

    /// Waits until it ends by itself; gives its exit code, -1 when it was killed.
    pub async fn end(mut self) -> i32 {
        let mut rounds = END_TIMEOUT.as_millis() * 4 / 50;
        loop {
            if let Some(status) = self.ended() {
                return status.code().unwrap_or(-1);
            }
            assert!(rounds > 0, "{} does not end; {}", self.name, self.log_tail());
            rounds -= 1;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// `SIGKILL`, as a power cut would.
    pub fn kill(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }

    /// `SIGTERM`, and waits for the end.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.signal("TERM");
        for _ in 0..END_TIMEOUT.as_millis() / 50 {
            if let Some(status) = self.ended() {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.kill();
        panic!("{} did not end within {END_TIMEOUT:?} of SIGTERM; {}", self.name, self.log_tail());
    }

    fn signal(&self, name: &str) {
        // The standard library knows no other signal than KILL.
        let sent = run(command("kill").args([&format!("-{name}"), "--", &self.pid().to_string()]));
        assert!(
            sent.status.success(),
            "kill -{name} {}: {}",
            self.pid(),
            String::from_utf8_lossy(&sent.stderr)
        );
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprint_log(&self.log_tail());
        }
    }
}

#[expect(clippy::print_stderr, reason = "shown by the test runner beside the failure")]
fn eprint_log(text: &str) {
    eprintln!("{text}");
}

/// Says on the test's output why a story is not told here; fails when it must be.
#[expect(clippy::print_stderr, reason = "the test runner shows it")]
pub fn leave_out(what: &str, required_by: &str) {
    assert!(std::env::var_os(required_by).is_none(), "{required_by} is set, but {what}");
    eprintln!("left out: {what}");
}

/// A port nobody listens on now. Somebody may take it before it is used: callers start anew then.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("the port").port()
}
