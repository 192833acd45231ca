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
            let collector = format!("https://{}", self.collector);
            let token = self.token.expose_secret();
            let arguments = ["enroll", "--collector", &collector, "--token", token, "--tag", tag.display()];
            self.run(state, root, &arguments).await?;
        }
        self.report(state, root).await
    }

    /// Reports once more.
    pub(super) async fn report(&self, state: &Path, root: Option<&Path>) -> anyhow::Result<()> {
        self.run(state, root, &["report"]).await
    }

    async fn run(&self, state: &Path, root: Option<&Path>, arguments: &[&str]) -> anyhow::Result<()> {
        let mut command = tokio::process::Command::new(&self.file);
        command.arg("--config").arg(self.settings_file(state)?).arg("--state").arg(state);
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
        let complaint = String::from_utf8_lossy(&done.stderr);
        anyhow::ensure!(done.status.success(), "parc-agent {} failed: {}", arguments[0], complaint.trim());
        Ok(())
    }

    /// A settings file of the agent's own, so that an agent installed on this machine is left alone. It names
    /// the collector because a later start may have to take another port.
    fn settings_file(&self, state: &Path) -> anyhow::Result<PathBuf> {
        let file = state.with_extension("toml");
        let folder = file.parent().context("the agent's state has no folder")?;
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let text = format!(
            "# Demonstration agent: every other setting has its default.\ncollector = \"https://{}\"\n",
            self.collector
        );
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        Ok(file)
    }
}

/// Whether the folder holds an identity from an earlier start.
pub(super) fn is_enrolled(state: &Path) -> bool {
    state.join("identity.json").exists()
}
