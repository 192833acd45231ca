//! The frame around every page.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use askama::filters::HtmlSafe;

use super::icons::Icon;
use super::reader::Theme;
use super::{Texts, Visitor, files};
use crate::branding::web::{logo_address, style_address};
use crate::branding::{Brand, Contact};
use crate::kernel::actor::{Actor, ActorKind, Permission, Role, Scope};

/// The part of the site a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Home,
    Tickets,
    NewTicket,
    Planning,
    Loans,
    Reports,
    Notices,
    Search,
    Parc,
    Conflicts,
    Agents,
    Tokens,
    People,
    Account,
    Import,
    Applications,
    Surveys,
    Branding,
    Announcements,
    Teams,
    Outbox,
    Letterbox,
    Service,
}

/// One entry of the navigation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub href: &'static str,
    pub label: Cow<'static, str>,
    pub icon: &'static str,
    pub current: bool,
}

/// What every page's template is given.
#[derive(Clone, Debug)]
pub(crate) struct Shell {
    pub texts: Texts,
    pub brand: Arc<Brand>,
    pub title: String,
    pub theme: Theme,
    pub shortcuts: bool,
    /// Path and query, where the switches lead back to.
    pub here: String,
    /// Name of the signed-in person, empty for a stranger.
    pub person: String,
    /// Tells one person's drafts in the browser from another's; empty for a stranger.
    pub draft_owner: String,
    pub entries: Vec<Entry>,
    /// Large and plain, for people who come twice a year.
    pub plain: bool,
    /// Read by a client's people or a stranger, who are told whom to phone.
    pub client: bool,
    /// Done just now, said once above the page.
    pub notice: Option<String>,
    csrf: String,
}

impl Shell {
    /// The frame for a stranger.
    pub(crate) fn of(visitor: &Visitor, title: impl Into<String>) -> Self {
        Self {
            texts: visitor.texts,
            brand: Arc::clone(&visitor.brand),
            client: true,
            title: title.into(),
            theme: visitor.theme,
            shortcuts: visitor.shortcuts,
            here: visitor.here.clone(),
            person: String::new(),
            draft_owner: String::new(),
            entries: Vec::new(),
            plain: true,
            notice: None,
            csrf: String::new(),
        }
    }

    /// The frame for a signed-in person; a page that is none of the navigation's has no section.
    pub(crate) fn for_person(
        mut self,
        name: &str,
        csrf: &str,
        actor: &Actor,
        section: Option<Section>,
    ) -> Self {
        self.person = name.into();
        self.csrf = csrf.into();
        if let ActorKind::Person(id) = &actor.kind {
            self.draft_owner = id.to_string();
        }
        self.plain = !actor.is_staff() && !actor.may(Permission::ReadAssets);
        self.client = actor.scope.organisation().is_some();
        self.entries = entries(self.texts, actor, section);
        self
    }

    /// Says above the page what was done.
    pub(crate) fn with_notice(mut self, done: &str) -> Self {
        if super::words::NOTICES.contains(&done) {
            self.notice = Some(self.texts.word("done", done).into_owned());
        }
        self
    }

    /// A text.
    pub(crate) fn t(&self, key: &str) -> Cow<'static, str> {
        self.texts.t(key)
    }

    /// A text with one parameter.
    pub(crate) fn t1(&self, key: &str, name: &str, value: &str) -> Cow<'static, str> {
        self.texts.t1(key, name, value)
    }

    /// A drawn icon.
    #[expect(clippy::unused_self, reason = "templates reach what they need through the shell")]
    pub(crate) fn icon(&self, name: &'static str) -> Icon {
        Icon(name)
    }

    /// The hidden field every form carries.
    pub(crate) fn token(&self) -> Token<'_> {
        Token(&self.csrf)
    }

    /// Address of the style sheet of the chosen accent.
    pub(crate) fn accent(&self) -> Option<String> {
        self.brand.accent.map(style_address)
    }

    /// Address of the logo.
    pub(crate) fn logo(&self) -> Option<String> {
        self.brand.logo.as_deref().map(logo_address)
    }

    /// Whom people reach, and how.
    pub(crate) fn contact(&self) -> &Contact {
        &self.brand.contact
    }

    /// When the hotline is answered, in the reader's language.
    pub(crate) fn hours(&self) -> &str {
        self.brand.contact.hours.of(self.texts.language())
    }

    /// The hotline's number as telephones dial it.
    pub(crate) fn dial(&self) -> String {
        self.brand.contact.phone.chars().filter(|it| it.is_ascii_digit() || *it == '+').collect()
    }

    /// Address of the style sheet.
    #[expect(clippy::unused_self, reason = "templates reach what they need through the shell")]
    pub(crate) fn style(&self) -> &'static str {
        files::style()
    }

    /// Address of the script.
    #[expect(clippy::unused_self, reason = "templates reach what they need through the shell")]
    pub(crate) fn script(&self) -> &'static str {
        files::script()
    }

    /// Address of the picture in the browser's tab.
    #[expect(clippy::unused_self, reason = "templates reach what they need through the shell")]
    pub(crate) fn picture(&self) -> &'static str {
        files::picture()
    }
}

