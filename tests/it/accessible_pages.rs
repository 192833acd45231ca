//! Every page that can be reached by links, in both languages, wide and narrow, is looked at by axe, the checker of
//! the WCAG rules that a program can check. The pages are those of the quickstart's demonstration parc, so a new page is
//! looked at as soon as one of its roles finds a link to it.

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;
use std::time::Duration;

use parc_acceptance::browser::{Browser, Setup};
use parc_acceptance::http;
use parc_acceptance::process::{Running, command, free_port, leave_out, program};
use parc_acceptance::world::until;
use serde_json::Value;
use tempfile::TempDir;

/// File with axe's script; `tests/run` fetches it.
const AXE: &str = "PARC_TEST_AXE";
/// Makes a missing axe a failure.
const REQUIRE_BROWSER: &str = "PARC_TEST_REQUIRE_BROWSER";
/// A page that leads to ever new pages must not hold the run.
const PAGES_MAX: usize = 150;
/// Reporting the demonstration parc takes the longest.
const READY_TIMEOUT: Duration = Duration::from_mins(3);

/// Runs axe and gives one line for each rule that is broken.
const CHECK: &str = "const done = arguments[arguments.length - 1];
    axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] })
        .then(found => done(found.violations.map(it =>
            `${it.id} (${it.impact}, ${it.nodes.length}): ${it.nodes[0].html.slice(0, 200)}`)))
        .catch(error => done([String(error)]));";
/// Paths that the page links to.
const LINKS: &str = "const done = arguments[arguments.length - 1];
    done([...document.querySelectorAll('a[href]:not([download])')].map(it => new URL(it.href))
        .filter(it => it.origin === location.origin).map(it => it.pathname + it.search));";

/// A quickstart with its demonstration parc, stopped when dropped.
struct Demonstration {
    web: String,
    data: TempDir,
    _running: Running,
}

impl Demonstration {
    async fn start() -> Self {
        let data = tempfile::tempdir().expect("a temporary folder");
        let (web, agents) = (free_port(), free_port());
        let mut quickstart = command(program("parc-collector"));
        quickstart.args(["quickstart", "--data"]).arg(data.path().join("quickstart"));
        quickstart.args([
            "--listen",
            &format!("127.0.0.1:{web}"),
            "--agents",
            &format!("127.0.0.1:{agents}"),
        ]);
        let log = data.path().join("log");
        let running = Running::start(quickstart, &log);
        until("the quickstart prints how to sign in", READY_TIMEOUT, async || {
            std::fs::read_to_string(&log).ok().filter(|it| it.contains("with the password"))
        })
        .await;
        Self { web: format!("http://127.0.0.1:{web}"), data, _running: running }
    }

    /// The password, and the address of one person of every role.
    fn sign_ins(&self) -> (String, Vec<String>) {
        let printed = std::fs::read_to_string(self.data.path().join("log")).expect("what was printed");
        let mut words = printed.split_whitespace();
        let password =
            words.by_ref().skip_while(|it| *it != "password").nth(1).expect("a password").to_owned();
        let people = printed.lines().skip_while(|it| !it.starts_with("Sign in as")).skip(1);
        let addresses = people.filter_map(|it| it.split_whitespace().nth(1)).filter(|it| it.contains('@'));
        (password, addresses.map(str::to_owned).collect())
    }
}

/// What makes pages the same one: ids and numbers do not, nor what was searched for.
fn kind_of(link: &str) -> String {
    let (path, query) = link.split_once('?').unwrap_or((link, ""));
    let is_id = |part: &str| part.chars().filter(char::is_ascii_digit).count() >= 3;
    let path: Vec<&str> = path.split('/').map(|part| if is_id(part) { "…" } else { part }).collect();
    let keys: BTreeSet<&str> = query.split('&').filter_map(|it| it.split('=').next()).collect();
    format!("{}?{}", path.join("/"), keys.into_iter().collect::<Vec<_>>().join("&"))
}

