//! What REST shows of the parts of a machine. Field names are a promise to other programs.

use parc_wire::v1;
use serde::Serialize;
use utoipa::ToSchema;

use super::machine::wire_word;

/// A processor.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CpuView {
    /// Model.
    pub model: String,
    /// Cores.
    pub cores: u32,
    /// Threads.
    pub threads: u32,
    /// Highest clock.
    pub max_mhz: u32,
}

/// A memory module.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MemoryModuleView {
    /// As printed on the board.
    pub slot: String,
    /// Size.
    pub size_mib: u64,
    /// `DDR4`…
    pub kind: String,
    /// Mega-transfers per second.
    pub speed_mts: u32,
    /// Who made it.
    pub manufacturer: String,
    /// Part number, to order the same again.
    pub part_number: String,
    /// Serial number.
    pub serial: String,
}

/// A physical disk.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DiskView {
    /// Kernel name.
    pub name: String,
    /// Model.
    pub model: String,
    /// Serial number.
    pub serial: String,
    /// Size.
    pub size_mib: u64,
    /// `ssd`, `hdd`, `nvme`…
    pub kind: String,
}

/// A mounted volume.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct VolumeView {
    /// Where it is mounted.
    pub mount_point: String,
    /// File system.
    pub filesystem: String,
    /// Size.
    pub size_mib: u64,
    /// Free space, if known.
    pub free_mib: Option<u64>,
    /// `luks`, `bitlocker`, `none`, `unknown`…
    pub encryption: String,
}

/// A network interface.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NetworkView {
    /// Name.
    pub name: String,
    /// MAC address.
    pub mac: String,
    /// `ethernet`, `wifi`…
    pub kind: String,
    /// Mbit/s, 0 when not known.
    pub speed_mbps: u32,
    /// No hardware behind it.
    #[serde(rename = "virtual")]
    pub is_virtual: bool,
    /// Is up.
    pub up: bool,
}

/// A display.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DisplayView {
    /// Connector.
    pub connector: String,
    /// Three letters.
    pub manufacturer: String,
    /// Model.
    pub model: String,
    /// Serial number.
    pub serial: String,
    /// Pixels.
    pub width_px: u32,
    /// Pixels.
    pub height_px: u32,
}

impl From<&v1::CpuItem> for CpuView {
    fn from(it: &v1::CpuItem) -> Self {
        Self { model: it.model.clone(), cores: it.cores, threads: it.threads, max_mhz: it.max_mhz }
    }
}

impl From<&v1::MemoryItem> for MemoryModuleView {
    fn from(it: &v1::MemoryItem) -> Self {
        Self {
            slot: it.slot.clone(),
            size_mib: it.size_mib,
            kind: it.kind.clone(),
            speed_mts: it.speed_mts,
            manufacturer: it.manufacturer.clone(),
            part_number: it.part_number.clone(),
            serial: it.serial.clone(),
        }
    }
}

impl From<&(String, v1::StorageItem)> for DiskView {
    fn from((name, it): &(String, v1::StorageItem)) -> Self {
        Self {
            name: name.clone(),
            model: it.model.clone(),
            serial: it.serial.clone(),
            size_mib: it.size_mib,
            kind: it.kind.clone(),
        }
    }
}

impl From<&(String, v1::VolumeItem)> for VolumeView {
    fn from((mount_point, it): &(String, v1::VolumeItem)) -> Self {
        Self {
            mount_point: mount_point.clone(),
            filesystem: it.filesystem.clone(),
            size_mib: it.size_mib,
            free_mib: it.free_known.then_some(it.free_mib),
            encryption: wire_word(it.encryption().as_str_name(), "ENCRYPTION_"),
        }
    }
}

impl From<&(String, v1::NetworkItem)> for NetworkView {
    fn from((name, it): &(String, v1::NetworkItem)) -> Self {
        Self {
            name: name.clone(),
            mac: it.mac.clone(),
            kind: it.kind.clone(),
            speed_mbps: it.speed_mbps,
            is_virtual: it.r#virtual,
            up: it.up,
        }
    }
}

impl From<&(String, v1::DisplayItem)> for DisplayView {
    fn from((connector, it): &(String, v1::DisplayItem)) -> Self {
        Self {
            connector: connector.clone(),
            manufacturer: it.manufacturer.clone(),
            model: it.model.clone(),
            serial: it.serial.clone(),
            width_px: it.width_px,
            height_px: it.height_px,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_space_that_is_not_known_is_not_zero() {
        let volume = ("/".to_owned(), v1::VolumeItem { size_mib: 100, ..v1::VolumeItem::default() });
        let shown = VolumeView::from(&volume);
        assert_eq!(shown.free_mib, None);
        assert_eq!(shown.encryption, "unknown");
    }
}
