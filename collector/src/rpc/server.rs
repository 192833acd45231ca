//! The accept loop.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::admission::{Admission, ConnectionLimits};
use super::connection::{Connection, Places};
use super::guard::Guard;
use super::tls::ServerTls;

/// Pause after a failed accept, usually for want of file descriptors: connections that end give some back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The agents' door: gRPC over TLS with limits.
#[derive(Clone, Debug)]
pub struct Server {
    /// TLS, replaceable while running.
    pub tls: Arc<ServerTls>,
    /// The services (`tonic::service::Routes::into_axum_router`).
    pub router: Router,
    /// What reaches them.
    pub guard: Guard,
    /// How much of everything.
    pub limits: ConnectionLimits,
}

impl Server {
    /// Serves until `shutdown` is ready, then lets calls under way end, for [`ConnectionLimits::drain`] at
    /// most. Beyond the connection limits a peer is hung up on before the handshake.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send,
    ) -> io::Result<()> {
        let admission = Admission::new(self.limits);
        let places = Places::new(&self.limits);
        let (stop, stopping) = watch::channel(false);
        let mut connections = JoinSet::new();
        tokio::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, address)) => {
                        if let Some(permit) = admission.admit(address.ip()) {
                            let (server, places) = (self.clone(), places.clone());
                            let stopping = stopping.clone();
                            let connection = Connection { server, permit, places, address, stopping };
                            connections.spawn(run(connection, stream));
                        } else {
                            tracing::debug!("connection over the limit");
                        }
                    }
                    Err(error) => {
                        tracing::warn!(%error, "accept failed");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(listener);
        stop.send_replace(true);
        let drained = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(self.limits.drain, drained).await.is_err() {
            tracing::warn!(connections = connections.len(), "stopped with calls under way");
        }
        connections.shutdown().await;
        Ok(())
    }
}

async fn run(connection: Connection, stream: TcpStream) {
    if let Err(reason) = connection.run(stream).await {
        tracing::debug!(%reason, "connection ended");
    }
}
