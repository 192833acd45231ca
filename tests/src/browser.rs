//! A real browser: Debian's Chromium, driven through chromedriver.
//!
//! chromedriver is found through [`CHROMEDRIVER`]; `tests/run` starts one.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::error::WebDriverError;
use thirtyfour::prelude::*;
use thirtyfour::session::http::{Body, HttpClient};

use crate::{http as plain, process};

/// Address of a running chromedriver.
pub const CHROMEDRIVER: &str = "PARC_TEST_CHROMEDRIVER";
/// When set, a missing browser is a failure.
pub const REQUIRE_BROWSER: &str = "PARC_TEST_REQUIRE_BROWSER";
/// Where pictures of the pages are left, when set.
pub const SCREENSHOTS: &str = "PARC_TEST_SCREENSHOTS";

/// How long an element may take to appear.
const APPEAR_TIMEOUT: Duration = Duration::from_secs(10);
const APPEAR_INTERVAL: Duration = Duration::from_millis(100);

/// How the browser is set up.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Preferred language, `fr` or `en`.
    pub language: &'static str,
    /// Width of the window in pixels.
    pub width_px: u32,
    /// Whether scripts run.
    pub script: bool,
}

/// A browser with a fresh profile.
#[derive(Debug)]
pub struct Browser {
    driver: WebDriver,
    setup: Setup,
    _profile: TempDir,
}

impl Browser {
    /// Opens a browser; nothing when none is offered and none required.
    pub async fn open(setup: Setup) -> Option<Self> {
        let Ok(chromedriver) = std::env::var(CHROMEDRIVER) else {
            process::leave_out(
                &format!("{CHROMEDRIVER} is not set, so there is no browser"),
                REQUIRE_BROWSER,
            );
            return None;
        };
        let profile = tempfile::tempdir().expect("a folder for the profile");
        let builder = WebDriver::builder(chromedriver, capabilities(setup, &profile)).client(Caller);
        let driver = builder.await.unwrap_or_else(|error| panic!("no browser could be opened: {error}"));
        let browser = Self { driver, setup, _profile: profile };
        browser.set_window().await;
        Some(browser)
    }

    /// Headless windows have a least width; the screen is emulated so that narrow ones are narrow.
    async fn set_window(&self) {
        let narrow = self.setup.width_px < 500;
        let screen = json!({
            "cmd": "Emulation.setDeviceMetricsOverride",
            "params": { "width": self.setup.width_px, "height": 900, "deviceScaleFactor": 1, "mobile": narrow },
        });
        let path = format!("session/{}/goog/cdp/execute", self.driver.session_id());
        self.raw(&path, &screen).await;
    }

    async fn raw(&self, path: &str, body: &Value) -> Value {
        let chromedriver = std::env::var(CHROMEDRIVER).expect("a browser is open");
        let address = format!("{}/{path}", chromedriver.trim_end_matches('/'));
        let request = plain::request(http::Method::POST, &address, "application/json", body.to_string());
        let answer =
            plain::call(request).await.unwrap_or_else(|error| panic!("{path} gave no answer: {error}"));
        answer.expect(200).json()["value"].take()
    }

    /// Opens an address and waits until it is loaded.
    pub async fn go(&self, address: &str) {
        self.driver.goto(address).await.unwrap_or_else(|error| panic!("{address} does not load: {error}"));
    }

    /// Address of the page shown.
    pub async fn address(&self) -> String {
        self.driver.current_url().await.expect("the address").to_string()
    }

    /// The first visible element of a selector, waited for. While a page is being left its elements go
    /// stale; then the next page is looked at.
    pub async fn find(&self, css: &str) -> WebElement {
        self.steadily(css, async || self.driver.query(By::Css(css)).nowait().and_displayed().first().await)
            .await
    }

    /// Asks until the browser answers, for as long as a page may take to appear.
    async fn steadily<T>(&self, css: &str, mut ask: impl AsyncFnMut() -> WebDriverResult<T>) -> T {
        let since = Instant::now();
        loop {
            match ask().await {
                Ok(answer) => return answer,
                Err(_) if since.elapsed() < APPEAR_TIMEOUT => tokio::time::sleep(APPEAR_INTERVAL).await,
                Err(error) => {
                    let (address, text) = (self.address().await, self.text().await);
                    panic!("no visible `{css}` on {address} ({error}):\n{text}");
                }
            }
        }
    }

    /// How many elements a selector finds now.
    pub async fn count(&self, css: &str) -> usize {
        self.driver.find_all(By::Css(css)).await.expect("look for elements").len()
    }

    /// Text of the first visible element.
    pub async fn text_of(&self, css: &str) -> String {
        self.steadily(css, async || self.find(css).await.text().await).await
    }