/// The session's token as a hidden field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'a>(&'a str);

/// Tokens are base64url or hexadecimal: nothing else is written out.
impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<input type=\"hidden\" name=\"csrf\" value=\"")?;
        for c in self.0.chars().filter(|it| it.is_ascii_alphanumeric() || "-_=.".contains(*it)) {
            write!(f, "{c}")?;
        }
        f.write_str("\">")
    }
}

impl HtmlSafe for Token<'_> {}

/// The first page of a person who comes without a wish: one that the roles allow to read.
pub(crate) fn landing(actor: &Actor) -> &'static str {
    if actor.is_staff() || actor.may(Permission::CreateTicket) { "/tickets" } else { "/parc" }
}

/// Whether the actor asks for help rather than gives it: requesters and the IT contacts of client organisations.
pub(crate) fn has_home(actor: &Actor) -> bool {
    let asks = actor.has_role(Role::Requester) || actor.has_role(Role::Referent);
    asks && !actor.may(Permission::WorkTickets) && actor.scope.organisation().is_some()
}

/// What stands in the navigation for this actor.
fn entries(texts: Texts, actor: &Actor, section: Option<Section>) -> Vec<Entry> {
    let staff = actor.is_staff();
    let works = actor.may(Permission::WorkTickets) || actor.has_role(Role::Auditor);
    let tickets = if staff && !works {
        "nav-client-tickets"
    } else if staff {
        "nav-queue"
    } else {
        "nav-my-tickets"
    };
    let mut entries = Vec::new();
    let mut add = |wanted: bool, href, key, icon, own: Section| {
        if wanted {
            entries.push(Entry { href, label: texts.t(key), icon, current: Some(own) == section });
        }
    };
    add(has_home(actor), "/", "nav-home", "home", Section::Home);
    add(staff || actor.may(Permission::CreateTicket), "/tickets", tickets, "inbox", Section::Tickets);
    add(actor.may(Permission::CreateTicket), "/tickets/new", "nav-new-ticket", "plus", Section::NewTicket);
    add(staff, "/search", "nav-search", "search", Section::Search);
    add(staff, "/planning", "nav-planning", "calendar", Section::Planning);
    add(staff, "/loans", "nav-loans", "hand", Section::Loans);
    add(
        actor.may(Permission::Export) || actor.may(Permission::QualifyTickets),
        "/reports",
        "nav-reports",
        "chart",
        Section::Reports,
    );
    let told = staff || actor.may(Permission::CreateTicket);
    add(told, "/notices", "nav-notices", "bell", Section::Notices);
    add(actor.may(Permission::ReadAssets), "/parc", "nav-parc", "laptop", Section::Parc);
    add(actor.may(Permission::WriteAssets), "/conflicts", "nav-conflicts", "conflict", Section::Conflicts);
    let rated = actor.may(Permission::WorkTickets)
        || actor.may(Permission::Administer)
        || actor.has_role(Role::Auditor);
    add(rated, "/surveys", "nav-surveys", "ok", Section::Surveys);
    let announces = actor.may(Permission::QualifyTickets) || actor.may(Permission::Administer);
    let announces = announces && actor.scope.organisation().is_none();
    add(announces, "/announcements", "nav-announcements", "info", Section::Announcements);
    add(actor.may(Permission::Administer), "/branding", "nav-branding", "theme", Section::Branding);
    add(
        actor.may(Permission::Administer),
        "/applications",
        "nav-applications",
        "other",
        Section::Applications,
    );
    add(actor.may(Permission::Administer), "/import", "nav-import", "download", Section::Import);
    add(actor.may(Permission::ManagePeople), "/people", "nav-people", "person", Section::People);
    add(actor.may(Permission::Administer), "/agents", "nav-agents", "agent", Section::Agents);
    add(actor.may(Permission::Administer), "/enroll-tokens", "nav-tokens", "key", Section::Tokens);
    add(actor.may(Permission::Administer), "/teams", "nav-teams", "person", Section::Teams);
    add(
        actor.may(Permission::Administer) && actor.scope == Scope::All,
        "/outbox",
        "nav-outbox",
        "mail",
        Section::Outbox,
    );
    let receives = actor.scope == Scope::All
        && (actor.may(Permission::QualifyTickets) || actor.may(Permission::Administer));
    add(receives, "/incoming-mail", "nav-letterbox", "inbox", Section::Letterbox);
    add(actor.may(Permission::Administer), "/calendars", "nav-service", "clock", Section::Service);
    entries
}
