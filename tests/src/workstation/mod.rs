//! A captured workstation: what its firmware, kernel and package manager say, as a tree of files that
//! the agent reads with `--root`. Everything in it is composed here; nothing is a copy of a real machine.

mod edid;
mod kernel;
mod smbios;

use std::fs;
use std::path::Path;

/// A memory module in its slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// Locator printed on the board.
    pub slot: String,
    /// Size; 0 for an empty slot.
    pub size_mib: u16,
    /// Serial number.
    pub serial: String,
}

/// A solid-state disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    /// Model name.
    pub model: String,
    /// Serial number.
    pub serial: String,
    /// Size.
    pub size_gib: u64,
    /// Free space of the one volume on it.
    pub free_gib: u64,
}

/// A monitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Display {
    /// Three letters of the maker.
    pub maker: String,
    /// Name as in the EDID's descriptor, at most 13 bytes.
    pub model: String,
    /// Serial as in the EDID's descriptor, at most 13 bytes.
    pub serial: String,
}

/// A machine, with good values for everything a story does not care about.
#[derive(Clone, Debug)]
pub struct Workstation {
    make: String,
    model: String,
    serial: String,
    uuid: [u8; 16],
    chassis_tag: String,
    firmware: bool,
    hostname: String,
    machine_id: String,
    mac: String,
    cpu: String,
    modules: Vec<Module>,
    disk: Disk,
    display: Option<Display>,
    packages: Vec<(String, String)>,
}

/// The machine of most stories: a laptop whose firmware knows no asset tag.
pub fn a_workstation() -> Workstation {
    Workstation::numbered(1)
}

impl Workstation {
    /// A machine that shares no identifier with one of another number.
    pub fn numbered(number: u32) -> Self {
        let [a, b, c, d] = number.to_be_bytes();
        let module = |slot: &str, at: u8| Module {
            slot: slot.to_owned(),
            size_mib: 8192,
            serial: format!("{:08X}", number.wrapping_mul(2_654_435_761).wrapping_add(at.into())),
        };
        Self {
            make: "Dell Inc.".into(),
            model: "Latitude 5420".into(),
            serial: format!("7HK{number:04}Q"),
            uuid: [0x4c, 0x4c, 0x45, 0x44, a, 0x35, 0x10 ^ b, 0x54, 0x80, c, 0xb4, d, 0x4f, 0x56, 0x44, d ^ 0x5a],
            chassis_tag: String::new(),
            firmware: true,
            hostname: format!("poste-{number:04}"),
            machine_id: format!("{:032x}", u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)),
            mac: format!("a4:bb:6d:{b:02x}:{c:02x}:{d:02x}"),
            cpu: "11th Gen Intel(R) Core(TM) i5-1145G7 @ 2.60GHz".into(),
            modules: vec![module("DIMM A", 1), module("DIMM B", 2)],
            disk: Disk {
                model: "PM9A1 NVMe 512GB".into(),
                serial: format!("S676NX0R{number:06}"),
                size_gib: 477,
                free_gib: 210,
            },
            display: None,
            packages: vec![("bash".into(), "5.2.15-2+b7".into()), ("openssl".into(), "3.0.15-1~deb12u1".into())],
        }
    }

    /// Make and model.
    #[must_use]
    pub fn made_by(mut self, make: &str, model: &str) -> Self {
        (self.make, self.model) = (make.into(), model.into());
        self
    }

    /// Serial number of the system.
    #[must_use]
    pub fn serial(mut self, serial: &str) -> Self {
        self.serial = serial.into();
        self
    }

    /// Asset tag in the chassis record of the firmware.
    #[must_use]
    pub fn chassis_tag(mut self, tag: &str) -> Self {
        self.chassis_tag = tag.into();
        self
    }

    /// No SMBIOS at all, as in many virtual machines.
    #[must_use]
    pub fn without_firmware(mut self) -> Self {
        self.firmware = false;
        self
    }

    /// Host name.
    #[must_use]
    pub fn hostname(mut self, name: &str) -> Self {
        self.hostname = name.into();
        self
    }

    /// A fresh operating system: another machine id, the same hardware.
    #[must_use]
    pub fn installed_anew(mut self) -> Self {
        self.machine_id = self.machine_id.chars().rev().collect();
        self.hostname.push_str("-neuf");
        self
    }

    /// Takes the module out of a slot.
    #[must_use]
    pub fn without_module(mut self, slot: &str) -> Self {
        for module in self.modules.iter_mut().filter(|it| it.slot == slot) {
            module.size_mib = 0;
        }
        self
    }

    /// Another disk in the machine.
    #[must_use]
    pub fn disk(mut self, disk: Disk) -> Self {
        self.disk = disk;
        self
    }

    /// A monitor at the HDMI port.
    #[must_use]
    pub fn display(mut self, display: Display) -> Self {
        self.display = Some(display);
        self
    }

    /// Installs a package, or another version of it.
    #[must_use]
    pub fn package(mut self, name: &str, version: &str) -> Self {
        self.packages.retain(|(it, _)| it != name);
        self.packages.push((name.into(), version.into()));
        self
    }

    /// Removes a package.
    #[must_use]
    pub fn without_package(mut self, name: &str) -> Self {
        self.packages.retain(|(it, _)| it != name);
        self
    }

    /// Its serial number.
    pub fn serial_number(&self) -> &str {
        &self.serial
    }

    /// How many packages are installed.
    pub fn package_count(&self) -> usize {
        self.packages.len()
    }

    /// Memory of all modules.
    pub fn memory_mib(&self) -> u64 {
        self.modules.iter().map(|it| u64::from(it.size_mib)).sum()
    }

    /// Writes the tree.
    pub fn write_to(&self, folder: &Path) {
        let put = |path: &str, content: &[u8]| {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("make a folder of the tree");
            fs::write(path, content).expect("write a file of the tree");
        };
        for (path, content) in self.files() {
            put(&path, &content);
        }
    }

    /// Every file of the tree with its content.
    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = kernel::files(self);
        if self.firmware {
            let table = smbios::table(self);
            files.push(("sys/firmware/dmi/tables/smbios_entry_point".into(), smbios::entry_point(&table)));
            files.push(("sys/firmware/dmi/tables/DMI".into(), table));
        }
        if let Some(display) = &self.display {
            let connector = "sys/class/drm/card0-HDMI-A-1";
            files.push((format!("{connector}/status"), b"connected\n".to_vec()));
            files.push((format!("{connector}/edid"), edid::block(display)));
        }
        files.push(("var/lib/dpkg/status".into(), self.dpkg_status().into_bytes()));
        files
    }

    fn dpkg_status(&self) -> String {
        let stanza = |(name, version): &(String, String)| {
            format!(
                "Package: {name}\nStatus: install ok installed\nPriority: optional\nSection: misc\n\
                 Maintainer: Debian Maintainers <maintainers@example.org>\nArchitecture: amd64\n\
                 Version: {version}\nDescription: {name} for the stories\n of the test suite\n"
            )
        };
        self.packages.iter().map(stanza).collect::<Vec<_>>().join("\n")
    }
}
