//! Databases for tests: a fresh one per test, on both engines. [`db_test!`](crate::db_test) makes two
//! tests of one body.
//!
//! PostgreSQL is found through `PARC_TEST_POSTGRES_URL` (a server on which databases may be created);
//! with `PARC_TEST_REQUIRE_POSTGRES` set, its absence fails the test instead of leaving it out.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "for tests only: what fails, fails the test"
)]

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::{Db, Engine};
use crate::kernel::entropy::{Entropy, SystemEntropy};

/// Address of a PostgreSQL server for tests.
pub const POSTGRES_URL: &str = "PARC_TEST_POSTGRES_URL";
/// When set, a missing server is a failure.
pub const REQUIRE_POSTGRES: &str = "PARC_TEST_REQUIRE_POSTGRES";

/// A migrated, empty database, and what must live as long as it does.
#[derive(Debug)]
pub struct TestDb {
    /// The database.
    pub db: Db,
    /// Its address, for programs that open it themselves.
    pub url: String,
    _folder: Option<tempfile::TempDir>,
}

/// Makes `fn NAME(db: Db)` into `NAME::sqlite` and `NAME::postgres`.
#[macro_export]
macro_rules! db_test {
    ($(#[$meta:meta])* async fn $name:ident($db:ident: Db) $body:block) => {
        mod $name {
            #[allow(unused_imports, clippy::allow_attributes, clippy::allow_attributes_without_reason)]
            use super::*;

            async fn story($db: Db) $body

            $(#[$meta])*
            #[tokio::test]
            async fn sqlite() {
                let test = $crate::db::testing::TestDb::sqlite().await;
                story(test.db.clone()).await;
            }

            $(#[$meta])*
            #[tokio::test]
            async fn postgres() {
                let Some(test) = $crate::db::testing::TestDb::postgres().await else { return };
                story(test.db.clone()).await;
            }
        }
    };
}

impl TestDb {
    /// A fresh database on `engine`; `None` when PostgreSQL is not offered and not required.
    pub async fn on(engine: Engine) -> Option<Self> {
        match engine {
            Engine::Sqlite => Some(Self::sqlite().await),
            Engine::Postgres => Self::postgres().await,
        }
    }

    /// A fresh file in a temporary folder.
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let url = format!("sqlite:{}", folder.path().join("parc.db").display());
        let db = Db::open(&url).await.expect("open");
        db.migrate().await.expect("migrate");
        Self { db, url, _folder: Some(folder) }
    }

    /// A copy of a migrated template on the test server.
    pub async fn postgres() -> Option<Self> {
        let Ok(server) = std::env::var(POSTGRES_URL) else {
            assert!(std::env::var_os(REQUIRE_POSTGRES).is_none(), "{POSTGRES_URL} is not set");
            return None;
        };
        let mut admin = PgConnection::connect(&server).await.expect("connect to the test server");
        let template = ensure_template(&mut admin, &server).await;
        let name = fresh_name();
        admin
            .execute(AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE {template}")))
            .await
            .expect("copy the template");
        let url = with_database(&server, &name);
        let db = Db::open(&url).await.expect("open");
        Some(Self { db, url, _folder: None })
    }
}

/// Process numbers come round again on a server that lives long, so the name is random.
fn fresh_name() -> String {
    let mut random = [0_u8; 8];
    SystemEntropy.fill(&mut random);
    format!("parc_test_{:016x}", u64::from_be_bytes(random))
}

/// One template per state of the migrations, made by whichever test comes first.
async fn ensure_template(admin: &mut PgConnection, server: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    for migration in super::postgres::MIGRATIONS.iter() {
        hasher.update(&migration.checksum);
    }
    let name = format!("parc_template_{}", &hasher.finalize().to_hex()[..12]);
    admin.execute("SELECT pg_advisory_lock(7261)").await.expect("lock");
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)")
        .bind(&name)
        .fetch_one(&mut *admin)
        .await
        .expect("look for the template");
    if !exists {
        let draft = format!("{name}_draft");
        admin.execute(AssertSqlSafe(format!("DROP DATABASE IF EXISTS {draft}"))).await.expect("clean up");
        admin.execute(AssertSqlSafe(format!("CREATE DATABASE {draft}"))).await.expect("create the template");
        let db = Db::open(&with_database(server, &draft)).await.expect("open the template");
        db.migrate().await.expect("migrate the template");
        db.close().await;
        admin
            .execute(AssertSqlSafe(format!("ALTER DATABASE {draft} RENAME TO {name}")))
            .await
            .expect("publish");
    }
    admin.execute("SELECT pg_advisory_unlock(7261)").await.expect("unlock");
    name
}

/// The same server, another database.
fn with_database(url: &str, name: &str) -> String {
    let (base, query) = url.split_once('?').map_or((url, None), |(base, query)| (base, Some(query)));
    let base = base.rsplit_once('/').map_or(base, |(base, _)| base);
    query.map_or_else(|| format!("{base}/{name}"), |query| format!("{base}/{name}?{query}"))
}
