//! What an invented machine is made of. Everything is public data with a sensible default, so that a
//! story states only what it is about.

use std::io;
use std::path::Path;

use crate::tree;

/// A machine.
#[derive(Clone, Debug)]
pub struct Workstation {
    /// Host name, with or without domain.
    pub hostname: String,
    /// What the firmware says; nothing: a virtual machine without SMBIOS.
    pub firmware: Option<Firmware>,
    /// The processor's name as the kernel prints it.
    pub cpu: String,
    /// Cores of the one processor; each runs two threads.
    pub cores: u32,
    /// Memory slots; an empty one is `None`.
    pub memory: Vec<Option<Module>>,
    /// Physical disks.
    pub disks: Vec<Disk>,
    /// Mounted volumes.
    pub volumes: Vec<Volume>,
    /// Network interfaces.
    pub interfaces: Vec<Interface>,
    /// Connected screens.
    pub screens: Vec<Screen>,
    /// The operating system.
    pub system: System,
    /// Installed Debian packages.
    pub packages: Vec<Package>,
    /// The operating system's machine id, 32 hexadecimal digits.
    pub machine_id: String,
    /// When the operating system was installed, seconds since 1970.
    pub installed_at_s: u64,
    /// When it was started, seconds since 1970.
    pub booted_at_s: i64,
}

/// SMBIOS types 0 to 3.
#[derive(Clone, Debug)]
pub struct Firmware {
    /// Type 1.
    pub manufacturer: String,
    /// Type 1.
    pub product: String,
    /// Type 1.
    pub serial: String,
    /// Type 1, 16 bytes as printed.
    pub uuid: [u8; 16],
    /// Type 3, what the sticker may say.
    pub asset_tag: String,
    /// Type 3.
    pub chassis: Chassis,
    /// Type 2.
    pub board_serial: String,
    /// Type 0.
    pub bios_version: String,
}

/// SMBIOS type 3, offset 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chassis {
    /// 0x03
    Desktop = 0x03,
    /// 0x07
    Tower = 0x07,
    /// 0x0A
    Notebook = 0x0A,
    /// 0x17
    RackServer = 0x17,
}

/// A memory module.
#[derive(Clone, Debug)]
pub struct Module {
    /// Size.
    pub size_mib: u32,
    /// Maker.
    pub manufacturer: String,
    /// Part number.
    pub part_number: String,
    /// Serial number.
    pub serial: String,
}

/// A physical disk.
#[derive(Clone, Debug)]
pub struct Disk {
    /// Kernel name: `nvme0n1`, `sda`.
    pub name: String,
    /// Model.
    pub model: String,
    /// Serial number.
    pub serial: String,
    /// Size.
    pub size_gib: u64,
    /// Kind.
    pub kind: DiskKind,
}

/// How a disk is attached and what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskKind {
    /// On the PCI bus.
    Nvme,
    /// SATA, no moving parts.
    Ssd,
    /// SATA, rotating.
    Hdd,
}

/// A mounted volume.
#[derive(Clone, Debug)]
pub struct Volume {
    /// Where.
    pub mount_point: String,
    /// What, `/dev/nvme0n1p2`.
    pub device: String,
    /// `ext4`, `xfs`…
    pub filesystem: String,
    /// Size.
    pub size_gib: u64,
    /// Free.
    pub free_gib: u64,
}

/// A network interface with a device behind it.
#[derive(Clone, Debug)]
pub struct Interface {
    /// Kernel name.
    pub name: String,
    /// MAC address, lower case with colons.
    pub mac: String,
    /// Its address in a /24 network, whose first address is the gateway.
    pub ipv4: [u8; 4],
}

/// A screen.
#[derive(Clone, Debug)]
pub struct Screen {
    /// Connector: `eDP-1`, `DP-1`.
    pub connector: String,
    /// Three capital letters.
    pub manufacturer: String,
    /// Name, at most 13 characters.
    pub model: String,
    /// Serial, at most 13 characters.
    pub serial: String,
    /// Native width and height.
    pub pixels: (u16, u16),
    /// Image width and height, millimetres.
    pub size_mm: (u16, u16),
    /// Year of manufacture, 1990 to 2245.
    pub year: u16,
}

/// The operating system.
#[derive(Clone, Debug)]
pub struct System {
    /// `NAME` of os-release.
    pub name: String,
    /// `VERSION_ID` of os-release.
    pub version: String,
    /// Kernel release.
    pub kernel: String,
}

