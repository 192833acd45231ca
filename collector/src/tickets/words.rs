//! The closed lists of words a ticket is described with. Each word is stored, shown in REST and used as text key.

use crate::words;

words! {
    /// What kind of help is asked for (rule R053).
    TicketKind {
        /// Something that worked does not.
        Incident = "incident",
        /// Install, configure, give access (rule R055).
        ServiceRequest = "service_request",
        /// The cause behind several incidents (rule R056).
        Problem = "problem",
        /// A question (rule R057).
        Information = "information",
        /// A suggestion (rule R058).
        Improvement = "improvement",
        /// A training session (rule R059).
        Training = "training",
        /// A major outage or a breach: immediate action (rule R060).
        Emergency = "emergency",
    }
    /// What exactly is asked for, within its type (rules R054, R055, R060).
    SubKind {
        /// Cannot sign in or reach something.
        Connection = "connection",
        /// Slow.
        Performance = "performance",
        /// Software hangs.
        Freeze = "freeze",
        /// Hardware is broken.
        Hardware = "hardware",
        /// An error message.
        ErrorMessage = "error_message",
        /// A server.
        Server = "server",
        /// An application made in-house.
        Application = "application",
        /// Malicious software.
        Malware = "malware",
        /// A weakness somebody could use.
        Vulnerability = "vulnerability",
        /// Install software.
        Install = "install",
        /// Configure software.
        Configure = "configure",
        /// Create an account.
        Account = "account",
        /// Give access to a resource.
        Access = "access",
        /// Hand out equipment.
        Equipment = "equipment",
        /// A major outage.
        Outage = "outage",
        /// A breach of security.
        SecurityBreach = "security_breach",
        /// A critical activity is disrupted.
        Disruption = "disruption",
    }
    /// How the ticket came in (rule R022).
    Channel {
        /// The web form.
        Portal = "portal",
        /// A mail.
        Mail = "mail",
        /// A call, written down by staff (rule R029).
        Phone = "phone",
        /// Another program.
        Api = "api",
        /// The machine itself.
        Agent = "agent",
    }
    /// Where the ticket stands.
    TicketState {
        /// At the single point of entry.
        New = "new",
        /// In the common pot, for anybody of the level to take.
        Queued = "queued",
        /// Somebody works on it.
        InProgress = "in_progress",
        /// Waits for somebody or something.
        Pending = "pending",
        /// Solved, to be confirmed by the requester.
        Resolved = "resolved",
        /// Confirmed.
        Closed = "closed",
        /// Withdrawn, a duplicate, or opened in error.
        Cancelled = "cancelled",
    }
    /// How much it hinders (rule R039).
    Severity {
        /// Can be postponed or done otherwise.
        Minor = "minor",
        /// Cannot.
        Blocking = "blocking",
    }
    /// Whom it hinders (rule R040).
    ImpactScope {
        /// One person.
        One = "one",
        /// A group.
        Group = "group",
        /// Everybody.
        All = "all",
    }
    /// How soon the person needs it (rule R035).
    Urgency {
        /// No hurry.
        Low = "low",
        /// Soon.
        Medium = "medium",
        /// Now.
        High = "high",
    }
    /// What a machine has to do with a ticket.
    AssetRole {
        /// The machine the ticket is about; at most one at a time.
        Affected = "affected",
        /// Another one concerned.
        Related = "related",
        /// Lent meanwhile.
        Loaner = "loaner",
        /// Takes its place.
        Replacement = "replacement",
    }
    /// How a machine came onto a ticket.
    AttachedBy {
        /// Found when the ticket was opened.
        Opening = "opening",
        /// The tag became known later.
        Late = "late",
        /// A person chose it.
        Person = "person",
    }
    /// What came of a ticket; each type has its own.
    ResolutionCode {
        /// The cause is gone.
        Fixed = "fixed",
        /// It works another way.
        Workaround = "workaround",
        /// Something was replaced.
        Replaced = "replaced",
        /// Somebody else repaired it.
        ThirdParty = "third_party",
        /// Nothing was broken; explained how it works.
        Explained = "explained",
        /// It could not be seen again.
        NotReproduced = "not_reproduced",
        /// What was asked for is there.
        Delivered = "delivered",
        /// A part of it is.
        PartlyDelivered = "partly_delivered",
        /// It was declined.
        Declined = "declined",
        /// The underlying cause is gone.
        RootCauseFixed = "root_cause_fixed",
        /// The cause is known and stays.
        RiskAccepted = "risk_accepted",
        /// The question is answered.
        Answered = "answered",
        /// The suggestion will be done.
        Accepted = "accepted",
        /// It will not.
        Refused = "refused",
        /// It may be, later.
        Later = "later",
        /// The training has a date.
        SessionPlanned = "session_planned",
        /// Service is back.
        Restored = "restored",
        /// The danger is contained.
        Contained = "contained",
        /// There was none.
        FalseAlarm = "false_alarm",
    }
    /// What was checked before a ticket was resolved (rule R110).
    Check {
        /// Tried again, works.
        Tested = "tested",
        /// The person saw it work.
        SeenByUser = "seen_by_user",
        /// What was changed for the repair is as before.
        SettingsRestored = "settings_restored",
        /// The person's data are there.
        DataChecked = "data_checked",
    }
    /// Why a ticket was withdrawn.
    CancelReason {
        /// Not needed any more.
        Withdrawn = "withdrawn",
        /// There is another ticket about it.
        Duplicate = "duplicate",
        /// Not a request.
        Spam = "spam",
        /// The contract does not cover it.
        NotCovered = "not_covered",
        /// Opened by mistake.
        CreatedInError = "created_in_error",
    }
    /// What one ticket is to another.
    LinkKind {
        /// The major incident it belongs to.
        Parent = "parent",
        /// The problem behind it.
        Problem = "problem",
    }
    /// What work was done (rules R085–R095).
    TaskKind {
        /// A call that was answered.
        Call = "call",
        /// A call that nobody answered (*pas de réponse*).
        Pdr = "pdr",
        /// Tests, and what they showed.
        Diagnosis = "diagnosis",
        /// On the person's screen.
        Remote = "remote",
        /// At the person's place.
        Onsite = "onsite",
        /// About a machine that is lent.
        Loan = "loan",
        /// That everything works again.
        Verification = "verification",
        /// A question to the person.
        InfoRequest = "info_request",
        /// Anything else.
        Other = "other",
    }
    /// What can be done to a ticket: the last part of the REST path.
    ActionKind {
        /// Take it.
        Claim = "claim",
        /// Give it to somebody.
        Assign = "assign",
        /// Put it back into the pot.
        Release = "release",
        /// Set type, severity, scope and urgency.
        Qualify = "qualify",
        /// To another team.
        Transfer = "transfer",
        /// To the second level.
        Escalate = "escalate",
        /// Back to the first level.
        Deescalate = "deescalate",
        /// To the security manager: nobody else sees it any more.
        Refer = "refer",
        /// For everybody again.
        Unrestrict = "unrestrict",
        /// Wait, with a reason.
        Hold = "hold",
        /// Stop waiting.
        Resume = "resume",
        /// Record work done.
        Task = "tasks",
        /// Answer, visible to the requester.
        Reply = "replies",
        /// Internal note.
        Note = "notes",
        /// Solved, with the solution.
        Resolve = "resolve",
        /// It is really solved.
        Confirm = "confirm",
        /// It is not.
        Refuse = "refuse",
        /// Open a closed one again.
        Reopen = "reopen",
        /// Withdraw.
        Cancel = "cancel",
        /// It is the same as another one.
        Merge = "merge",
        /// Put it under a major incident or a problem.
        Link = "link",
        /// Take it out from there.
        Unlink = "unlink",
        /// Call it a major incident, or no longer.
        Major = "major",
        /// Keep an eye on it.
        Watch = "watch",
        /// No longer.
        Unwatch = "unwatch",
        /// Link a machine.
        AttachAsset = "assets",
        /// Unlink a machine.
        DetachAsset = "detach",
    }
}

