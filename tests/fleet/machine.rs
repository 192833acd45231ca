//! One simulated machine: what it is, its identity, and what the collector last acknowledged.

use std::net::Ipv4Addr;

use parc_acceptance::wire::{Identity, Section, contact, full_contact};
use parc_wire::digest::Digest;
use parc_wire::v1::{
    AssetTagItem, ContactRequest, CpuItem, Evidence, Item, MemoryItem, NetworkItem, OsItem, SectionChange,
    SectionKind, StorageItem, SystemItem, TagSource, VolumeItem,
};
use prost::Message;

use crate::catalogue::{Seeded, title, titles};

/// Titles that change between two reports of the mode "changed".
const TITLES_CHANGED: usize = 5;

/// A machine from a seed.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) number: u32,
    pub(crate) identity: Option<Identity>,
    sections: Vec<Section>,
    seq: u64,
    random: Seeded,
}

impl Machine {
    pub(crate) fn new(number: u32, title_count: usize) -> Self {
        let mut random = Seeded::new(number.into());
        let sections = sections(number, title_count, &mut random);
        Self { number, identity: None, sections, seq: 1, random }
    }

    /// Its asset tag.
    pub(crate) fn tag(&self) -> String {
        format!("SIM-{:06}", self.number)
    }

    /// An address of its own in the loopback network.
    pub(crate) fn address(&self) -> Ipv4Addr {
        let [_, a, b, c] = (self.number + 0x0001_0000).to_be_bytes();
        Ipv4Addr::new(127, a, b, c)
    }

    /// Identifiers for the enrollment.
    pub(crate) fn evidence(&self) -> Evidence {
        Evidence {
            smbios_uuid: format!("4c4c4544-0051-5810-8037-b5{:010x}", self.number),
            system_serial: serial(self.number),
            macs: vec![mac(self.number)],
            disk_serials: vec![disk_serial(self.number)],
            ..Evidence::default()
        }
    }

    fn epoch(&self) -> u64 {
        u64::from(self.number) + 1
    }

    /// Everything, as after the enrollment.
    pub(crate) fn full(&self) -> ContactRequest {
        full_contact(self.epoch(), self.seq, &self.sections)
    }

    /// Digests only: a new report of the same state.
    pub(crate) fn unchanged(&mut self) -> ContactRequest {
        self.seq += 1;
        contact(self.epoch(), self.seq, &self.sections, Vec::new())
    }

    /// The next state: a few titles in another version, as a change against the acknowledged one.
    pub(crate) fn changed(&mut self) -> ContactRequest {
        self.seq += 1;
        let software = self.sections.iter_mut().find(|it| it.kind == SectionKind::Software);
        let Some(software) = software else { return self.full() };
        let base: Digest = software.digest();
        let mut put = Vec::new();
        for _ in 0..TITLES_CHANGED {
            let count = u64::try_from(software.items.len()).unwrap_or(1);
            let at = usize::try_from(self.random.below(count)).unwrap_or(0);
            let item = &mut software.items[at];
            let rank = item.key.split(['-', ':']).find_map(|it| it.parse().ok()).unwrap_or(1);
            let (key, message) = title(rank, 10 + self.seq);
            *item = Item { key, body: message.encode_to_vec() };
            put.retain(|it: &Item| it.key != item.key);
            put.push(item.clone());
        }
        let kind = SectionKind::Software.into();
        let change = SectionChange { kind, base_digest: base.to_vec(), put, drop: Vec::new() };
        contact(self.epoch(), self.seq, &self.sections, vec![change])
    }
}

fn serial(number: u32) -> String {
    format!("7SIM{number:06}")
}

fn mac(number: u32) -> String {
    let [_, a, b, c] = number.to_be_bytes();
    format!("a4:bb:6d:{a:02x}:{b:02x}:{c:02x}")
}

fn disk_serial(number: u32) -> String {
    format!("S676NX0R{number:06}")
}

fn sections(number: u32, title_count: usize, random: &mut Seeded) -> Vec<Section> {
    let mut sections = hardware(number, random);
    sections.extend(system(number));
    sections.push(Section::of(SectionKind::Software, titles(random, title_count)));
    sections
}

fn hardware(number: u32, random: &mut Seeded) -> Vec<Section> {
    let one = |key: &str| key.to_owned();
    let models =
        [("Dell Inc.", "Latitude 5420"), ("LENOVO", "ThinkPad T14 Gen 3"), ("HP", "EliteBook 840 G9")];
    let (make, model) = models[usize::try_from(random.below(3)).unwrap_or(0)];
    let memory_mib = 8_192 << random.below(3);
    let system = SystemItem {
        manufacturer: make.into(),
        product: model.into(),
        serial: serial(number),
        uuid: format!("4c4c4544-0051-5810-8037-b5{number:010x}"),
        chassis_type: "laptop".into(),
        ..SystemItem::default()
    };
    let cpu = CpuItem {
        model: "11th Gen Intel(R) Core(TM) i5-1145G7".into(),
        cores: 4,
        threads: 8,
        max_mhz: 4400,
        ..CpuItem::default()
    };
    let total = MemoryItem { size_mib: memory_mib, slots: 2, ..MemoryItem::default() };
    let module = MemoryItem {
        size_mib: memory_mib,
        kind: "DDR4".into(),
        slot: "DIMM A".into(),
        serial: format!("{number:08X}"),
        ..MemoryItem::default()
    };
    let disk = StorageItem {
        model: "PM9A1 NVMe".into(),
        serial: disk_serial(number),
        size_mib: 488_386,
        kind: "nvme".into(),
        interface: "nvme".into(),
        ..StorageItem::default()
    };
    let volume = VolumeItem {
        device: "/dev/nvme0n1p2".into(),
        filesystem: "ext4".into(),
        size_mib: 477_000,
        free_mib: 200_000,
        system: true,
        free_known: true,
        ..VolumeItem::default()
    };
    vec![
        Section::of(SectionKind::System, [(one("system"), system)]),
        Section::of(SectionKind::Cpu, [(one("cpu0"), cpu)]),
        Section::of(SectionKind::Memory, [(one("total"), total), (one("slot0"), module)]),
        Section::of(SectionKind::Storage, [(one("nvme0n1"), disk)]),
        Section::of(SectionKind::Volumes, [(one("/"), volume)]),
    ]
}

/// Network, operating system and tag.
fn system(number: u32) -> [Section; 3] {
    let one = |key: &str| key.to_owned();
    let network = NetworkItem {
        mac: mac(number),
        ipv4: vec!["192.0.2.15/24".into()],
        up: true,
        kind: "ethernet".into(),
        permanent_mac: true,
        ..NetworkItem::default()
    };
    let os = OsItem {
        hostname: format!("sim-{number:06}"),
        family: "linux".into(),
        name: "Debian GNU/Linux".into(),
        version: "12".into(),
        kernel: "6.1.0-32-amd64".into(),
        architecture: "x86_64".into(),
        ..OsItem::default()
    };
    let tag = AssetTagItem { tag: format!("SIM-{number:06}"), source: TagSource::Configuration.into() };
    [
        Section::of(SectionKind::Network, [(one("eno1"), network)]),
        Section::of(SectionKind::Os, [(one("os"), os)]),
        Section::of(SectionKind::AssetTag, [(one("tag"), tag)]),
    ]
}
