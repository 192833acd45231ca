//! The parc as CSV (RFC 4180), page by page: memory stays small whatever the size of the parc.

use std::collections::VecDeque;

use axum::body::Bytes;
use futures_util::stream::{self, Stream};

use crate::api::csv_cell;
use crate::context::Context;
use crate::db::StoreError;
use crate::inventory::api::machine::word;
use crate::inventory::{self, CiFilter, CiSummary};
use crate::kernel::actor::Scope;
use crate::kernel::page::{PAGE_ROWS_MAX, PageRequest};
use crate::kernel::time::UtcMicros;

const HEADER: [&str; 19] = [
    "tag",
    "name",
    "kind",
    "make",
    "model",
    "serial",
    "os",
    "os_version",
    "cpu",
    "memory_mib",
    "disk_mib",
    "organisation",
    "site",
    "location",
    "user",
    "lifecycle",
    "software_count",
    "last_report_at",
    "last_change_at",
];

/// The list the filter finds as CSV. Each page is read on its own, so that a slow reader holds no transaction open.
pub fn asset_csv(
    context: Context,
    scope: Scope,
    filter: CiFilter,
) -> impl Stream<Item = Result<Bytes, StoreError>> + Send {
    let first = PageRequest { after: None, limit: PAGE_ROWS_MAX };
    let header = VecDeque::from([line(HEADER.map(String::from))]);
    let start = Export { context, scope, filter, next: Some(first), ready: header };
    stream::try_unfold(start, |mut export| async move {
        loop {
            if let Some(bytes) = export.ready.pop_front() {
                return Ok(Some((bytes, export)));
            }
            let Some(request) = export.next.take() else {
                return Ok(None);
            };
            export.read(&request).await?;
        }
    })
}

struct Export {
    context: Context,
    scope: Scope,
    filter: CiFilter,
    /// The next page; nothing after the last one.
    next: Option<PageRequest>,
    ready: VecDeque<Bytes>,
}

impl Export {
    async fn read(&mut self, request: &PageRequest) -> Result<(), StoreError> {
        let mut tx = self.context.db.read().await?;
        let page = inventory::list_cis(&mut tx, self.scope, &self.filter, request).await?;
        let lines: Vec<u8> = page.rows.iter().flat_map(|ci| line(cells(ci))).collect();
        self.ready.push_back(lines.into());
        self.next = page.next.map(|it| PageRequest::from_query(Some(&it), Some(PAGE_ROWS_MAX)));
        Ok(())
    }
}

fn cells(ci: &CiSummary) -> [String; HEADER.len()] {
    let moment = |at: Option<UtcMicros>| at.map(UtcMicros::rfc3339).unwrap_or_default();
    [
        csv_cell(ci.tag.as_deref().unwrap_or_default()),
        csv_cell(&ci.name),
        csv_cell(&ci.kind),
        csv_cell(&ci.make),
        csv_cell(&ci.model),
        csv_cell(&ci.serial),
        csv_cell(&ci.os_name),
        csv_cell(&ci.os_version),
        csv_cell(&ci.cpu),
        ci.memory_mib.to_string(),
        ci.disk_mib.to_string(),
        csv_cell(&ci.organisation_name),
        csv_cell(&ci.site_name),
        csv_cell(&ci.location),
        csv_cell(&ci.assigned_to_name),
        word(&ci.lifecycle),
        ci.software_count.to_string(),
        moment(ci.last_contact_at),
        moment(ci.last_change_at),
    ]
}

/// One record with its line end. Writing into memory cannot fail.
fn line<const N: usize>(cells: [String; N]) -> Bytes {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let written = writer.write_record(cells);
    debug_assert!(written.is_ok());
    writer.into_inner().unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_with_separators_and_line_breaks_stays_one_cell() {
        let bytes = line(["a;b,c".to_owned(), "say \"hi\"\r\nthere".to_owned()]);
        assert_eq!(&bytes[..], b"\"a;b,c\",\"say \"\"hi\"\"\r\nthere\"\r\n");
    }
}
