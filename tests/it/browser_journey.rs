//! The journey of a technician in a real browser: sign in, new ticket with the machine shown back, ticket
//! with its machine, asset, history. In both languages, wide and narrow, with script and without.

use parc_acceptance::browser::{Browser, Setup};
use parc_acceptance::engines::Engine;
use parc_acceptance::http;
use parc_acceptance::world::{PASSWORD, World};
use parc_sample::Workstation;

const TAG: &str = "INV-004217";
const MACHINE: &str = "Latitude 5420";
const TECHNICIAN: &str = "marc.durand@dupont.example";

/// A word of the page that only one language has.
fn word(language: &str) -> &'static str {
    if language == "fr" { "Mot de passe" } else { "Password" }
}

/// A collector with a machine that has a history, and a technician who speaks the language.
async fn parc(language: &str) -> World {
    let world = World::open(Engine::Sqlite).await.expect("the embedded engine is always there");
    let client = world.organisation("DUPONT");
    world.person(TECHNICIAN, "Marc Durand", "technician_n1", Some("DUPONT"), language);
    let agent = world.reporting(&client, &Workstation::laptop(7), TAG);
    agent.becomes(&Workstation::laptop(7).with_package("gimp", "2.10.34"));
    agent.report().ok();
    world
}

async fn sign_in(browser: &Browser, web: &str, password: &str) {
    browser.go(&format!("{web}/sign-in")).await;
    browser.fill("#email", TECHNICIAN).await;
    browser.fill("#password", password).await;
    browser.click("main form button").await;
}

/// Nothing to scroll sideways, and a picture for whoever wants to look.
async fn fits(browser: &Browser, name: &str) {
    browser.picture(name).await;
    let overflow_px = browser.overflow_px().await;
    assert!(overflow_px <= 0, "{name} is {overflow_px} px wider than the window");
}

/// The form with the typed number answered; returns when the machine is shown back.
async fn new_ticket(browser: &Browser, web: &str, script: bool) {
    browser.go(&format!("{web}/tickets/new")).await;
    fits(browser, "new-choose").await;
    browser.click("main a[href*='kind=incident']").await;
    browser.fill("#summary", "Écran noir <b>après</b> le mot de passe").await;
    browser.fill("#tag", "inv 004217").await;
    if !script {
        browser.click("button[name=check][value=tag]").await;
    }
    browser.wait_for_text(MACHINE).await;
    assert!(browser.text_of("#found").await.contains(MACHINE));
    fits(browser, "new-ticket").await;
}

async fn journey(setup: Setup) {
    let Some(browser) = Browser::open(setup).await else { return };
    let world = parc(setup.language).await;
    let web = world.collector.web();

    browser.go(&web).await;
    browser.wait_for_text(word(setup.language)).await;
    assert_eq!(browser.attribute("html", "lang").await, setup.language, "by the browser's language");
    fits(&browser, "sign-in").await;
    sign_in(&browser, &web, PASSWORD).await;
    browser.find("nav a[href='/tickets/new']").await;
    fits(&browser, "queue").await;

    new_ticket(&browser, &web, setup.script).await;
    browser.click("#send").await;
    browser.find(".machine-name").await;
    assert!(browser.address().await.contains("/tickets/I20"), "{}", browser.address().await);
    let page = browser.text().await;
    for shown in [MACHINE, TAG, "7XK0007", "Lyon", "i5-1145G7", "gimp", "<b>après</b>"] {
        assert!(page.contains(shown), "`{shown}` is not on the ticket:\n{page}");
    }
    fits(&browser, "ticket").await;

    browser.click(".machine-name a").await;
    browser.find("nav.tabs").await;
    assert!(browser.text().await.contains("7XK0007"));
    fits(&browser, "asset").await;
    browser.click("nav.tabs a[href$='/history']").await;
    assert!(browser.text_of(".changes").await.contains("gimp"));
    fits(&browser, "history").await;
    browser.click("nav.tabs a[href$='/software']").await;
    browser.fill("main input[type=search]", "vlc").await;
    browser.click("main form[role=search] button").await;
    browser.wait_for_text("3.0.20").await;
    fits(&browser, "software").await;
    browser.go(&format!("{web}/parc")).await;
    browser.wait_for_text(TAG).await;
    fits(&browser, "parc").await;

    let complaints = browser.complaints().await;
    assert!(complaints.is_empty(), "{complaints:#?}");
    browser.close().await;
}

macro_rules! journeys {
    ($($name:ident: $language:literal, $width_px:literal, $script:literal;)+) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            journey(Setup { language: $language, width_px: $width_px, script: $script }).await;
        })+
    };
}
journeys! {
    in_french_at_a_desk: "fr", 1280, true;
    in_english_at_a_desk: "en", 1280, true;
    in_french_on_a_phone: "fr", 390, true;
    in_english_on_a_phone: "en", 390, true;
    in_french_at_a_desk_without_script: "fr", 1280, false;
    in_english_on_a_phone_without_script: "en", 390, false;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_of_language_outlives_the_page_and_the_browsers_wish() {
    let setup = Setup { language: "fr", width_px: 1280, script: true };
    let Some(browser) = Browser::open(setup).await else { return };
    let world = parc("fr").await;
    sign_in(&browser, &world.collector.web(), PASSWORD).await;
    browser.find("nav a[href='/tickets/new']").await;
    browser.click("button[name=language][value=en]").await;
    browser.find("html[lang=en]").await;
    browser.go(&format!("{}/parc", world.collector.web())).await;
    assert_eq!(browser.attribute("html", "lang").await, "en");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_refused_and_repeated_ones_lock_the_door() {
    let setup = Setup { language: "en", width_px: 1280, script: true };
    let Some(browser) = Browser::open(setup).await else { return };
    let world = parc("en").await;
    let web = world.collector.web();
    for attempt in 0..20 {
        sign_in(&browser, &web, &format!("wrong {attempt}")).await;
        assert!(!browser.text_of("[role=alert]").await.is_empty(), "a refusal says so");
    }
    sign_in(&browser, &web, PASSWORD).await;
    assert!(
        !browser.text_of("[role=alert]").await.is_empty(),
        "after twenty failures the right one waits too"
    );
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_allow_no_script_but_their_own_browser_or_not() {
    let world = parc("fr").await;
    let answer =
        http::get(&format!("{}/sign-in", world.collector.web())).await.expect("answered").expect(200);
    let policy = answer.header("content-security-policy").to_owned();
    assert!(policy.contains("default-src 'none'") || policy.contains("default-src 'self'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    let strangers = http::get(&format!("{}/parc", world.collector.web())).await.expect("answered");
    assert!(strangers.status.is_redirection(), "{}", strangers.status);
    assert!(strangers.header("location").starts_with("/sign-in"), "{}", strangers.header("location"));
}
