//! A collector with its database, and the organisations a story needs.

use std::time::{Duration, Instant};

use parc_sample::Workstation;

use crate::agent::Agent;
use crate::api::Api;
use crate::collector::{Collector, Settings};
use crate::engines::{Database, Engine};

/// A running collector on a fresh database.
#[derive(Debug)]
pub struct World {
    /// The program.
    pub collector: Collector,
    /// What it stores in.
    pub database: Database,
}

/// A client organisation with two sites, people and an API key of its own.
#[derive(Clone, Debug)]
pub struct Organisation {
    /// Short code.
    pub code: String,
    /// E-mail address of a person who opens tickets.
    pub requester: String,
    /// REST with the rights of a technician of this organisation.
    pub api: Api,
}

/// What an enroll token allows.
#[derive(Clone, Copy, Debug)]
pub struct TokenTerms {
    /// Site of the machines, empty for none.
    pub site: &'static str,
    /// How often it may be used.
    pub uses: u32,
    /// Whether a claimed tag may be bound: `none`, `must_exist`, `may_create`.
    pub tag_policy: &'static str,
}

impl Default for TokenTerms {
    fn default() -> Self {
        Self { site: MAIN_SITE, uses: 1, tag_policy: "may_create" }
    }
}

/// The main site of every organisation made here.
pub const MAIN_SITE: &str = "Lyon";
/// Its other site.
pub const OTHER_SITE: &str = "Paris";
/// Password of every person made here.
pub const PASSWORD: &str = "correct horse battery staple 42";

impl World {
    /// A collector with the usual settings; nothing when the engine is neither offered nor required.
    pub async fn open(engine: Engine) -> Option<Self> {
        Self::open_with(engine, |_| ()).await
    }

    /// A collector whose settings the story changes first.
    pub async fn open_with(engine: Engine, change: impl FnOnce(&mut Settings)) -> Option<Self> {
        let database = Database::on(engine).await?;
        let mut settings = Settings::on(&database.url);
        change(&mut settings);
        Some(Self { collector: Collector::start(&settings).await, database })
    }

    /// Makes an organisation with its sites, a requester and an API key.
    pub fn organisation(&self, code: &str) -> Organisation {
        let admin = |arguments: &[&str]| self.collector.admin(arguments);
        admin(&["organisation", "--code", code, "--name", &format!("Ets {code}")]);
        admin(&[
            "site",
            "--organisation",
            code,
            "--name",
            MAIN_SITE,
            "--address",
            "3 rue de la Part-Dieu",
            "--main",
        ]);
        admin(&["site", "--organisation", code, "--name", OTHER_SITE]);
        admin(&["location", "--organisation", code, "--site", MAIN_SITE, "--name", "Bâtiment A, bureau 204"]);
        let requester = format!("claire.petit@{}.example", code.to_lowercase());
        self.person(&requester, "Claire Petit", "requester", Some(code), "fr");
        let api = self.api("technician_n1", Some(code));
        Organisation { code: code.to_owned(), requester, api }
    }

    /// Makes a person who signs in with [`PASSWORD`].
    pub fn person(&self, email: &str, name: &str, role: &str, organisation: Option<&str>, language: &str) {
        let password = self.collector.write("password", PASSWORD);
        let password = password.to_str().expect("a UTF-8 path");
        let mut arguments = vec!["person", "--email", email, "--name", name, "--role", role];
        arguments.extend(["--language", language, "--password-file", password]);
        if let Some(code) = organisation {
            arguments.extend(["--organisation", code]);
        }
        self.collector.admin(&arguments);
    }

    /// REST with a new key of the given role, in one organisation or in all.
    pub fn api(&self, role: &str, organisation: Option<&str>) -> Api {
        let mut arguments = vec!["api-key", "--name", role, "--role", role];
        if let Some(code) = organisation {
            arguments.extend(["--organisation", code]);
        }
        Api::new(&self.collector.web(), &self.collector.admin(&arguments))
    }

    /// A machine of an organisation that has enrolled and reported once; `tag` is what its agent was told.
    pub fn reporting(&self, organisation: &Organisation, machine: &Workstation, tag: &str) -> Agent {
        let agent = self.enrolled(organisation, machine, tag);
        agent.report().ok();
        agent
    }

    /// A machine that has enrolled but not reported yet.
    pub fn enrolled(&self, organisation: &Organisation, machine: &Workstation, tag: &str) -> Agent {
        let agent = Agent::on(machine);
        let token = self.token(organisation, TokenTerms::default());
        agent.enroll(&self.collector.agents(), &token, tag).ok();
        agent
    }

    /// An enroll token.
    pub fn token(&self, organisation: &Organisation, terms: TokenTerms) -> String {
        let uses = terms.uses.to_string();
        let mut arguments = vec!["enroll-token", "--organisation", &organisation.code, "--uses", &uses];
        arguments.extend(["--tag-policy", terms.tag_policy]);
        if !terms.site.is_empty() {
            arguments.extend(["--site", terms.site]);
        }
        self.collector.admin(&arguments)
    }
}

/// Asks again until the answer satisfies, for what the collector does a moment later.
pub async fn until<T>(what: &str, limit: Duration, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(since.elapsed() < limit, "{what} did not come true within {limit:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
