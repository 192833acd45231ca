//! Runs the real agent: the one place where the collector's program starts a child process, and only for
//! the quickstart.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use secrecy::{ExposeSecret, SecretString};

use crate::kernel::text::AssetTag;

/// An agent that takes longer has hung: a full run takes well under a second.
const RUN_TIMEOUT: Duration = Duration::from_mins(1);

/// Exit codes of the agent after which a new identity may help: its files cannot be used (1), the identity
/// is missing or another machine's (3), the collector refuses it (5).
const NEW_IDENTITY_MAY_HELP: [i32; 3] = [1, 3, 5];

/// The agent ended with an error.
#[derive(Debug, thiserror::Error)]
#[error("parc-agent {command} failed: {complaint}")]
struct AgentFailed {
    command: String,
    exit_code: Option<i32>,
    complaint: String,
}

/// The agent's program and what it needs to enroll.
#[derive(Debug)]
pub(super) struct AgentProgram {
    pub(super) file: PathBuf,
    pub(super) collector: SocketAddr,
    pub(super) token: SecretString,
}

/// `parc-agent` in the folder of this program.
pub(super) fn beside_this_program() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("cannot find this program's own file")?;
    let file = own.with_file_name(format!("parc-agent{}", std::env::consts::EXE_SUFFIX));
    anyhow::ensure!(file.exists(), "there is no {}; build it or name it with --agent", file.display());
    Ok(file)
}

impl AgentProgram {
    /// Enrolls (the first time only) and reports. `root` is a captured tree; nothing means this machine.
    pub(super) async fn enroll_and_report(
        &self,
        state: &Path,
        root: Option<&Path>,
        tag: &AssetTag,
    ) -> anyhow::Result<()> {
        if !is_enrolled(state) {
            self.enroll(state, root, tag, &[]).await?;
        }
        self.report(state, root).await
    }

    /// Gives the agent a new identity in place of the one it has, and reports.
    pub(super) async fn enroll_again_and_report(&self, state: &Path, tag: &AssetTag) -> anyhow::Result<()> {
        self.enroll(state, None, tag, &["--replace"]).await?;
        self.report(state, None).await
    }

    async fn enroll(
        &self,
        state: &Path,
        root: Option<&Path>,
        tag: &AssetTag,
        more: &[&str],
    ) -> anyhow::Result<()> {
        let collector = format!("https://{}", self.collector);
        let token = self.token.expose_secret();
        let arguments = ["enroll", "--collector", &collector, "--token", token, "--tag", tag.display()];
        self.run(state, root, &[arguments.as_slice(), more].concat()).await
    }

    /// Reports once more.
    pub(super) async fn report(&self, state: &Path, root: Option<&Path>) -> anyhow::Result<()> {
        self.run(state, root, &["report"]).await
    }

    async fn run(&self, state: &Path, root: Option<&Path>, arguments: &[&str]) -> anyhow::Result<()> {
        let mut command = tokio::process::Command::new(&self.file);
        command.arg("--config").arg(self.settings_file(state)?);
        if let Some(root) = root {
            command.arg("--root").arg(root);
        }
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let child = command.output();
        let done = tokio::time::timeout(RUN_TIMEOUT, child)
            .await
            .context("the agent did not finish within a minute")?;
        let done = done.with_context(|| format!("cannot start {}", self.file.display()))?;
        if done.status.success() {
            return Ok(());
        }
        // A refused report says why on standard output, an error on standard error.
        let said = [done.stderr, done.stdout].map(|it| String::from_utf8_lossy(&it).trim().to_owned());
        Err(AgentFailed {
            command: arguments[0].to_owned(),
            exit_code: done.status.code(),
            complaint: said.join(" ").trim().to_owned(),
        }
        .into())
    }

    /// A settings file of the agent's own, so that an agent installed on this machine is left alone. It names
    /// the collector because a later start may have to take another port, and the folder so that
    /// `parc-agent --config FILE status` finds this agent.
    fn settings_file(&self, state: &Path) -> anyhow::Result<PathBuf> {
        let file = state.with_extension("toml");
        let folder = file.parent().context("the agent's state has no folder")?;
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let state = state.to_str().context("the name of the data folder is not UTF-8")?;
        let text = format!(
            "# Demonstration agent: every other setting has its default.\n\
             collector = \"https://{}\"\nstate_dir = {}\n",
            self.collector,
            serde_json::to_string(state)?, // its escapes are TOML's too
        );
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        Ok(file)
    }
}

/// Whether a new identity may help an agent that failed so.
pub(super) fn may_enroll_again(error: &anyhow::Error) -> bool {
    let code = error.downcast_ref::<AgentFailed>().and_then(|it| it.exit_code);
    code.is_some_and(|it| NEW_IDENTITY_MAY_HELP.contains(&it))
}

/// Whether the folder holds an identity from an earlier start.
pub(super) fn is_enrolled(state: &Path) -> bool {
    state.join("identity.json").exists()
}
