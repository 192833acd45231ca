//! Which mails an organisation wants.

use serde_json::json;

use super::store::{self, Switch};
use super::table::{Audience, Mailing, Means, Occasion, means};
use crate::audit::{self, Deed};
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::Actor;
use crate::kernel::id::OrganisationId;

/// What an organisation switched; everything else is as the table says.
#[derive(Clone, Debug, Default)]
pub struct Switches(Vec<Switch>);

impl Switches {
    /// An organisation's.
    pub async fn of(tx: &mut Tx, organisation: OrganisationId) -> Result<Self, StoreError> {
        Ok(Self(store::list_switches(tx, organisation).await?))
    }

    /// Whether a mail is sent.
    pub fn mails(&self, occasion: Occasion, audience: Audience) -> bool {
        means(occasion, audience).mails(self.get(occasion, audience))
    }

    fn get(&self, occasion: Occasion, audience: Audience) -> Option<bool> {
        let own = self.0.iter().find(|it| it.occasion == occasion.code() && it.audience == audience.code());
        own.map(|it| it.mail)
    }
}

/// The places of the table that an organisation may switch.
pub fn switchable() -> impl Iterator<Item = (Occasion, Audience)> {
    let all =
        Occasion::ALL.into_iter().flat_map(|it| Audience::ALL.into_iter().map(move |other| (it, other)));
    all.filter(|(occasion, audience)| means(*occasion, *audience).is_switchable())
}

impl Means {
    /// Whether an organisation has a say.
    pub fn is_switchable(self) -> bool {
        matches!(self.mail, Mailing::Optional | Mailing::Usual)
    }
}

/// Makes an organisation's mails what `wanted` says, wherever it has a say; gives how many were changed.
pub async fn set_switches(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    organisation: OrganisationId,
    wanted: impl Fn(Occasion, Audience) -> bool + Send,
) -> Result<usize, StoreError> {
    let before = Switches::of(tx, organisation).await?;
    let changed: Vec<(Occasion, Audience)> = switchable()
        .filter(|&(occasion, audience)| before.mails(occasion, audience) != wanted(occasion, audience))
        .collect();
    for (occasion, audience) in &changed {
        let mail = !before.mails(*occasion, *audience);
        let switch = Switch { occasion: occasion.code().into(), audience: audience.code().into(), mail };
        store::set_switch(tx, organisation, &switch).await?;
    }
    if !changed.is_empty() {
        let words: Vec<String> = changed.iter().map(|(o, a)| format!("{}.{}", o.code(), a.code())).collect();
        let deed = Deed {
            organisation_id: Some(organisation),
            action: "notices.switched",
            subject_kind: "organisation",
            subject_id: organisation.to_string(),
            detail: json!({ "turned": words }),
        };
        audit::record(tx, context, actor, deed).await?;
    }
    Ok(changed.len())
}
