//! Invented workstations. A [`Workstation`] describes a machine; [`Workstation::write_to`] lays out the
//! files a Linux kernel and distribution would show for it, down to the SMBIOS table and the EDID of each
//! screen, so that the real agent reports it through `--root`. The demonstration parc and the tests
//! are made of these.

mod edid;
mod smbios;
mod tree;
mod workstation;

pub use workstation::{
    Chassis, Disk, DiskKind, Firmware, Interface, Module, Package, Screen, System, Volume, Workstation,
};
