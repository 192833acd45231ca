//! Physical disks: the whole block devices that have a device behind them.
//!
//! A block device below `/sys/class/block` is a disk of this machine when it has a `device` link and is no
//! partition. That rule alone leaves out what the kernel builds in software: loop, ram, zram, device mapper
//! and md members' arrays. Boot partitions of eMMC, hidden `NVMe` paths, floppies and empty card readers are
//! left out as well.

use parc_wire::v1::StorageItem;

use super::{Failure, Probed};
use crate::root::Root;

const BLOCK: &str = "/sys/class/block";
/// A storage server with partitions on 500 disks stays below.
const BLOCK_DEVICES_MAX: usize = 4096;
const UDEV_BYTES_MAX: u64 = 64 * 1024;
const VPD_BYTES_MAX: u64 = 256;
const SECTOR_BYTES: u64 = 512;
const MIB: u64 = 1024 * 1024;

/// Where the disk is attached, from its path below `/sys/devices`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Interface {
    Nvme,
    Mmc,
    Usb,
    Virtio,
    Xen,
    HyperV,
    Sata,
    Scsi,
}

/// Reads the STORAGE section.
pub(super) fn run(root: &Root) -> Result<Probed, Failure> {
    let listing =
        root.list_dir(BLOCK, BLOCK_DEVICES_MAX).map_err(|error| Failure::reading(BLOCK, "disks", &error))?;
    let mut probed = Probed::default();
    for name in &listing.names {
        if is_disk(root, name) {
            let item = disk(root, name, &mut probed);
            if item.size_mib > 0 || item.kind == "optical" {
                probed.put(name, &item);
            }
        }
    }
    Ok(probed)
}

fn is_disk(root: &Root, name: &str) -> bool {
    let folder = format!("{BLOCK}/{name}");
    let left_out = name.starts_with("fd") || name.contains("boot") || name.contains("rpmb");
    !left_out
        && root.exists(&format!("{folder}/device"))
        && !root.exists(&format!("{folder}/partition"))
        && root.number::<u8>(&format!("{folder}/hidden")).unwrap_or(0) == 0
}

fn disk(root: &Root, name: &str, probed: &mut Probed) -> StorageItem {
    let folder = format!("{BLOCK}/{name}");
    let attribute = |path: &str| root.attribute(&format!("{folder}/{path}")).unwrap_or_default();
    let udev = udev_properties(root, &attribute("dev"));
    let path = root.canonical(&folder).unwrap_or_default();
    let interface = interface(name, &path);
    let flag = |path: &str| attribute(path) == "1";
    let model = model(&attribute("device/vendor"), &attribute("device/model"), &attribute("device/name"));
    let removable = flag("removable") || interface == Interface::Usb;
    let sectors: u64 = attribute("size").parse().unwrap_or(0);
    StorageItem {
        serial: probed.text(&serial(root, &folder, property(&udev, "ID_SERIAL_SHORT"))),
        firmware: probed.version(
            [attribute("device/firmware_rev"), attribute("device/fwrev"), attribute("device/rev")]
                .iter()
                .find(|it| !it.is_empty())
                .map_or("", String::as_str),
        ),
        size_mib: sectors.saturating_mul(SECTOR_BYTES) / MIB,
        kind: kind(name, interface, &model, flag("queue/rotational"), &attribute("device/type")).into(),
        interface: interface_in_words(interface).into(),
        removable,
        wwn: probed.text(&wwn(&[
            attribute("wwid"),
            attribute("device/wwid"),
            property(&udev, "ID_WWN").unwrap_or_default().to_owned(),
        ])),
        model: probed.text(&model),
    }
}

/// `E:KEY=VALUE` lines of udev's database; empty when udev does not run.
fn udev_properties(root: &Root, major_minor: &str) -> String {
    root.read_text(&format!("/run/udev/data/b{major_minor}"), UDEV_BYTES_MAX).unwrap_or_default()
}

fn property<'a>(udev: &'a str, key: &str) -> Option<&'a str> {
    udev.lines().find_map(|it| it.strip_prefix("E:")?.strip_prefix(key)?.strip_prefix('=')).map(str::trim)
}

