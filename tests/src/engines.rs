//! Both engines tell the same story.

use std::path::{Path, PathBuf};

pub use parc_collector::db::Engine;
use parc_collector::db::testing::TestDb;

/// A migrated, empty database of one story.
#[derive(Debug)]
pub struct Database {
    /// What the collector's configuration names.
    pub url: String,
    test: TestDb,
}

impl Database {
    /// A fresh one; nothing when PostgreSQL is neither offered nor required.
    pub async fn on(engine: Engine) -> Option<Self> {
        let test = TestDb::on(engine).await?;
        Some(Self { url: test.url.clone(), test })
    }

    /// For what only the database can answer.
    pub fn inside(&self) -> &parc_collector::db::Db {
        &self.test.db
    }

    /// The file of an embedded database.
    pub fn file(&self) -> Option<PathBuf> {
        self.url.strip_prefix("sqlite:").map(|it| Path::new(it).to_owned())
    }
}

/// Makes `async fn NAME(world: World)` into `NAME::sqlite` and `NAME::postgres`: the same story, told to
/// a collector on each engine.
#[macro_export]
macro_rules! story {
    ($(#[$meta:meta])* async fn $name:ident($world:ident: $kind:ty) $body:block) => {
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports, clippy::allow_attributes, clippy::allow_attributes_without_reason)]
            use super::*;

            async fn story($world: $kind) $body

            #[tokio::test(flavor = "multi_thread")]
            async fn sqlite() {
                let world = $crate::world::World::open($crate::engines::Engine::Sqlite).await;
                story(world.expect("the embedded engine is always there")).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn postgres() {
                let Some(world) = $crate::world::World::open($crate::engines::Engine::Postgres).await else {
                    return;
                };
                story(world).await;
            }
        }
    };
}
