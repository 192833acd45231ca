//! Loans on the pages of tickets and machines. Pure but for one list.

use crate::db::{StoreError, Tx};
use crate::inventory::web::machine::Lens;
use crate::kernel::actor::{Actor, Permission};
use crate::loans::{self, Loan};
use crate::tickets::Ticket;
use crate::web::Stamp;

/// What a ticket's page shows of its loans.
#[derive(Clone, Debug, Default)]
pub(crate) struct LoansPart {
    pub lines: Vec<LoanLine>,
    /// Where one is prepared, for who may.
    pub prepare_href: Option<String>,
}

/// One loan in a few words.
#[derive(Clone, Debug)]
pub(crate) struct LoanLine {
    /// Its page; none for people who only read their ticket.
    pub href: Option<String>,
    pub ticket_href: String,
    pub ticket: String,
    pub status_code: &'static str,
    pub status: String,
    pub loaner: String,
    pub loaner_tag: String,
    pub loaner_href: Option<String>,
    pub original: String,
    pub original_tag: String,
    pub original_href: Option<String>,
    pub borrower: String,
    pub organisation: String,
    pub expected: Stamp,
    pub out: Option<Stamp>,
    pub back: Option<Stamp>,
    pub condition_out: String,
    pub condition_back: String,
    pub acknowledged: String,
    pub note: String,
}

/// The part of a ticket's page, for an actor who was found to see the ticket.
pub(crate) async fn part(
    tx: &mut Tx,
    lens: Lens<'_>,
    actor: &Actor,
    ticket: &Ticket,
) -> Result<LoansPart, StoreError> {
    let found = loans::list_loans_of_ticket(tx, &ticket.number).await?;
    let prepare_href =
        loans::may_prepare(actor, ticket).then(|| format!("/tickets/{}/loans/new", ticket.number));
    Ok(LoansPart { lines: found.iter().map(|it| loan_line(lens, actor, it)).collect(), prepare_href })
}

/// One loan as lists show it.
pub(crate) fn loan_line(lens: Lens<'_>, actor: &Actor, loan: &Loan) -> LoanLine {
    let texts = lens.texts;
    let machine = |ci| actor.may(Permission::ReadAssets).then(|| format!("/parc/{ci}"));
    let status_code = loan.status_code(lens.now);
    let acknowledged = if loan.acknowledged.is_empty() {
        String::new()
    } else {
        let how = texts.word("acknowledged", &loan.acknowledged);
        texts.t2("loan-acknowledged", ("how", &how), ("who", &loan.acknowledged_by)).into_owned()
    };
    LoanLine {
        href: actor.is_staff().then(|| format!("/loans/{}", loan.id)),
        ticket_href: format!("/tickets/{}", loan.ticket_number),
        ticket: loan.ticket_number.to_string(),
        status_code,
        status: texts.word("loan-status", status_code).into_owned(),
        loaner: loan.loaner_machine.clone(),
        loaner_tag: loan.loaner_tag.clone(),
        loaner_href: machine(loan.loaner_ci_id),
        original: loan.original_machine.clone(),
        original_tag: loan.original_tag.clone(),
        original_href: loan.original_ci_id.and_then(machine),
        borrower: loan.borrower_name.clone(),
        organisation: loan.organisation_name.clone(),
        expected: Stamp::day(texts, lens.zone, loan.expected_at),
        out: loan.out_at.map(|at| Stamp::day(texts, lens.zone, at)),
        back: loan.back_at.map(|at| Stamp::day(texts, lens.zone, at)),
        condition_out: loan.condition_out.clone(),
        condition_back: loan.condition_back.clone(),
        acknowledged,
        note: loan.note.clone(),
    }
}

/// A loan for tests.
#[cfg(test)]
pub(crate) fn a_loan() -> Loan {
    use crate::kernel::id::{CiId, LoanId, OrganisationId, PersonId};
    use crate::kernel::time::UtcMicros;
    let id = uuid::Uuid::from_u128;
    let at = UtcMicros::from_seconds(1_795_000_000);
    Loan {
        id: LoanId::from(id(1)),
        ticket_number: "I202611_0042".parse().expect("number"),
        organisation_id: OrganisationId::from(id(2)),
        organisation_name: "Acme SA".into(),
        time_zone: "Europe/Paris".into(),
        borrower_id: PersonId::from(id(3)),
        borrower_name: "Camille Roussel".into(),
        original_ci_id: Some(CiId::from(id(4))),
        original_tag: "PC-004217".into(),
        original_machine: "Dell Inc. Latitude 5420".into(),
        loaner_ci_id: CiId::from(id(5)),
        loaner_tag: "PRET-07".into(),
        loaner_machine: "Dell Inc. Latitude 5430".into(),
        status: loans::LoanStatus::Out,
        expected_at: UtcMicros::from_seconds(1_795_600_000),
        condition_out: "Neuf, avec sacoche et chargeur".into(),
        condition_back: String::new(),
        acknowledged: "signature".into(),
        acknowledged_by: "Nadia Lefèvre".into(),
        note: String::new(),
        sequence: 1,
        created_at: at,
        out_at: Some(at),
        back_at: None,
        overdue_at: None,
        updated_at: at,
    }
}
