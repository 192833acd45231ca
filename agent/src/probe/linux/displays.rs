//! Connected displays, from the EDID that the kernel's graphics drivers keep for each connector.

use parc_wire::v1::{DisplayItem, ProblemKind};

use super::edid::{self, Edid};
use super::{Failure, Probed};
use crate::root::{ReadError, Root};

const CONNECTORS: &str = "/sys/class/drm";
/// Entries of that folder: cards and connectors.
const ENTRIES_MAX: usize = 512;
/// A base block and 255 extensions.
const EDID_BYTES_MAX: u64 = 32 * 1024;

/// Reads the DISPLAYS section.
pub(super) fn run(root: &Root) -> Result<Probed, Failure> {
    let listing = root.list_dir(CONNECTORS, ENTRIES_MAX).map_err(|error| match error {
        ReadError::Absent => {
            let reason =
                "The kernel of this machine knows no graphics connector, so displays cannot be known.";
            Failure::new(ProblemKind::Absent, CONNECTORS, reason)
        }
        other => Failure::reading(CONNECTORS, "displays", &other),
    })?;
    let mut probed = Probed::default();
    let connectors: Vec<(&str, &str)> = listing.names.iter().filter_map(|it| split(it)).collect();
    for (card, connector) in &connectors {
        let folder = format!("{CONNECTORS}/{card}-{connector}");
        if root.attribute(&format!("{folder}/status")).as_deref() != Some("connected") {
            continue;
        }
        let twins = connectors.iter().filter(|it| it.1 == *connector).count();
        let key = if twins == 1 { (*connector).to_owned() } else { format!("{card}-{connector}") };
        let edid = read(root, &folder, connector, &mut probed);
        let item = item(&mut probed, edid, connector);
        probed.put(&key, &item);
    }
    Ok(probed)
}

/// `card0-HDMI-A-1` is connector `HDMI-A-1` of a card whose number changes from boot to boot.
fn split(entry: &str) -> Option<(&str, &str)> {
    let (card, connector) = entry.split_once('-')?;
    card.starts_with("card").then_some((card, connector))
}

/// A connected display without a usable EDID is listed all the same, with a problem.
fn read(root: &Root, folder: &str, connector: &str, probed: &mut Probed) -> Edid {
    let path = format!("{folder}/edid");
    let bytes = root.read_bytes(&path, EDID_BYTES_MAX).unwrap_or_default();
    if bytes.is_empty() {
        let reason = format!("The display on {connector} does not say what it is.");
        probed.problem(Failure::new(ProblemKind::Absent, &path, reason));
        return Edid::default();
    }
    match edid::parse(&bytes) {
        Ok(edid) => {
            if !edid.intact {
                let reason = format!("The data of the display on {connector} were damaged on their way.");
                probed.problem(Failure::new(ProblemKind::Malformed, &path, reason));
            }
            edid
        }
        Err(error) => {
            let reason = format!("The data of the display on {connector} are {error}.");
            probed.problem(Failure::new(ProblemKind::Malformed, &path, reason));
            Edid::default()
        }
    }
}

fn item(probed: &mut Probed, edid: Edid, connector: &str) -> DisplayItem {
    DisplayItem {
        manufacturer: edid.manufacturer,
        model: probed.text(&edid.model),
        serial: probed.text(&edid.serial),
        year: edid.year,
        week: edid.week,
        width_px: edid.width_px,
        height_px: edid.height_px,
        diagonal_mm: edid.diagonal_mm,
        internal: ["eDP", "LVDS", "DSI"].iter().any(|it| connector.starts_with(it)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_are_told_from_their_connectors() {
        assert_eq!(split("card0-HDMI-A-1"), Some(("card0", "HDMI-A-1")));
        assert_eq!(split("card0"), None);
        assert_eq!(split("renderD128"), None);
        assert_eq!(split("version-1"), None);
    }

    #[test]
    fn the_panel_of_a_laptop_is_internal() {
        assert!(item(&mut Probed::default(), Edid::default(), "eDP-1").internal);
        assert!(!item(&mut Probed::default(), Edid::default(), "DP-1").internal);
    }
}
