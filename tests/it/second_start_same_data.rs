//! The quickstart, twice on one folder.

use std::path::Path;

use parc_acceptance::process::{command, free_port, program, run};
use parc_collector::db::{Db, Tx};

const TAG: &str = "DEMO-0001";

/// Starts the quickstart with `--once` and gives what it printed.
fn quickstart(data: &Path, more: &[&str]) -> String {
    let mut asked = command(program("parc-collector"));
    asked.args(["quickstart", "--once", "--data"]).arg(data);
    asked.args(["--listen", &format!("127.0.0.1:{}", free_port())]);
    asked.args(["--agents", &format!("127.0.0.1:{}", free_port())]).args(more);
    let output = run(&mut asked);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "exit 0 only with the machine on the ticket: {err}{out}");
    out
}

async fn count(data: &Path, table: &'static str) -> i64 {
    let db =
        Db::open(&format!("sqlite:{}", data.join("parc.db").display())).await.expect("open the database");
    let mut tx = db.read().await.expect("a transaction");
    let Tx::Sqlite(tx) = &mut tx else { panic!("the quickstart uses the embedded engine") };
    sqlx::query_scalar(table).fetch_one(&mut **tx).await.expect("count")
}

const MACHINES: &str = "SELECT COUNT(*) FROM inventory_ci";
const AGENTS: &str = "SELECT COUNT(*) FROM agent";
const PEOPLE: &str = "SELECT COUNT(*) FROM person";
const TICKETS: &str = "SELECT COUNT(*) FROM ticket";
const ORGANISATIONS: &str = "SELECT COUNT(*) FROM site_organisation";

/// The number of the ticket that was printed.
fn number(printed: &str) -> &str {
    let is_number = |it: &&str| it.starts_with("I20") && it.len() >= 12 && it.contains('_');
    let words = printed.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.into_iter().find(is_number).unwrap_or_else(|| panic!("a ticket number is printed: {printed}"))
}

#[tokio::test]
async fn a_second_start_finds_the_same_data_and_opens_a_new_ticket_sqlite() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("quickstart");
    let first = quickstart(&data, &["--no-demo-parc"]);
    assert!(first.contains(TAG) && first.contains("http://127.0.0.1:"), "{first}");
    let before = [count(&data, MACHINES).await, count(&data, AGENTS).await, count(&data, PEOPLE).await];
    assert_eq!((before[0], before[1]), (1, 1), "this machine and no other");
    assert_eq!(count(&data, TICKETS).await, 1);

    let second = quickstart(&data, &["--no-demo-parc"]);
    let after = [count(&data, MACHINES).await, count(&data, AGENTS).await, count(&data, PEOPLE).await];
    assert_eq!(before, after, "no duplicates");
    assert_eq!(count(&data, ORGANISATIONS).await, 1);
    assert_eq!(count(&data, TICKETS).await, 2);
    assert_ne!(number(&first), number(&second));
}

#[tokio::test]
async fn the_demonstration_parc_is_there_once_sqlite() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("quickstart");
    quickstart(&data, &[]);
    let machines = count(&data, MACHINES).await;
    assert!((20..=40).contains(&machines), "about 25 machines: {machines}");
    let tickets = count(&data, TICKETS).await;
    quickstart(&data, &[]);
    assert_eq!(count(&data, MACHINES).await, machines);
    assert_eq!(count(&data, TICKETS).await, tickets + 1);
}
