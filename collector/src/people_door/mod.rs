//! The door of people and of programs with an API key: pages at `/`, REST below `/api/v1`, health, readiness
//! and metrics. Plain HTTP on loopback, TLS when a certificate is configured. Agents never come in here.

mod health;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use axum::extract::Request;
use axum::extract::connect_info::Connected;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::serve::IncomingStream;
use axum::{Extension, Router};
use parc_mail::identity::Signer;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::api::{self, ApiState};
use crate::config::{RemoteTool, WebSettings};
use crate::context::Context;
use crate::inventory::TagListener;
use crate::measures;
use crate::tickets::by_mail::MailRoom;
use crate::tickets::link::LinkKey;
use crate::web::{self, WebState};

/// What the door's handlers need.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) context: Context,
    pub(crate) authority_fingerprint: Arc<str>,
    pub(crate) listener: Arc<dyn TagListener>,
    pub(crate) links: Arc<LinkKey>,
    pub(crate) signer: Arc<Signer>,
    pub(crate) mail_room: Arc<MailRoom>,
    pub(crate) public_url: Arc<str>,
    pub(crate) agents_address: SocketAddr,
    pub(crate) ticket_days: u64,
    pub(crate) remote_tools: Arc<[RemoteTool]>,
}

/// An open door.
#[derive(Debug)]
pub(crate) struct PeopleDoor {
    listener: TcpListener,
    tls: Option<tls::Acceptor>,
    routes: Router,
}

/// Who is at the other end of a connection, as the socket says; no header changes it (rule R11).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(SocketAddr);

impl Connected<IncomingStream<'_, TcpListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        Self(*stream.remote_addr())
    }
}

impl Connected<IncomingStream<'_, tls::TlsListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, tls::TlsListener>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// Binds the address; nothing is served yet.
pub(crate) async fn open(door: Door, settings: &WebSettings) -> anyhow::Result<PeopleDoor> {
    let listener = TcpListener::bind(settings.listen)
        .await
        .with_context(|| format!("cannot listen on {} for people", settings.listen))?;
    let tls = match (&settings.certificate_file, &settings.key_file) {
        (Some(certificate), Some(key)) => Some(tls::Acceptor::from_files(certificate, key)?),
        _ => None,
    };
    Ok(PeopleDoor { listener, tls, routes: routes(door) })
}

fn routes(door: Door) -> Router {
    let mail_room = Extension(door.mail_room);
    let health = health::router(door.context.clone());
    let api = api::router(ApiState::new(door.context.clone()));
    let web = web::router(WebState {
        context: door.context,
        public_url: door.public_url,
        agents_address: door.agents_address,
        ticket_days: door.ticket_days,
        remote_tools: door.remote_tools,
        authority_fingerprint: door.authority_fingerprint,
        listener: door.listener,
        brands: Arc::default(),
        links: door.links,
        signer: door.signer,
    });
    health.merge(api).merge(web).layer(mail_room).layer(middleware::from_fn(counted))
}

async fn counted(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    measures::http_request(response.status().as_u16());
    response
}

impl PeopleDoor {
    /// Serves until told to stop; requests in flight finish.
    pub(crate) async fn serve(self, mut stopped: watch::Receiver<bool>) -> anyhow::Result<()> {
        let until_stopped = async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        let service = self.routes.into_make_service_with_connect_info::<Peer>();
        match self.tls {
            None => axum::serve(self.listener, service).with_graceful_shutdown(until_stopped).await,
            Some(acceptor) => {
                axum::serve(acceptor.listen(self.listener), service)
                    .with_graceful_shutdown(until_stopped)
                    .await
            }
        }
        .context("the people's door broke")
    }
}
