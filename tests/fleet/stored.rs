//! The database under load: migrated before, filled with machines without agent, measured after.

use std::sync::Arc;

use parc_collector::context::Context;
use parc_collector::db::{Db, Tx};
use parc_collector::inventory::{self, DeclaredField, Lifecycle, NewCi};
use parc_collector::kernel::actor::Actor;
use parc_collector::kernel::entropy::SystemEntropy;
use parc_collector::kernel::time::SystemClock;
use parc_collector::sites;
use parc_collector::tickets::LateAttachment;

use crate::Failed;

/// Machines made in one transaction.
const BATCH: u32 = 500;

/// Brings the schema up to date, so that the collector's start is not measured with it.
pub(crate) async fn prepare(url: &str) -> Result<(), Failed> {
    let db = Db::open(url).await?;
    db.migrate().await?;
    db.close().await;
    Ok(())
}

/// Declares machines that have no agent in the organisation `code`: a parc known from a purchase list.
pub(crate) async fn declare_machines(url: &str, code: &str, count: u32) -> Result<(), Failed> {
    let db = Db::open(url).await?;
    let context = Context { db: db.clone(), clock: Arc::new(SystemClock), entropy: Arc::new(SystemEntropy) };
    let listener = LateAttachment { context: context.clone() };
    let mut made = 0;
    while made < count {
        let mut tx = context.db.begin().await?;
        let organisation =
            sites::find_organisation_by_code(&mut tx, code).await?.ok_or("no such organisation")?;
        for number in made + 1..=count.min(made + BATCH) {
            let new = NewCi {
                organisation_id: organisation.id,
                site_id: None,
                location: String::new(),
                tag: Some(format!("OLD-{number:06}").parse()?),
                assigned_to_id: None,
                lifecycle: Lifecycle::InUse,
                declared: vec![
                    (DeclaredField::Make, "HP".into()),
                    (DeclaredField::Model, "EliteDesk 800 G6".into()),
                    (DeclaredField::Serial, format!("8OLD{number:06}")),
                ],
            };
            inventory::create_ci(&mut tx, &context, &Actor::system(), new, &listener).await?;
        }
        tx.commit().await?;
        made = count.min(made + BATCH);
        if made % 20_000 == 0 {
            println!("  {made} machines declared");
        }
    }
    count_rows(&db).await?;
    db.close().await;
    Ok(())
}

/// Tells the planner how many rows there are, as a server in use has done long before.
async fn count_rows(db: &Db) -> Result<(), Failed> {
    let mut tx = db.begin().await?;
    match &mut tx {
        Tx::Sqlite(inner) => sqlx::query("ANALYZE").execute(&mut **inner).await.map(|_| ())?,
        Tx::Postgres(inner) => sqlx::query("ANALYZE").execute(&mut **inner).await.map(|_| ())?,
    }
    Ok(tx.commit().await?)
}

/// Size of everything stored, in words.
pub(crate) async fn size_text(url: &str) -> Result<String, Failed> {
    if let Some(file) = url.strip_prefix("sqlite:") {
        let bytes = |name: String| std::fs::metadata(name).map_or(0, |it| it.len());
        let (main, log) = (bytes(file.to_owned()), bytes(format!("{file}-wal")));
        return Ok(format!("{} MiB (log {} MiB)", main >> 20, log >> 20));
    }
    let db = Db::open(url).await?;
    let mut tx = db.read().await?;
    let Tx::Postgres(inner) = &mut tx else { return Err("neither engine".into()) };
    let bytes: i64 =
        sqlx::query_scalar("SELECT pg_database_size(current_database())").fetch_one(&mut **inner).await?;
    Ok(format!("{} MiB", bytes >> 20))
}