/// The kernel's own attributes first, then what udev asked the disk, then the SCSI pages.
fn serial(root: &Root, folder: &str, udev: Option<&str>) -> String {
    let attribute = |path: &str| root.attribute(&format!("{folder}/{path}"));
    let vpd = || root.read_bytes(&format!("{folder}/device/vpd_pg80"), VPD_BYTES_MAX).ok();
    attribute("serial")
        .or_else(|| attribute("device/serial"))
        .or_else(|| udev.filter(|it| !it.is_empty()).map(str::to_owned))
        .or_else(|| vpd().and_then(|page| vpd_serial(&page)))
        .or_else(|| attribute("device/wwid").and_then(|it| t10_serial(&it)))
        .unwrap_or_default()
}

/// SCSI vital product data, page 80h: four header bytes, then the serial in ASCII.
fn vpd_serial(page: &[u8]) -> Option<String> {
    let length = usize::from(u16::from_be_bytes([*page.get(2)?, *page.get(3)?]));
    let text = page.get(4..)?;
    let text = String::from_utf8_lossy(text.get(..length).unwrap_or(text)).trim().to_owned();
    (page.get(1) == Some(&0x80) && !text.is_empty()).then_some(text)
}

/// `t10.ATA     MODEL                    SERIAL`: the last word is the serial.
fn t10_serial(wwid: &str) -> Option<String> {
    let words = wwid.strip_prefix("t10.ATA")?;
    let (_, serial) = words.trim().rsplit_once(' ')?;
    Some(serial.to_owned())
}

/// World-wide names look like `naa.5…`, `eui.…` or `0x5…`; other ids are not world-wide.
fn wwn(candidates: &[String]) -> String {
    let is_wwn =
        |it: &&String| ["naa.", "eui.", "0x", "nvme.", "uuid."].iter().any(|prefix| it.starts_with(prefix));
    candidates.iter().find(is_wwn).cloned().unwrap_or_default()
}

/// SCSI vendors are a word of their own, "ATA" says nothing, and virtio's vendor is a PCI number.
fn model(vendor: &str, model: &str, mmc_name: &str) -> String {
    if model.is_empty() {
        return mmc_name.to_owned();
    }
    let says_nothing = vendor.is_empty() || vendor == "ATA" || vendor == "USB" || vendor.starts_with("0x");
    if says_nothing || model.to_ascii_lowercase().starts_with(&vendor.to_ascii_lowercase()) {
        return model.to_owned();
    }
    format!("{vendor} {model}")
}

fn interface(name: &str, path: &str) -> Interface {
    let has = |part: &str| path.split('/').any(|it| it.starts_with(part));
    if name.starts_with("nvme") {
        Interface::Nvme
    } else if name.starts_with("mmcblk") {
        Interface::Mmc
    } else if has("usb") {
        Interface::Usb
    } else if name.starts_with("vd") || has("virtio") {
        Interface::Virtio
    } else if name.starts_with("xvd") || has("vbd-") {
        Interface::Xen
    } else if has("VMBUS") || has("vmbus") {
        Interface::HyperV
    } else if has("ata") {
        Interface::Sata
    } else {
        Interface::Scsi
    }
}

fn interface_in_words(interface: Interface) -> &'static str {
    match interface {
        Interface::Nvme => "nvme",
        Interface::Mmc => "mmc",
        Interface::Usb => "usb",
        Interface::Virtio => "virtio",
        Interface::Xen => "xen",
        Interface::HyperV => "hyperv",
        Interface::Sata => "sata",
        Interface::Scsi => "scsi",
    }
}

