//! A ticket with its machine, for a terminal.

use std::fmt::Write as _;

use parc_wire::v1;

use crate::inventory::{DeclaredField, Fact, Machine, SourcedValue};
use crate::kernel::time::Zone;
use crate::tickets::{TicketAsset, TicketView};

/// Width of the column of names.
const LABEL_CHARS: usize = 14;

/// The whole ticket.
pub(super) fn render(view: &TicketView) -> String {
    let ticket = &view.ticket;
    let zone = Zone::named(&ticket.time_zone).unwrap_or_else(Zone::utc);
    let mut text = format!(
        "\nTicket {}  ·  priority P{}  ·  {}\n{}\n{}\n\n",
        ticket.number,
        ticket.priority,
        ticket.state.code(),
        ticket.summary,
        ticket.description,
    );
    line(&mut text, "Requester", &ticket.requester_name);
    line(&mut text, "Typed number", &ticket.inventory_number);
    line(&mut text, "Match", ticket.asset_match.code());
    match view.assets.first() {
        Some(asset) => machine(&mut text, asset, &zone),
        None => text.push_str("\nNo machine is on this ticket.\n"),
    }
    text
}

fn machine(text: &mut String, asset: &TicketAsset, zone: &Zone) {
    let machine = &asset.pinned;
    let _ = writeln!(text, "\nMachine {}  {}", machine.tag.as_deref().unwrap_or("without tag"), machine.name);
    for fact in &machine.facts {
        line(text, label(fact.field), &fact_text(fact, zone));
    }
    line(text, "Site", &machine.site_name);
    line(text, "Location", &machine.location);
    line(text, "Assigned to", &machine.assigned_to_name);
    configuration(text, machine);
    line(text, "Software", &format!("{} packages", machine.software_count));
    if let Some(at) = machine.last_report_at {
        line(text, "Last report", &at.format(zone, "%Y-%m-%d %H:%M:%S"));
    }
    if !machine.problems.is_empty() {
        text.push_str("\nWhat this machine cannot tell\n");
        for problem in &machine.problems {
            let _ = writeln!(text, "  {}", problem.reason);
        }
    }
}

fn configuration(text: &mut String, machine: &Machine) {
    if let Some(system) = &machine.system {
        line(text, "Hypervisor", &system.hypervisor);
        line(text, "Container", &system.container);
    }
    if let Some(os) = &machine.os {
        line(
            text,
            "System",
            &format!("{} {}, kernel {}, {}", os.name, os.version, os.kernel, os.architecture),
        );
    }
    for cpu in &machine.cpus {
        line(text, "CPU", &format!("{}, {} cores, {} threads", cpu.model, cpu.cores, cpu.threads));
    }
    if let Some(total) = &machine.memory_total {
        let used = machine.memory_slots.iter().filter(|it| !it.empty).count();
        let slots =
            if total.slots > 0 { format!(" ({used} of {} slots used)", total.slots) } else { String::new() };
        line(text, "Memory", &format!("{} MiB{slots}", total.size_mib));
    }
    for (name, disk) in &machine.disks {
        line(text, "Disk", &disk_text(name, disk));
    }
    for (mount_point, volume) in &machine.volumes {
        let free =
            if volume.free_known { format!(", {} GiB free", volume.free_mib / 1024) } else { String::new() };
        line(
            text,
            "Volume",
            &format!("{mount_point} {}, {} GiB{free}", volume.filesystem, volume.size_mib / 1024),
        );
    }
    for (name, interface) in machine.networks.iter().filter(|(_, it)| !it.r#virtual) {
        line(text, "Network", &format!("{name} {} {}", interface.mac, interface.ipv4.join(" ")));
    }
    for (connector, screen) in &machine.displays {
        line(
            text,
            "Screen",
            &format!("{connector} {} {}×{}", screen.model, screen.width_px, screen.height_px),
        );
    }
}

/// What is known of a disk; the kernel's name when it has no model.
fn disk_text(name: &str, disk: &v1::StorageItem) -> String {
    let model = if disk.model.is_empty() { name } else { &disk.model };
    let mut text = format!("{model}, {} GiB", disk.size_mib / 1024);
    for (title, value) in [("", &disk.kind), ("serial ", &disk.serial)] {
        if !value.is_empty() {
            let _ = write!(text, ", {title}{value}");
        }
    }
    text
}

/// Both sources when they disagree, so that nobody wonders which one is shown.
fn fact_text(fact: &Fact, zone: &Zone) -> String {
    let with_source = |value: &SourcedValue, how: &str| {
        format!("{}  [{how}: {}, {}]", value.value, value.source, value.at.format(zone, "%Y-%m-%d"))
    };
    let declared = fact.declared.as_ref().map(|it| with_source(it, "declared"));
    let discovered = fact.discovered.as_ref().map(|it| with_source(it, "discovered"));
    match (declared, discovered) {
        (Some(declared), Some(discovered)) if fact.disagrees() => format!("{declared}; {discovered}"),
        (Some(only), _) | (None, Some(only)) => only,
        (None, None) => String::new(),
    }
}

fn label(field: DeclaredField) -> &'static str {
    match field {
        DeclaredField::Make => "Make",
        DeclaredField::Model => "Model",
        DeclaredField::Serial => "Serial",
        DeclaredField::Kind => "Kind",
        DeclaredField::Name => "Name",
        DeclaredField::PurchasedOn => "Purchased on",
        DeclaredField::WarrantyUntil => "Warranty until",
        DeclaredField::Supplier => "Supplier",
        DeclaredField::Comment => "Comment",
    }
}

/// A line of the form; what is not known is said by the problems, not by an empty line.
fn line(text: &mut String, label: &str, value: &str) {
    if !value.is_empty() {
        let _ = writeln!(text, "  {label:<LABEL_CHARS$} {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_says_what_each_of_its_words_is() {
        let disk = v1::StorageItem {
            size_mib: 262_144,
            kind: "virtual".into(),
            serial: "overlayblk".into(),
            ..Default::default()
        };
        assert_eq!(disk_text("vda", &disk), "vda, 256 GiB, virtual, serial overlayblk");
        let disk = v1::StorageItem {
            size_mib: 524_288,
            model: "PM991a".into(),
            kind: "nvme".into(),
            ..Default::default()
        };
        assert_eq!(disk_text("nvme0n1", &disk), "PM991a, 512 GiB, nvme");
    }
}
