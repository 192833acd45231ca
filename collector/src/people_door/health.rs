//! `/healthz`: the process lives. `/readyz`: the database answers. `/metrics`: Prometheus text, for the
//! machine itself and for API keys that may audit.

use std::sync::OnceLock;

use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use super::Peer;
use crate::context::Context;
use crate::db::{StoreError, dialect};
use crate::kernel::actor::Role;
use crate::measures;
use crate::people;

pub(super) fn router(context: Context) -> Router {
    let _ = recorder();
    Router::new()
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics_text))
        .with_state(context)
}

async fn ready(State(context): State<Context>) -> Response {
    match database_bytes(&context).await {
        Ok(_) => "ready\n".into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response(),
    }
}

async fn metrics_text(
    State(context): State<Context>,
    ConnectInfo(Peer(peer)): ConnectInfo<Peer>,
    headers: HeaderMap,
) -> Response {
    if !peer.ip().is_loopback() && !may_audit(&context, &headers).await {
        return StatusCode::NOT_FOUND.into_response();
    }
    if let Ok(bytes) = database_bytes(&context).await {
        measures::database(bytes);
    }
    let Some(recorder) = recorder() else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    recorder.run_upkeep();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], recorder.render()).into_response()
}

async fn database_bytes(context: &Context) -> Result<i64, StoreError> {
    let mut tx = context.db.read().await?;
    dialect::database_bytes(&mut tx).await
}

async fn may_audit(context: &Context, headers: &HeaderMap) -> bool {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|it| it.to_str().ok());
    let Some(key) = bearer.and_then(|it| it.strip_prefix("Bearer ")) else { return false };
    let actor = people::find_api_key_actor(context, key).await.ok().flatten();
    actor.is_some_and(|it| it.has_role(Role::Auditor) || it.has_role(Role::Admin))
}

/// One recorder for the process, whoever asks first.
fn recorder() -> Option<&'static PrometheusHandle> {
    static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    RECORDER.get_or_init(install).as_ref()
}

fn install() -> Option<PrometheusHandle> {
    let bounds = [measures::BATCH_REPORTS_BOUNDS, measures::COMMIT_SECONDS_BOUNDS];
    let builder = bounds.into_iter().try_fold(PrometheusBuilder::new(), |builder, (name, bounds)| {
        builder.set_buckets_for_metric(Matcher::Full(name.to_owned()), bounds)
    });
    let handle = builder.and_then(PrometheusBuilder::install_recorder).ok()?;
    measures::describe();
    Some(handle)
}
