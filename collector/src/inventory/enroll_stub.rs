//! Stand-in until intake recognises machines by their evidence: the serial alone decides.

use parc_wire::v1;

use super::model::{InventoryError, TagPolicy};
use crate::context::Context;
use crate::db::Tx;
use crate::kernel::id::{CiId, OrganisationId, SiteId};
use crate::kernel::text::AssetTag;
use crate::sql;

#[derive(Clone, Debug)]
pub struct EnrollingMachine {
    pub organisation_id: OrganisationId,
    pub site_id: Option<SiteId>,
    pub evidence: v1::Evidence,
    pub claimed_tag: Option<AssetTag>,
    pub tag_policy: TagPolicy,
    pub hostname: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnrolledCi {
    pub ci_id: CiId,
    pub recognised: bool,
}

pub async fn enroll_ci(tx: &mut Tx, context: &Context, machine: EnrollingMachine) -> Result<EnrolledCi, InventoryError> {
    let known: Option<CiId> = sql!(&mut *tx, |conn| sqlx::query_scalar(
        "SELECT id FROM inventory_ci WHERE organisation_id = $1 AND serial = $2 AND serial <> ''"
    )
    .bind(machine.organisation_id)
    .bind(&machine.evidence.system_serial)
    .fetch_optional(conn)
    .await)?;
    if let Some(ci_id) = known {
        return Ok(EnrolledCi { ci_id, recognised: true });
    }
    let ci_id = CiId::generate(context.now(), context.entropy.as_ref());
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO inventory_ci (id, organisation_id, site_id, location, lifecycle, name, kind, make, model, serial, os_name,
           os_version, cpu, memory_mib, disk_mib, software_count, search_key, has_agent, created_at)
         VALUES ($1, $2, $3, '', 'in_use', $4, '', '', '', $5, '', '', '', 0, 0, 0, '', TRUE, $6)"
    )
    .bind(ci_id)
    .bind(machine.organisation_id)
    .bind(machine.site_id)
    .bind(&machine.hostname)
    .bind(&machine.evidence.system_serial)
    .bind(context.now())
    .execute(conn)
    .await
    .map(drop))?;
    Ok(EnrolledCi { ci_id, recognised: false })
}
