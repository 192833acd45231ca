//! Who acts, and what they may see and do. Filled by `people` (sessions, API keys) and `agents`
//! (certificates); every other slice only reads it.

use super::id::{AgentId, ApiKeyId, OrganisationId, PersonId};

/// What a person or key may do. One person may hold several roles.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    sqlx::Type,
    serde::Serialize,
    serde::Deserialize,
    clap::ValueEnum,
)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
#[clap(rename_all = "snake_case")]
pub enum Role {
    /// Opens tickets and follows own ones.
    Requester,
    /// The client organisation's IT contact: sees its tickets and machines.
    Referent,
    /// Single point of entry: receives and qualifies every ticket.
    Peu,
    /// First-level technician.
    TechnicianN1,
    /// Second-level technician.
    TechnicianN2,
    /// Leads the technicians.
    Lead,
    /// Security policy manager.
    Mssi,
    /// Administers organisations, machines, tokens and keys.
    Admin,
    /// Reads everything, changes nothing.
    Auditor,
}

impl Role {
    /// Every role, in the order they are shown.
    pub const ALL: [Self; 9] = [
        Self::Requester,
        Self::Referent,
        Self::Peu,
        Self::TechnicianN1,
        Self::TechnicianN2,
        Self::Lead,
        Self::Mssi,
        Self::Admin,
        Self::Auditor,
    ];

    /// The word stored, shown in URLs and used as a text key.
    pub fn code(self) -> &'static str {
        match self {
            Self::Requester => "requester",
            Self::Referent => "referent",
            Self::Peu => "peu",
            Self::TechnicianN1 => "technician_n1",
            Self::TechnicianN2 => "technician_n2",
            Self::Lead => "lead",
            Self::Mssi => "mssi",
            Self::Admin => "admin",
            Self::Auditor => "auditor",
        }
    }
}

/// What the system asks an actor for before it does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Open a ticket for oneself.
    CreateTicket,
    /// Open a ticket on behalf of somebody else.
    CreateTicketForOthers,
    /// Read every ticket in scope, not only one's own.
    ReadTickets,
    /// Claim, reply, write tasks, hold, resolve.
    WorkTickets,
    /// Take a ticket that nobody has qualified yet.
    SelfQualify,
    /// Set type, team, severity, scope, urgency; assign to others.
    QualifyTickets,
    /// Fix visits on site, hand loaners out and take them back.
    PlanFieldWork,
    /// Read machines, software and history in scope.
    ReadAssets,
    /// Declare facts, retire, settle tag conflicts.
    WriteAssets,
    /// Export lists.
    Export,
    /// Add, suspend and remove those of an organisation who may contact support.
    ManagePeople,
    /// Enroll tokens, API keys, organisations, people.
    Administer,
}

/// The acting person, program or machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Who it is.
    pub kind: ActorKind,
    /// Shown in histories: a person's name, a key's name, a machine's name.
    pub label: String,
    /// Organisations it may see.
    pub scope: Scope,
    /// What it may do there.
    pub roles: Vec<Role>,
}

/// What kind of actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActorKind {
    /// A signed-in person.
    Person(PersonId),
    /// A program with an API key.
    ApiKey(ApiKeyId),
    /// An enrolled workstation.
    Agent(AgentId),
    /// Parc itself: late attachment, retention, command line.
    System,
}

/// Which organisations an actor sees. Every query carries it (rule R10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All organisations: the service provider's own staff.
    All,
    /// One organisation only.
    Organisation(OrganisationId),
}

impl Scope {
    /// Whether `organisation` is in scope.
    pub fn contains(self, organisation: OrganisationId) -> bool {
        match self {
            Self::All => true,
            Self::Organisation(own) => own == organisation,
        }
    }

    /// The only organisation in scope, bound into queries as `$n IS NULL OR organisation_id = $n`.
    pub fn organisation(self) -> Option<OrganisationId> {
        match self {
            Self::All => None,
            Self::Organisation(own) => Some(own),
        }
    }
}

impl Actor {
    /// Parc itself.
    pub fn system() -> Self {
        Self { kind: ActorKind::System, label: "Parc".into(), scope: Scope::All, roles: Vec::new() }
    }

    /// Whether one of the roles gives `permission`.
    pub fn may(&self, permission: Permission) -> bool {
        matches!(self.kind, ActorKind::System) || self.roles.iter().any(|role| grants(*role, permission))
    }

    /// Whether the actor holds `role`.
    pub fn has_role(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Whether the actor is the provider's or client's staff rather than only a requester.
    pub fn is_staff(&self) -> bool {
        self.may(Permission::ReadTickets)
    }

    /// The person, if a person acts.
    pub fn person(&self) -> Option<PersonId> {
        match self.kind {
            ActorKind::Person(id) => Some(id),
            ActorKind::ApiKey(_) | ActorKind::Agent(_) | ActorKind::System => None,
        }
    }
}

/// The table of rights: one line per permission.
fn grants(role: Role, permission: Permission) -> bool {
    use Role::{Admin, Auditor, Lead, Mssi, Peu, Referent, Requester, TechnicianN1, TechnicianN2};
    match permission {
        Permission::CreateTicket => !matches!(role, Admin | Auditor),
        Permission::CreateTicketForOthers => {
            matches!(role, Referent | Peu | TechnicianN1 | TechnicianN2 | Lead | Mssi)
        }
        Permission::ReadTickets => !matches!(role, Requester | Admin),
        Permission::WorkTickets | Permission::SelfQualify => {
            matches!(role, Peu | TechnicianN1 | TechnicianN2 | Lead | Mssi)
        }
        Permission::QualifyTickets => matches!(role, Peu | Lead),
        Permission::PlanFieldWork => matches!(role, Peu | TechnicianN2 | Lead),
        Permission::ReadAssets => !matches!(role, Requester),
        Permission::WriteAssets => matches!(role, Admin | Lead | Peu),
        Permission::Export => matches!(role, Referent | Lead | Mssi | Admin | Auditor),
        Permission::ManagePeople => matches!(role, Referent | Peu | Lead | Admin),
        Permission::Administer => matches!(role, Admin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_auditor_changes_nothing() {
        for permission in [
            Permission::CreateTicket,
            Permission::WorkTickets,
            Permission::QualifyTickets,
            Permission::PlanFieldWork,
            Permission::WriteAssets,
            Permission::Administer,
        ] {
            assert!(!grants(Role::Auditor, permission), "{permission:?}");
        }
    }

    #[test]
    fn a_requester_sees_neither_the_queue_nor_the_parc() {
        assert!(!grants(Role::Requester, Permission::ReadTickets));
        assert!(!grants(Role::Requester, Permission::ReadAssets));
    }
}
