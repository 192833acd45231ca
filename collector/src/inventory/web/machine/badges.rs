//! What matters about a machine today. Pure.

use super::grid::{FREE_PERCENT_MIN, free_percent};
use super::{Lens, Standing, hypervisor};
use crate::inventory::{DeclaredField, Lifecycle, Machine};
use crate::kernel::time::{UtcMicros, days};
use crate::web::parts::Badge;
use crate::web::{Stamp, Texts};

/// Days of silence after which a workstation on holiday is told from one in trouble.
const SILENT_DAYS_WARN: u64 = 7;
/// Days of silence after which the configuration is history.
const SILENT_DAYS_DANGER: u64 = 30;

/// What matters today, the worst first.
pub(super) fn badges(lens: Lens<'_>, machine: &Machine, standing: Standing) -> Vec<Badge> {
    let mut all: Vec<Badge> = [
        lifecycle_badge(lens.texts, standing.lifecycle),
        standing.contested.then(|| {
            badge("danger", "conflict", lens.texts.t("badge-contested"), lens.texts.t("badge-contested-hint"))
        }),
        silent_badge(lens, standing),
        fullest_volume_badge(lens, machine),
        warranty_badge(lens, machine),
        hypervisor(machine).map(|name| {
            badge(
                "info",
                "virtual",
                lens.texts.t("badge-virtual"),
                lens.texts.t1("machine-virtual", "hypervisor", name),
            )
        }),
    ]
    .into_iter()
    .flatten()
    .collect();
    all.sort_by_key(|it| ["danger", "warn", "info", "ok", "quiet"].iter().position(|tone| *tone == it.tone));
    all
}

fn badge(tone: &'static str, icon: &'static str, text: impl Into<String>, hint: impl Into<String>) -> Badge {
    Badge { tone, icon, text: text.into(), hint: hint.into() }
}

fn lifecycle_badge(texts: Texts, lifecycle: Lifecycle) -> Option<Badge> {
    let (code, tone, icon) = match lifecycle {
        Lifecycle::InUse => return None,
        Lifecycle::Stock => ("stock", "quiet", "info"),
        Lifecycle::InRepair => ("in_repair", "warn", "wrench"),
        Lifecycle::OnLoan => ("on_loan", "info", "info"),
        Lifecycle::Retired => ("retired", "danger", "danger"),
        Lifecycle::Stolen => ("stolen", "danger", "danger"),
    };
    Some(badge(tone, icon, texts.word("lifecycle", code), ""))
}

fn silent_badge(lens: Lens<'_>, standing: Standing) -> Option<Badge> {
    let texts = lens.texts;
    if !standing.has_agent {
        return Some(badge("quiet", "info", texts.t("badge-no-agent"), texts.t("badge-no-agent-hint")));
    }
    let at = standing.last_contact_at?;
    let silence = lens.now.since(at);
    let tone = match silence {
        it if it > days(SILENT_DAYS_DANGER) => "danger",
        it if it > days(SILENT_DAYS_WARN) => "warn",
        _ => return None,
    };
    let count = i64::try_from(silence.as_secs() / 86_400).unwrap_or(i64::MAX);
    let hint = texts.t1("badge-silent-hint", "date", Stamp::moment(texts, lens.zone, at).text());
    Some(badge(tone, "clock", texts.tn("badge-silent", count), hint))
}

fn fullest_volume_badge(lens: Lens<'_>, machine: &Machine) -> Option<Badge> {
    let (mount, volume) = machine
        .volumes
        .iter()
        .filter(|(_, it)| it.free_known && it.size_mib > 0 && free_percent(it) < FREE_PERCENT_MIN)
        .min_by_key(|(_, it)| free_percent(it))?;
    let percent = free_percent(volume).to_string();
    let hint = lens.texts.t2("badge-disk-full-hint", ("volume", mount), ("percent", &percent));
    Some(badge("danger", "disk", lens.texts.t1("badge-disk-full", "volume", mount), hint))
}

fn warranty_badge(lens: Lens<'_>, machine: &Machine) -> Option<Badge> {
    let until = UtcMicros::parse(machine.text(DeclaredField::WarrantyUntil), lens.zone)?;
    let date = Stamp::day(lens.texts, lens.zone, until).text().to_owned();
    // The last day itself is covered.
    let covered = lens.now < until + days(1);
    let (tone, key) = if covered { ("ok", "badge-warranty") } else { ("warn", "badge-warranty-over") };
    Some(badge(tone, "shield", lens.texts.t1(key, "date", &date), ""))
}