/// USB sticks call themselves rotating, so what is on USB is only called an SSD when it says so.
fn kind(name: &str, interface: Interface, model: &str, rotates: bool, mmc_type: &str) -> &'static str {
    const VIRTUAL_MODELS: [&str; 5] = ["QEMU", "VMware", "VBOX", "Msft", "Virtual"];
    if name.starts_with("sr") {
        return "optical";
    }
    let is_virtual = VIRTUAL_MODELS.iter().any(|it| model.contains(it));
    match interface {
        Interface::Virtio | Interface::Xen | Interface::HyperV => "virtual",
        _ if is_virtual => "virtual",
        Interface::Nvme => "nvme",
        Interface::Mmc if mmc_type == "SD" => "sd-card",
        Interface::Mmc => "emmc",
        Interface::Usb if rotates => "usb",
        Interface::Usb | Interface::Sata | Interface::Scsi if !rotates => "ssd",
        Interface::Usb | Interface::Sata | Interface::Scsi => "hdd",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_disk_tells_its_interface() {
        let sata = "/sys/devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda";
        let usb = "/sys/devices/pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host1/target1:0:0/1:0:0:0/block/sdb";
        assert_eq!(interface("sda", sata), Interface::Sata);
        assert_eq!(interface("sdb", usb), Interface::Usb);
        assert_eq!(interface("nvme0n1", ""), Interface::Nvme);
        assert_eq!(interface("vda", ""), Interface::Virtio);
        assert_eq!(interface("sda", "/sys/devices/x/host0/block/sda"), Interface::Scsi);
    }

    #[test]
    fn disks_are_told_apart_by_what_they_are_made_of() {
        assert_eq!(kind("sda", Interface::Sata, "Samsung SSD 860", false, ""), "ssd");
        assert_eq!(kind("sda", Interface::Sata, "WDC WD10EZEX", true, ""), "hdd");
        assert_eq!(kind("sda", Interface::Scsi, "QEMU HARDDISK", true, ""), "virtual");
        assert_eq!(kind("sr0", Interface::Sata, "DVD-RW", true, ""), "optical");
        assert_eq!(kind("sdb", Interface::Usb, "SanDisk Ultra", true, ""), "usb");
        assert_eq!(kind("mmcblk0", Interface::Mmc, "", false, "MMC"), "emmc");
    }

    #[test]
    fn vendors_are_named_once_and_only_when_they_say_something() {
        assert_eq!(model("ATA", "Samsung SSD 860", ""), "Samsung SSD 860");
        assert_eq!(model("SEAGATE", "ST1000NM0033", ""), "SEAGATE ST1000NM0033");
        assert_eq!(model("SanDisk", "SanDisk Ultra", ""), "SanDisk Ultra");
        assert_eq!(model("0x1af4", "", ""), "");
        assert_eq!(model("", "", "DF4064"), "DF4064");
    }

    #[test]
    fn serials_are_found_in_scsi_pages_and_identifiers() {
        assert_eq!(vpd_serial(b"\0\x80\0\x0c   WD-WX41A1").as_deref(), Some("WD-WX41A1"));
        assert_eq!(vpd_serial(b"\0\x80\xff\xffABC").as_deref(), Some("ABC"));
        assert_eq!(vpd_serial(b"\0\x83\0\x03ABC"), None);
        assert_eq!(vpd_serial(b"\0"), None);
        assert_eq!(
            t10_serial("t10.ATA     Samsung SSD 860 EVO 500GB   S3Z2NB0K1").as_deref(),
            Some("S3Z2NB0K1")
        );
        assert_eq!(t10_serial("naa.5000c500"), None);
    }

    #[test]
    fn udev_properties_are_found_by_their_whole_name() {
        let udev = "S:disk/by-id/x\nE:ID_SERIAL=Model_ABC\nE:ID_SERIAL_SHORT=ABC\n";
        assert_eq!(property(udev, "ID_SERIAL_SHORT"), Some("ABC"));
        assert_eq!(property(udev, "ID_SERIAL"), Some("Model_ABC"));
        assert_eq!(property(udev, "ID_WWN"), None);
    }

    #[test]
    fn only_world_wide_names_are_one() {
        assert_eq!(wwn(&["t10.ATA x".into(), "naa.5000c500a1b2c3d4".into()]), "naa.5000c500a1b2c3d4");
        assert_eq!(wwn(&[String::new()]), "");
    }
}
