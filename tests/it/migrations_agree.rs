//! Two dialects, one schema.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use parc_acceptance::engines::{Database, Engine};
use parc_collector::db::Tx;

/// Tables with their columns.
type Schema = BTreeMap<String, BTreeSet<String>>;

const SQLITE_COLUMNS: &str = "SELECT m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p \
     WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'";
const POSTGRES_COLUMNS: &str = "SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = 'public'";
const SQLITE_INDEXES: &str = "SELECT name, CASE WHEN sql LIKE 'CREATE UNIQUE%' THEN 'unique' ELSE 'plain' END FROM sqlite_master \
     WHERE type = 'index' AND sql IS NOT NULL";
const POSTGRES_INDEXES: &str = "SELECT c.relname::text, CASE WHEN i.indisunique THEN 'unique' ELSE 'plain' END FROM pg_index i \
     JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE n.nspname = 'public' AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid)";
const MIGRATIONS: &str = "SELECT CAST(version AS TEXT), description FROM _sqlx_migrations";

/// Pairs of texts, from whichever engine.
async fn pairs(database: &Database, sqlite: &'static str, postgres: &'static str) -> Vec<(String, String)> {
    let mut tx = database.inside().read().await.expect("a transaction");
    match &mut tx {
        Tx::Sqlite(tx) => sqlx::query_as(sqlite).fetch_all(&mut **tx).await,
        Tx::Postgres(tx) => sqlx::query_as(postgres).fetch_all(&mut **tx).await,
    }
    .expect("read the catalogue")
}

async fn schema(database: &Database) -> Schema {
    let mut schema = Schema::new();
    for (table, column) in pairs(database, SQLITE_COLUMNS, POSTGRES_COLUMNS).await {
        schema.entry(table).or_default().insert(column);
    }
    schema
}

async fn sorted(
    database: &Database,
    sqlite: &'static str,
    postgres: &'static str,
) -> BTreeSet<(String, String)> {
    pairs(database, sqlite, postgres).await.into_iter().collect()
}

#[tokio::test]
async fn both_engines_have_the_same_versions_tables_columns_and_indexes_postgres_and_sqlite() {
    let sqlite = Database::on(Engine::Sqlite).await.expect("the embedded engine is always there");
    let Some(postgres) = Database::on(Engine::Postgres).await else { return };
    let migrations = sorted(&sqlite, MIGRATIONS, MIGRATIONS).await;
    assert_eq!(migrations, sorted(&postgres, MIGRATIONS, MIGRATIONS).await);
    assert!(migrations.len() >= 7, "{migrations:?}");
    let (one, other) = (schema(&sqlite).await, schema(&postgres).await);
    assert!(one.contains_key("ticket_asset"), "the catalogue was read: {one:?}");
    assert_eq!(one, other);
    let indexes = sorted(&sqlite, SQLITE_INDEXES, POSTGRES_INDEXES).await;
    assert_eq!(indexes, sorted(&postgres, SQLITE_INDEXES, POSTGRES_INDEXES).await);
}

fn files(engine: &str) -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations").join(engine);
    let entries = fs::read_dir(folder).expect("the folder of the migrations").flatten();
    let read = |it: fs::DirEntry| {
        let name = it.file_name().to_string_lossy().into_owned();
        (name, fs::read_to_string(it.path()).expect("a migration"))
    };
    entries.map(read).collect()
}

#[test]
fn both_folders_hold_the_same_files() {
    let (sqlite, postgres) = (files("sqlite"), files("postgres"));
    assert_eq!(sqlite.keys().collect::<Vec<_>>(), postgres.keys().collect::<Vec<_>>());
}

#[test]
fn every_sqlite_table_checks_its_types() {
    for (name, text) in files("sqlite") {
        let code = |it: &&str| !it.trim_start().starts_with("--");
        let text = text.lines().filter(code).collect::<Vec<_>>().join("\n");
        for statement in text.split(';').filter(|it| it.contains("CREATE TABLE")) {
            assert!(statement.trim_end().contains("STRICT"), "{name}: {statement}");
        }
    }
}
