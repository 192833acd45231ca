//! The real agent, reporting a captured tree.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Running, command, program, run};
use parc_sample::Workstation;

/// An agent with its state folder and the machine it looks at.
#[derive(Debug)]
pub struct Agent {
    folder: TempDir,
    tree: PathBuf,
}

/// What a call of the program gave.
#[derive(Debug)]
pub struct Said {
    /// Exit code, -1 when it was killed.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Said {
    /// The same, having made sure that it succeeded.
    #[expect(
        clippy::must_use_candidate,
        clippy::return_self_not_must_use,
        reason = "often only the check is wanted"
    )]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "parc-agent failed: {}{}", self.err, self.out);
        self
    }

    /// Standard output as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.out))
    }

    /// Both outputs.
    pub fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

impl Agent {
    /// An agent on a machine: nothing is sent yet.
    pub fn on(workstation: &Workstation) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let tree = folder.path().join("tree");
        workstation.write_to(&tree).expect("write the tree");
        let agent = Self { folder, tree };
        agent.configure("");
        agent
    }

    /// Replaces the machine by what it has become.
    pub fn becomes(&self, workstation: &Workstation) {
        workstation.write_to(&self.tree).expect("write the tree");
    }

    /// Settings beside the defaults, as TOML lines.
    pub fn configure(&self, lines: &str) {
        let common = "contact_interval_min_s = 1\nboot_wait_max_s = 0\n";
        std::fs::write(self.config(), format!("{common}{lines}")).expect("write the settings");
    }

    /// The settings file.
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("agent.toml")
    }

    /// The folder of identity and state.
    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// Runs a command of the program.
    pub fn call(&self, arguments: &[&str]) -> Said {
        let output = run(self.command().args(arguments));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Said {
            code: output.status.code().unwrap_or(-1),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }

    fn command(&self) -> std::process::Command {
        let mut asked = command(program("parc-agent"));
        asked
            .arg("--config")
            .arg(self.config())
            .arg("--root")
            .arg(&self.tree)
            .arg("--state")
            .arg(self.state());
        asked
    }

    /// Enrolls at an address with a token, claiming a tag unless it is empty.
    pub fn enroll(&self, collector: &str, token: &str, tag: &str) -> Said {
        let mut arguments = vec!["enroll", "--collector", collector, "--token", token];
        if !tag.is_empty() {
            arguments.extend(["--tag", tag]);
        }
        self.call(&arguments)
    }

    /// Reports once.
    pub fn report(&self) -> Said {
        self.call(&["report"])
    }

    /// Starts the service.
    pub fn run(&self) -> Running {
        self.start(&["run"])
    }

    /// Starts a command and goes on.
    pub fn start(&self, arguments: &[&str]) -> Running {
        let mut command = self.command();
        command.args(arguments);
        Running::start(command, &self.log())
    }

    /// Where the service writes what it says.
    pub fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// The file tree it looks at.
    pub fn tree(&self) -> &Path {
        &self.tree
    }
}
