//! Who is told what, and how. One pure table; organisations may switch mails on and off where it allows that.

/// Something that happened to a ticket, as far as telling people goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Occasion {
    /// Opened by its requester.
    Created,
    /// Written down by staff for who called or wrote.
    CreatedForCaller,
    /// Put on hold.
    Held,
    /// Type and priority were set.
    Qualified,
    /// Taken, handed on, moved between teams and levels, resumed.
    Moved,
    /// Answered by staff.
    StaffReply,
    /// Answered by requester or beneficiary.
    UserReply,
    /// Nobody picked up the telephone.
    NoAnswer,
    /// A visit was fixed, moved, cancelled, done.
    Appointment,
    /// Remote access was asked for, allowed, refused, ended.
    Remote,
    /// A machine was lent, is due, is back.
    Loan,
    /// Solved, to be confirmed.
    Resolved,
    /// Solved some days ago and not confirmed.
    Reminder,
    /// The solution was refused, or a closed ticket opened again.
    Refused,
    /// Over.
    Closed,
    /// Withdrawn or merged.
    Cancelled,
    /// Three quarters of a delay are used.
    DelayWarned,
    /// A delay is over.
    DelayOver,
    /// A machine came late, or the number leads to none or two.
    Machine,
    /// Sent to the security manager.
    Restricted,
    /// A mail about it did not arrive.
    MailFailed,
}

/// Whom it may concern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Audience {
    /// Who asked.
    Requester,
    /// Who needs the help.
    Beneficiary,
    /// The organisation's IT contacts.
    Referent,
    /// Who works on it.
    Owner,
    /// Those in whose pot it is.
    Team,
    /// The single point of entry.
    Peu,
    /// The security manager.
    Mssi,
    /// Staff who asked to be told.
    Watcher,
}

/// Whether a mail is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mailing {
    /// Never.
    Never,
    /// When the organisation asked for it.
    Optional,
    /// Unless the organisation switched it off.
    Usual,
    /// Always: the organisation has no say.
    Always,
}

/// How somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Means {
    /// By mail.
    pub mail: Mailing,
    /// On the pages, for those who work there.
    pub in_app: bool,
}

const NOTHING: Means = Means { mail: Mailing::Never, in_app: false };
const IN_APP: Means = Means { mail: Mailing::Never, in_app: true };
const IN_APP_OR_MAIL: Means = Means { mail: Mailing::Optional, in_app: true };
const OPTIONAL: Means = Means { mail: Mailing::Optional, in_app: false };
const MAIL: Means = Means { mail: Mailing::Usual, in_app: false };
const BOTH: Means = Means { mail: Mailing::Usual, in_app: true };
const ALWAYS: Means = Means { mail: Mailing::Always, in_app: false };

impl Occasion {
    /// Every occasion, in the order they are shown.
    pub const ALL: [Self; 21] = [
        Self::Created,
        Self::CreatedForCaller,
        Self::Held,
        Self::Qualified,
        Self::Moved,
        Self::StaffReply,
        Self::UserReply,
        Self::NoAnswer,
        Self::Appointment,
        Self::Remote,
        Self::Loan,
        Self::Resolved,
        Self::Reminder,
        Self::Refused,
        Self::Closed,
        Self::Cancelled,
        Self::DelayWarned,
        Self::DelayOver,
        Self::Machine,
        Self::Restricted,
        Self::MailFailed,
    ];

    /// The word stored and used as a text key.
    pub fn code(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::CreatedForCaller => "created-for-caller",
            Self::Held => "held",
            Self::Qualified => "qualified",
            Self::Moved => "moved",
            Self::StaffReply => "staff-reply",
            Self::UserReply => "user-reply",
            Self::NoAnswer => "no-answer",
            Self::Appointment => "appointment",
            Self::Remote => "remote",
            Self::Loan => "loan",
            Self::Resolved => "resolved",
            Self::Reminder => "reminder",
            Self::Refused => "refused",
            Self::Closed => "closed",
            Self::Cancelled => "cancelled",
            Self::DelayWarned => "delay-warned",
            Self::DelayOver => "delay-over",
            Self::Machine => "machine",
            Self::Restricted => "restricted",
            Self::MailFailed => "mail-failed",
        }
    }

    /// Opening and ending are confirmed even to who did it.
    pub fn tells_the_actor(self) -> bool {
        matches!(self, Self::Created | Self::CreatedForCaller | Self::Resolved | Self::Closed)
    }
}

impl Audience {
    /// Every audience: who comes first is told in its words when one person is several.
    pub const ALL: [Self; 8] = [
        Self::Requester,
        Self::Beneficiary,
        Self::Referent,
        Self::Owner,
        Self::Team,
        Self::Peu,
        Self::Mssi,
        Self::Watcher,
    ];

    /// The word stored and used as a text key.
    pub fn code(self) -> &'static str {
        match self {
            Self::Requester => "requester",
            Self::Beneficiary => "beneficiary",
            Self::Referent => "referent",
            Self::Owner => "owner",
            Self::Team => "team",
            Self::Peu => "peu",
            Self::Mssi => "mssi",
            Self::Watcher => "watcher",
        }
    }

    /// Works on tickets: may be told what requesters are not.
    pub fn is_staff(self) -> bool {
        matches!(self, Self::Owner | Self::Team | Self::Peu | Self::Mssi | Self::Watcher)
    }
}

