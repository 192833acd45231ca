//! What a collector does by itself: renews its own certificate, drops what retention lets go, tells of clocks.
//! Every task is safe to run on several collectors at once and does a bounded amount of work per round.

use std::sync::Arc;
use std::time::Duration;

use parc_wire::limits::RENEW_GRACE_DAYS;
use rustls::ServerConfig;
use tokio::sync::watch;

use crate::agents::{self, Authority, SERVER_DAYS};
use crate::config::RetentionSettings;
use crate::context::Context;
use crate::db::StoreError;
use crate::files;
use crate::inventory;
use crate::kernel::error::Chain;
use crate::kernel::time::days;
use crate::loans;
use crate::mail;
use crate::people;
use crate::privacy;
use crate::remote;
use crate::rpc::{self, ServerTls};
use crate::tickets::{self, notices};

/// Often enough that nothing piles up, rarely enough that nobody notices.
const ROUND: Duration = Duration::from_hours(1);

/// How often tickets are looked at whose time has come: waits that end, closings that nobody confirms, clocks.
const TICKET_ROUND: Duration = Duration::from_mins(1);

/// Moves tickets on until told to stop. A round that fails is logged; the next one tries again.
pub(crate) async fn carry_tickets_on(
    context: Context,
    mut stopped: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    loop {
        tokio::select! {
            () = tokio::time::sleep(TICKET_ROUND) => (),
            _ = stopped.wait_for(|stop| *stop) => return Ok(()),
        }
        match tickets::carry_on(&context).await {
            Ok(moved) => tracing::debug!(moved, "a round of tickets is done"),
            Err(error) => tracing::error!(error = %Chain(&error), "a round of tickets failed"),
        }
        match tickets::tell_of_clocks(&context).await {
            Ok(told) => tracing::debug!(told, "clocks are looked at"),
            Err(error) => tracing::error!(error = %Chain(&error), "a round of clocks failed"),
        }
    }
}

/// What upkeep needs.
#[derive(Debug)]
pub(crate) struct Upkeep {
    pub(crate) context: Context,
    pub(crate) authority: Arc<Authority>,
    pub(crate) tls: Arc<ServerTls>,
    pub(crate) names: Vec<String>,
    pub(crate) retention: RetentionSettings,
}

impl Upkeep {
    /// Works until told to stop. A round that fails is logged; the next one tries again.
    pub(crate) async fn run(self, mut stopped: watch::Receiver<bool>) -> anyhow::Result<()> {
        let mut certificate_at = self.context.now();
        loop {
            tokio::select! {
                () = tokio::time::sleep(ROUND) => (),
                _ = stopped.wait_for(|stop| *stop) => return Ok(()),
            }
            if self.context.now().since(certificate_at) > days(SERVER_DAYS / 3) {
                match server_config(&self.context, &self.authority, &self.names) {
                    Ok(config) => {
                        self.tls.replace(config);
                        certificate_at = self.context.now();
                    }
                    Err(error) => {
                        tracing::error!(error = %format_args!("{error:#}"), "the collector's certificate could not be renewed");
                    }
                }
            }
            match self.tidy().await {
                Ok(dropped) => tracing::debug!(dropped, "retention round done"),
                Err(error) => tracing::error!(error = %Chain(&error), "a retention round failed"),
            }
        }
    }

    /// Drops expired sessions, old enrollment attempts, history past its time and unreferenced contents;
    /// gives the number of rows.
    async fn tidy(&self) -> Result<u64, StoreError> {
        let mut tx = self.context.db.begin().await?;
        let mut dropped = people::prune(&mut tx, &self.context).await?;
        dropped += agents::prune(&mut tx, &self.context).await?;
        dropped += tickets::prune_drafts(&mut tx, &self.context).await?;
        dropped += files::prune(&mut tx, &self.context).await?;
        dropped += mail::prune(&mut tx, &self.context).await?;
        dropped += mail::letterbox::prune(&mut tx, &self.context).await?;
        dropped += notices::prune(&mut tx, &self.context).await?;
        tx.commit().await?;
        dropped +=
            inventory::prune_history(&self.context, self.context.now() - days(self.retention.history_days))
                .await?;
        dropped += inventory::collect_garbage(&self.context).await?;
        loans::note_overdue(&self.context).await?;
        remote::note_expired(&self.context).await?;
        privacy::retain(&self.context, self.context.now() - days(self.retention.ticket_days)).await?;
        Ok(dropped)
    }
}

/// TLS of the agents' door with a fresh certificate of the own authority.
pub(crate) fn server_config(
    context: &Context,
    authority: &Authority,
    names: &[String],
) -> anyhow::Result<Arc<ServerConfig>> {
    let (chain, key) = authority.issue_server(names, context.now())?;
    let grace = days(RENEW_GRACE_DAYS.unsigned_abs());
    Ok(rpc::server_config(chain, key, authority.root(), grace, Arc::clone(&context.clock))?)
}
