//! REST of configuration items: one machine, its software, history and tickets, the parc list and its export.

mod export;
mod handlers;
mod machine;
mod parts;

use axum::routing::get;

use crate::api::Route;

pub use export::asset_csv;
pub use handlers::{AssetDetail, AssetPage, HistoryPage, SoftwarePage, SoftwareView};
pub(crate) use machine::fact;
pub use machine::{AssetRow, ChangeView, Configuration, FactView, ProblemView, SourceView};
pub use parts::{CpuView, DiskView, DisplayView, MemoryModuleView, NetworkView, VolumeView};

/// The slice's part of the OpenAPI document.
#[derive(Debug, utoipa::OpenApi)]
#[openapi(paths(
    handlers::list_assets,
    handlers::get_asset,
    handlers::list_asset_software,
    handlers::list_asset_history,
    handlers::list_asset_tickets,
    handlers::export_assets,
))]
pub struct AssetsDocument;

/// Where the whole list is exported.
pub const EXPORT_PATH: &str = "/api/v1/exports/assets.csv";

/// Paths of the slice.
pub fn routes() -> Vec<Route> {
    vec![
        ("/api/v1/assets", get(handlers::list_assets)),
        ("/api/v1/assets/{tag}", get(handlers::get_asset)),
        ("/api/v1/assets/{tag}/software", get(handlers::list_asset_software)),
        ("/api/v1/assets/{tag}/history", get(handlers::list_asset_history)),
        ("/api/v1/assets/{tag}/tickets", get(handlers::list_asset_tickets)),
        (EXPORT_PATH, get(handlers::export_assets)),
    ]
}