impl SubKind {
    /// The type it belongs to.
    pub fn kind(self) -> TicketKind {
        match self {
            Self::Connection
            | Self::Performance
            | Self::Freeze
            | Self::Hardware
            | Self::ErrorMessage
            | Self::Server
            | Self::Application
            | Self::Malware
            | Self::Vulnerability => TicketKind::Incident,
            Self::Install | Self::Configure | Self::Account | Self::Access | Self::Equipment => {
                TicketKind::ServiceRequest
            }
            Self::Outage | Self::SecurityBreach | Self::Disruption => TicketKind::Emergency,
        }
    }
}

impl SubKind {
    /// A matter of security, whatever the type says.
    pub fn is_security(self) -> bool {
        matches!(self, Self::Malware | Self::Vulnerability | Self::SecurityBreach)
    }
}

impl ResolutionCode {
    /// What may come of a ticket of this type, the usual first.
    pub fn of(kind: TicketKind) -> &'static [Self] {
        match kind {
            TicketKind::Incident => &[
                Self::Fixed,
                Self::Workaround,
                Self::Replaced,
                Self::ThirdParty,
                Self::Explained,
                Self::NotReproduced,
            ],
            TicketKind::ServiceRequest => &[Self::Delivered, Self::PartlyDelivered, Self::Declined],
            TicketKind::Problem => &[Self::RootCauseFixed, Self::Workaround, Self::RiskAccepted],
            TicketKind::Information => &[Self::Answered],
            TicketKind::Improvement => &[Self::Accepted, Self::Refused, Self::Later],
            TicketKind::Training => &[Self::SessionPlanned, Self::Refused],
            TicketKind::Emergency => &[Self::Restored, Self::Contained, Self::FalseAlarm],
        }
    }
}

impl TicketState {
    /// Neither closed nor cancelled.
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Closed | Self::Cancelled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_stored_as_it_is_shown() {
        for state in TicketState::ALL {
            assert_eq!(serde_json::to_value(state).ok(), Some(state.code().into()));
            assert_eq!(TicketState::from_code(state.code()), Some(*state));
        }
        assert_eq!(ActionKind::from_code("attachments"), None);
    }
}