/// An installed Debian package.
#[derive(Clone, Debug)]
pub struct Package {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Maintainer.
    pub maintainer: String,
}

impl Package {
    /// A package by name and version.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self { name: name.into(), version: version.into(), maintainer: "Invented Packages".into() }
    }
}

impl Module {
    /// A DDR4 module with a serial number.
    pub fn new(size_mib: u32, serial: impl Into<String>) -> Self {
        Self {
            size_mib,
            manufacturer: "Samsung".into(),
            part_number: "M471A1K43EB1-CWE".into(),
            serial: serial.into(),
        }
    }
}

impl Workstation {
    /// An ordinary laptop. `number` makes every identifier its own.
    pub fn laptop(number: u32) -> Self {
        let [_, a, b, c] = number.to_be_bytes();
        let mut uuid = *b"\x4c\x4c\x45\x44\x00\x42\x35\x10\x80\x54\xb4\xc0\x4f\x00\x00\x00";
        uuid[13..].copy_from_slice(&[a, b, c]);
        Self {
            hostname: format!("pc-{number:05}"),
            firmware: Some(Firmware {
                manufacturer: "Dell Inc.".into(),
                product: "Latitude 5420".into(),
                serial: format!("7XK{number:04X}"),
                uuid,
                asset_tag: String::new(),
                chassis: Chassis::Notebook,
                board_serial: format!("/7XK{number:04X}/CNWS20026{number:04}/"),
                bios_version: "1.38.1".into(),
            }),
            cpu: "11th Gen Intel(R) Core(TM) i5-1145G7 @ 2.60GHz".into(),
            cores: 4,
            memory: vec![Some(Module::new(8_192, format!("{:08X}", 0x4100_0000 + number))), None],
            disks: vec![Disk {
                name: "nvme0n1".into(),
                model: "PM991a NVMe Samsung 512GB".into(),
                serial: format!("S660NX0R{number:06}"),
                size_gib: 477,
                kind: DiskKind::Nvme,
            }],
            volumes: vec![Volume {
                mount_point: "/".into(),
                device: "/dev/nvme0n1p2".into(),
                filesystem: "ext4".into(),
                size_gib: 467,
                free_gib: 290,
            }],
            interfaces: vec![Interface {
                name: "enp0s31f6".into(),
                mac: format!("a4:bb:6d:{a:02x}:{b:02x}:{c:02x}"),
                ipv4: [192, 0, 2, 10 + c % 200],
            }],
            screens: vec![Screen {
                connector: "eDP-1".into(),
                manufacturer: "AUO".into(),
                model: "B140HAN04.0".into(),
                serial: String::new(),
                pixels: (1920, 1080),
                size_mm: (309, 174),
                year: 2021,
            }],
            system: System {
                name: "Ubuntu".into(),
                version: "24.04".into(),
                kernel: "6.8.0-48-generic".into(),
            },
            packages: vec![
                Package::new("firefox", "131.0.3"),
                Package::new("libreoffice-writer", "4:24.2.6"),
                Package::new("openssh-client", "1:9.6p1"),
                Package::new("thunderbird", "1:128.4.0"),
                Package::new("vlc", "3.0.20"),
            ],
            machine_id: format!("{:032x}", 0x00d1_2c0f_fee0_0000_u128 << 64 | u128::from(number)),
            installed_at_s: 1_700_000_000 + u64::from(number) * 61,
            booted_at_s: 1_795_000_000 + i64::from(number) * 61,
        }
    }

    /// The same firmware with other words; a machine without firmware stays without.
    #[must_use]
    pub fn with_firmware(mut self, change: impl FnOnce(&mut Firmware)) -> Self {
        if let Some(firmware) = &mut self.firmware {
            change(firmware);
        }
        self
    }

    /// With a tag burned into the chassis.
    #[must_use]
    pub fn with_chassis_tag(self, tag: &str) -> Self {
        self.with_firmware(|it| it.asset_tag = tag.into())
    }

    /// With one more package, or another version of one it has.
    #[must_use]
    pub fn with_package(mut self, name: &str, version: &str) -> Self {
        self.packages.retain(|it| it.name != name);
        self.packages.push(Package::new(name, version));
        self
    }

    /// Lays the machine out below `root`, replacing what an earlier call wrote there.
    ///
    /// # Errors
    /// When a file or folder cannot be written.
    pub fn write_to(&self, root: &Path) -> io::Result<()> {
        tree::write(self, root)
    }
}