/// Only pages: a link to a picture, list or calendar file has an extension or is answered with something else.
async fn is_page(browser: &Browser, web: &str, link: &str) -> bool {
    let named_file =
        link.split('?').next().unwrap_or_default().rsplit('/').next().is_some_and(|it| it.contains('.'));
    if named_file {
        return false;
    }
    browser.go(&format!("{web}{link}")).await;
    true
}

async fn strings(browser: &Browser, script: &str) -> Vec<String> {
    let answer: Value = browser.ask(script).await;
    answer.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// What axe and the width of the page say about the page shown.
async fn complaints(browser: &Browser, axe: &str) -> Vec<String> {
    browser.load_script(axe).await;
    let mut found = strings(browser, CHECK).await;
    let overflow_px = browser.overflow_px().await;
    if overflow_px > 0 {
        found.push(format!("{overflow_px} px wider than the window"));
    }
    found
}

async fn sign_in(browser: &Browser, web: &str, address: &str, password: &str) {
    browser.forget().await;
    browser.go(&format!("{web}/sign-in")).await;
    browser.fill("#email", address).await;
    browser.fill("#password", password).await;
    browser.click("main form button").await;
    browser.find("nav a").await;
}

/// Follows the links of one role; `seen` spares pages that another role was shown.
async fn walk(browser: &Browser, web: &str, axe: &str, seen: &mut BTreeSet<String>) -> Vec<String> {
    let landing = browser.address().await.replacen(web, "", 1);
    let mut waiting = VecDeque::from([landing]);
    let mut bad = Vec::new();
    let mut first = true;
    while let Some(link) = waiting.pop_front() {
        // The landing page is looked at for every role: it has another navigation each time.
        if !seen.insert(kind_of(&link)) && !first {
            continue;
        }
        first = false;
        assert!(seen.len() <= PAGES_MAX, "more than {PAGES_MAX} pages: {seen:#?}");
        if !is_page(browser, web, &link).await {
            continue;
        }
        bad.extend(complaints(browser, axe).await.into_iter().map(|it| format!("{link}: {it}")));
        waiting.extend(strings(browser, LINKS).await);
    }
    bad
}

async fn every_page(setup: Setup) {
    let Some(browser) = Browser::open(setup).await else { return };
    let Some(axe) = std::env::var_os(AXE) else {
        leave_out(&format!("{AXE} is not set, so pages are not checked"), REQUIRE_BROWSER);
        return;
    };
    let axe = std::fs::read_to_string(Path::new(&axe)).expect("axe's script");
    let demonstration = Demonstration::start().await;
    let web = demonstration.web.clone();
    assert!(http::get(&format!("{web}/readyz")).await.is_ok());
    let mut seen = BTreeSet::new();
    browser.go(&format!("{web}/sign-in")).await;
    let mut bad = walk(&browser, &web, &axe, &mut seen).await;
    let (password, people) = demonstration.sign_ins();
    assert!(people.len() >= 9, "one person per role: {people:?}");
    for address in people {
        sign_in(&browser, &web, &address, &password).await;
        choose(&browser, setup.language).await;
        let found = walk(&browser, &web, &axe, &mut seen).await;
        bad.extend(found.into_iter().map(|it| format!("{address} {it}")));
    }
    assert!(seen.len() > 20, "links lead from page to page: {seen:#?}");
    assert!(bad.is_empty(), "{} complaints:\n{}", bad.len(), bad.join("\n"));
    browser.close().await;
}

/// The demonstration's people read French unless they choose otherwise.
async fn choose(browser: &Browser, language: &str) {
    if browser.attribute("html", "lang").await != language {
        browser.click(&format!("button[name=language][value={language}]")).await;
        browser.find(&format!("html[lang={language}]")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_accessible_in_french_at_a_desk_in_the_browser() {
    every_page(Setup { language: "fr", width_px: 1280, script: true }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_accessible_in_english_on_a_phone_in_the_browser() {
    every_page(Setup { language: "en", width_px: 360, script: true }).await;
}