    /// Everything that can be read on the page.
    pub async fn text(&self) -> String {
        match self.driver.find(By::Tag("body")).await {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// Writes into a field.
    pub async fn fill(&self, css: &str, text: &str) {
        let field = self.find(css).await;
        field.clear().await.expect("empty a field");
        field.send_keys(text).await.expect("write into a field");
    }

    /// Clicks, having scrolled there, and waits for the page that may follow.
    pub async fn click(&self, css: &str) {
        let element = self.find(css).await;
        element.scroll_into_view().await.ok();
        element.click().await.unwrap_or_else(|error| panic!("`{css}` cannot be clicked: {error}"));
    }

    /// Waits until the page's text contains something.
    pub async fn wait_for_text(&self, wanted: &str) {
        let rounds = APPEAR_TIMEOUT.as_millis() / APPEAR_INTERVAL.as_millis();
        for _ in 0..rounds {
            if self.text().await.contains(wanted) {
                return;
            }
            tokio::time::sleep(APPEAR_INTERVAL).await;
        }
        panic!("`{wanted}` does not appear on {}:\n{}", self.address().await, self.text().await);
    }

    /// An attribute of the first visible element, empty when absent.
    pub async fn attribute(&self, css: &str, name: &str) -> String {
        self.steadily(css, async || self.find(css).await.attr(name).await).await.unwrap_or_default()
    }

    /// Pixels by which the page is wider than the window: more than none means sideways scrolling.
    pub async fn overflow_px(&self) -> i64 {
        let path = format!("session/{}/goog/cdp/execute", self.driver.session_id());
        let metrics = self.raw(&path, &json!({ "cmd": "Page.getLayoutMetrics", "params": {} })).await;
        let width = |name: &str| metrics.pointer(name).and_then(Value::as_f64).expect("a width");
        let wider = width("/cssContentSize/width") - f64::from(self.setup.width_px);
        #[expect(clippy::cast_possible_truncation, reason = "a few thousand pixels")]
        let wider = wider.ceil() as i64;
        wider
    }

    /// Loads a script into the page, past the page's own policy.
    pub async fn load_script(&self, source: &str) {
        self.driver.execute(source, Vec::new()).await.expect("load a script");
    }

    /// Runs a script in the page that calls its last argument with the answer.
    pub async fn ask(&self, script: &str) -> Value {
        let answer = self.driver.execute_async(script, Vec::new()).await;
        answer.unwrap_or_else(|error| panic!("a script failed: {error}")).json().clone()
    }

    /// Signs out by forgetting every cookie of the page shown.
    pub async fn forget(&self) {
        self.driver.delete_all_cookies().await.expect("forget the cookies");
    }

    /// What the browser complained about since it was last asked: blocked resources, failed requests,
    /// errors of scripts.
    pub async fn complaints(&self) -> Vec<String> {
        let path = format!("session/{}/se/log", self.driver.session_id());
        let entries = self.raw(&path, &json!({ "type": "browser" })).await;
        let text = |entry: &Value| format!("{}: {}", entry["level"], entry["message"]);
        entries.as_array().map(|it| it.iter().map(text).collect()).unwrap_or_default()
    }

    /// Leaves a picture of the page where [`SCREENSHOTS`] says, if it says so.
    pub async fn picture(&self, name: &str) {
        let Some(folder) = std::env::var_os(SCREENSHOTS).map(PathBuf::from) else { return };
        std::fs::create_dir_all(&folder).expect("make the folder of the pictures");
        let script = if self.setup.script { "" } else { "-noscript" };
        let file = format!("{name}-{}-{}{script}.png", self.setup.language, self.setup.width_px);
        let png = self.driver.screenshot_as_png().await.expect("a picture");
        std::fs::write(folder.join(file), png).expect("write a picture");
    }

    /// Closes the browser.
    pub async fn close(self) {
        self.driver.quit().await.expect("close the browser");
    }
}

fn capabilities(setup: Setup, profile: &TempDir) -> thirtyfour::Capabilities {
    let accept = if setup.language == "fr" { "fr-FR,fr" } else { "en-GB,en" };
    let mut arguments: Vec<String> = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1280,900",
    ]
    .map(str::to_owned)
    .to_vec();
    arguments.push(format!("--user-data-dir={}", profile.path().display()));
    arguments.push(format!("--lang={}", setup.language));
    let script = if setup.script { 1 } else { 2 };
    let options = json!({
        "args": arguments,
        "prefs": {
            "intl.accept_languages": accept,
            "profile.default_content_setting_values.javascript": script,
            "profile.managed_default_content_settings.javascript": script,
        },
    });
    let wanted = json!({
        "browserName": "chrome",
        "goog:chromeOptions": options,
        "goog:loggingPrefs": { "browser": "ALL" },
    });
    let Value::Object(wanted) = wanted else { unreachable!("an object was written above") };
    wanted.into()
}

/// Carries thirtyfour's requests, so that no second HTTP stack is built.
#[derive(Debug)]
struct Caller;

#[async_trait::async_trait]
impl HttpClient for Caller {
    async fn send(&self, request: Request<Body<'_>>) -> Result<Response<Bytes>, WebDriverError> {
        let (parts, body) = request.into_parts();
        let body = match body {
            Body::Empty => Bytes::new(),
            Body::Json(value) => value.to_string().into(),
        };
        let request = plain::request(parts.method, &parts.uri.to_string(), "application/json", body);
        let answer =
            plain::call(request).await.map_err(|error| WebDriverError::FatalError(error.to_string()))?;
        let mut response = Response::new(answer.body);
        *response.status_mut() = answer.status;
        Ok(response)
    }

    async fn new(&self) -> Arc<dyn HttpClient> {
        Arc::new(Self)
    }
}