/// The table: one line per occasion, in the order of [`Audience::ALL`].
pub fn means(occasion: Occasion, audience: Audience) -> Means {
    use Occasion as O;
    let row = match occasion {
        O::Created => [ALWAYS, ALWAYS, IN_APP_OR_MAIL, NOTHING, NOTHING, IN_APP, ALWAYS, NOTHING],
        O::CreatedForCaller => [ALWAYS, ALWAYS, IN_APP, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING],
        O::Held => [MAIL, MAIL, IN_APP, NOTHING, NOTHING, NOTHING, NOTHING, IN_APP],
        O::Qualified => [IN_APP_OR_MAIL, IN_APP, IN_APP, IN_APP, IN_APP, NOTHING, NOTHING, IN_APP],
        O::Moved => [MAIL, MAIL, IN_APP, MAIL, IN_APP, NOTHING, NOTHING, IN_APP],
        O::StaffReply => [MAIL, MAIL, OPTIONAL, IN_APP, NOTHING, NOTHING, NOTHING, IN_APP],
        O::UserReply => [NOTHING, IN_APP, NOTHING, BOTH, IN_APP, IN_APP, NOTHING, IN_APP],
        O::NoAnswer => [MAIL, MAIL, NOTHING, IN_APP, NOTHING, NOTHING, NOTHING, NOTHING],
        O::Appointment => [MAIL, MAIL, OPTIONAL, MAIL, IN_APP, IN_APP, NOTHING, NOTHING],
        O::Remote => [NOTHING, BOTH, NOTHING, IN_APP, NOTHING, NOTHING, NOTHING, NOTHING],
        O::Loan => [MAIL, MAIL, OPTIONAL, IN_APP, IN_APP, IN_APP, NOTHING, NOTHING],
        O::Resolved | O::Reminder => [ALWAYS, ALWAYS, IN_APP, NOTHING, NOTHING, NOTHING, NOTHING, IN_APP],
        O::Refused => [IN_APP, IN_APP, IN_APP, MAIL, IN_APP, IN_APP, NOTHING, IN_APP],
        O::Closed => [ALWAYS, ALWAYS, IN_APP, IN_APP, NOTHING, NOTHING, NOTHING, IN_APP],
        O::Cancelled => [MAIL, MAIL, IN_APP, IN_APP, NOTHING, NOTHING, NOTHING, IN_APP],
        O::DelayWarned => [NOTHING, NOTHING, OPTIONAL, IN_APP, IN_APP, IN_APP, NOTHING, NOTHING],
        O::DelayOver => [NOTHING, NOTHING, OPTIONAL, MAIL, MAIL, MAIL, NOTHING, NOTHING],
        O::Machine => [IN_APP, IN_APP, NOTHING, IN_APP, NOTHING, IN_APP, NOTHING, NOTHING],
        O::Restricted => [NOTHING, NOTHING, NOTHING, IN_APP, NOTHING, IN_APP, ALWAYS, NOTHING],
        O::MailFailed => [NOTHING, NOTHING, NOTHING, IN_APP, NOTHING, NOTHING, NOTHING, NOTHING],
    };
    row[match audience {
        Audience::Requester => 0,
        Audience::Beneficiary => 1,
        Audience::Referent => 2,
        Audience::Owner => 3,
        Audience::Team => 4,
        Audience::Peu => 5,
        Audience::Mssi => 6,
        Audience::Watcher => 7,
    }]
}

impl Means {
    /// Whether a mail is sent when the organisation said so, or said nothing.
    pub fn mails(self, switch: Option<bool>) -> bool {
        match self.mail {
            Mailing::Never => false,
            Mailing::Optional => switch == Some(true),
            Mailing::Usual => switch != Some(false),
            Mailing::Always => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opening_solving_and_closing_reach_who_asked_whatever_is_switched() {
        for occasion in [
            Occasion::Created,
            Occasion::CreatedForCaller,
            Occasion::Resolved,
            Occasion::Reminder,
            Occasion::Closed,
        ] {
            for audience in [Audience::Requester, Audience::Beneficiary] {
                assert!(means(occasion, audience).mails(Some(false)), "{occasion:?} {audience:?}");
            }
        }
        assert!(means(Occasion::Restricted, Audience::Mssi).mails(Some(false)));
    }

    #[test]
    fn a_switch_turns_usual_mails_off_and_optional_ones_on() {
        let moved = means(Occasion::Moved, Audience::Beneficiary);
        assert!(moved.mails(None) && !moved.mails(Some(false)));
        let qualified = means(Occasion::Qualified, Audience::Requester);
        assert!(!qualified.mails(None) && qualified.mails(Some(true)));
        let never = means(Occasion::Remote, Audience::Requester);
        assert!(!never.mails(Some(true)));
    }

    #[test]
    fn what_is_staffs_business_never_reaches_requesters() {
        for occasion in
            [Occasion::DelayWarned, Occasion::DelayOver, Occasion::Restricted, Occasion::MailFailed]
        {
            for audience in [Audience::Requester, Audience::Beneficiary] {
                assert_eq!(means(occasion, audience), NOTHING, "{occasion:?}");
            }
        }
    }

    #[test]
    fn every_occasion_and_audience_has_a_word_of_its_own() {
        let words: std::collections::BTreeSet<&str> = Occasion::ALL.iter().map(|it| it.code()).collect();
        assert_eq!(words.len(), Occasion::ALL.len());
        let words: std::collections::BTreeSet<&str> = Audience::ALL.iter().map(|it| it.code()).collect();
        assert_eq!(words.len(), Audience::ALL.len());
    }
}
