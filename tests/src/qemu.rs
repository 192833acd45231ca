//! A virtual workstation with real firmware tables: a Debian kernel under qemu's software emulation, an
//! initial file system with the agent in it, and a network that reaches the collector on this machine.
//!
//! `tests/run` unpacks the kernel and names its folder in [`KERNEL`]; nothing is installed, no root and no
//! KVM are needed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::process::{self, Running, command, program, run};

/// Folder with `boot/vmlinuz-*` and `lib/modules` of a kernel package.
pub const KERNEL: &str = "PARC_TEST_KERNEL";
/// A busybox without shared libraries; `/bin/busybox` when not set.
pub const BUSYBOX: &str = "PARC_TEST_BUSYBOX";
/// When set, a missing kernel or emulator is a failure.
pub const REQUIRE_QEMU: &str = "PARC_TEST_REQUIRE_QEMU";
/// The host as the guest sees it in qemu's user-mode network.
pub const HOST: &str = "10.0.2.2";

const EMULATOR: &str = "qemu-system-x86_64";
/// Boot and one report take five seconds on a quiet machine without KVM.
const BOOT_TIMEOUT: Duration = Duration::from_mins(3);
/// In the order they depend on each other.
const KERNEL_MODULES: [&str; 9] = [
    "virtio_ring",
    "virtio",
    "virtio_pci_legacy_dev",
    "virtio_pci_modern_dev",
    "virtio_pci",
    "failover",
    "net_failover",
    "virtio_net",
    "virtio_blk",
];
/// What the init script prints last.
const DONE: &str = "PARC-WORKSTATION-DONE";

/// What the firmware and the hardware of the guest say.
#[derive(Clone, Debug)]
pub struct Hardware {
    /// SMBIOS type 1.
    pub make: &'static str,
    /// SMBIOS type 1.
    pub model: &'static str,
    /// SMBIOS type 1.
    pub serial: &'static str,
    /// SMBIOS type 1.
    pub uuid: &'static str,
    /// SMBIOS type 3.
    pub chassis_tag: &'static str,
    /// SMBIOS type 17.
    pub module_maker: &'static str,
    /// SMBIOS type 17.
    pub module_part: &'static str,
    /// SMBIOS type 17.
    pub module_serial: &'static str,
    /// Of the virtio disk, at most 20 characters.
    pub disk_serial: &'static str,
    /// Size of the disk.
    pub disk_mib: u64,
    /// Of the virtio network card.
    pub mac: &'static str,
    /// Memory of the guest.
    pub memory_mib: u64,
}

/// Why the virtual workstation cannot be booted here.
fn missing() -> Option<String> {
    if std::env::var_os(KERNEL).is_none() {
        return Some(format!("{KERNEL} is not set, so there is no kernel to boot"));
    }
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .any(|folder| folder.join(EMULATOR).is_file());
    (!found).then(|| format!("{EMULATOR} is not installed"))
}

/// Boots the hardware, runs the agent's commands in it one after the other, and gives everything the
/// guest printed; nothing when there is no emulator or kernel and none is required.
pub async fn boot(hardware: &Hardware, agent_commands: &[String]) -> Option<String> {
    if let Some(reason) = missing() {
        process::leave_out(&reason, REQUIRE_QEMU);
        return None;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let initrd = folder.path().join("initrd");
    fs::write(&initrd, initial_file_system(agent_commands)).expect("write the initial file system");
    let disk = folder.path().join("disk.img");
    let file = fs::File::create(&disk).expect("make the disk");
    file.set_len(hardware.disk_mib * 1024 * 1024).expect("size the disk");
    let log = folder.path().join("console");
    let running = Running::start(emulator(hardware, &initrd, &disk), &log);
    Some(console_until_done(running, &log, &folder).await)
}

async fn console_until_done(mut running: Running, log: &Path, _alive: &TempDir) -> String {
    let since = Instant::now();
    loop {
        let ended = running.ended();
        let console = String::from_utf8_lossy(&fs::read(log).unwrap_or_default()).into_owned();
        if let Some(status) = ended {
            assert!(console.contains(DONE), "the virtual workstation ended early with {status}:\n{console}");
            return console;
        }
        assert!(since.elapsed() < BOOT_TIMEOUT, "the virtual workstation hangs:\n{console}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn emulator(hardware: &Hardware, initrd: &Path, disk: &Path) -> std::process::Command {
    let Hardware { make, model, serial, uuid, chassis_tag, .. } = hardware;
    let Hardware { module_maker, module_part, module_serial, .. } = hardware;
    let mut qemu = command(EMULATOR);
    qemu.args(["-accel", "tcg", "-m", &hardware.memory_mib.to_string(), "-smp", "1"]);
    qemu.args(["-display", "none", "-serial", "stdio", "-monitor", "none", "-no-reboot"]);
    qemu.arg("-kernel").arg(vmlinuz()).arg("-initrd").arg(initrd);
    qemu.args(["-append", "console=ttyS0 quiet panic=1"]);
    let firmware = [
        format!("type=1,manufacturer={make},product={model},serial={serial},uuid={uuid}"),
        format!("type=3,manufacturer={make},asset={chassis_tag}"),
        format!("type=17,manufacturer={module_maker},part={module_part},serial={module_serial},loc_pfx=DIMM"),
    ];
    for table in &firmware {
        qemu.args(["-smbios", table]);
    }
    qemu.args(["-drive", &format!("id=d1,file={},if=none,format=raw", disk.display())]);
    qemu.args(["-device", &format!("virtio-blk-pci,drive=d1,serial={}", hardware.disk_serial)]);
    qemu.args(["-netdev", "user,id=n1"]);
    qemu.args(["-device", &format!("virtio-net-pci,netdev=n1,mac={}", hardware.mac)]);
    qemu
}

fn kernel_folder() -> PathBuf {
    PathBuf::from(std::env::var_os(KERNEL).expect("looked at before"))
}

fn vmlinuz() -> PathBuf {
    let boot = kernel_folder().join("boot");
    let files = fs::read_dir(&boot).unwrap_or_else(|error| panic!("{}: {error}", boot.display()));
    let kernel = files.flatten().map(|it| it.path()).find(|it| file_name(it).starts_with("vmlinuz-"));
    kernel.unwrap_or_else(|| panic!("no kernel in {}", boot.display()))
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The file of a kernel module anywhere below the kernel's folder.
fn module_file(name: &str) -> PathBuf {
    let mut folders = vec![kernel_folder().join("lib/modules")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(&folder).into_iter().flatten().flatten().map(|it| it.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if file_name(&path) == format!("{name}.ko") {
                return path;
            }
        }
    }
    panic!("the kernel package has no module {name}")
}

fn init_script(agent_commands: &[String]) -> String {
    let load = KERNEL_MODULES.map(|it| format!("$b insmod /lib/modules/{it}.ko")).join("\n");
    let agent = agent_commands.join("\n");
    format!(
        "#!/bin/busybox sh\nb=/bin/busybox\n\
         $b mount -t proc proc /proc; $b mount -t sysfs sysfs /sys; $b mount -t devtmpfs dev /dev\n\
         $b mount -t tmpfs tmpfs /var/lib/parc-agent; $b chmod 700 /var/lib/parc-agent\n\
         {load}\n$b hostname poste-virtuel\n\
         $b ip link set lo up; $b ip addr add 10.0.2.15/24 dev eth0; $b ip link set eth0 up\n\
         $b ip route add default via {HOST}\n\
         {agent}\necho {DONE}\n$b poweroff -f\n"
    )
}

/// The initial file system as a `newc` archive.
fn initial_file_system(agent_commands: &[String]) -> Vec<u8> {
    let busybox = std::env::var_os(BUSYBOX).map_or_else(|| PathBuf::from("/bin/busybox"), PathBuf::from);
    let agent = program("parc-agent");
    let mut archive = Archive::default();
    for folder in ["proc", "sys", "dev", "tmp"] {
        archive.folder(folder);
    }
    archive.folder("var/lib/parc-agent");
    archive.program("bin/busybox", &read(&busybox));
    archive.program("bin/parc-agent", &read(&agent));
    for library in shared_libraries(&agent) {
        archive.program(library.trim_start_matches('/'), &read(Path::new(&library)));
    }
    for module in KERNEL_MODULES {
        archive.file(&format!("lib/modules/{module}.ko"), &read(&module_file(module)));
    }
    archive.file("etc/os-release", b"NAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nID=debian\n");
    archive.file("etc/hostname", b"poste-virtuel\n");
    archive.file("etc/machine-id", b"5f2c1d7e9a3b4c6d8e0f1a2b3c4d5e6f\n");
    archive.file("etc/passwd", b"root:x:0:0:root:/:/bin/sh\n");
    archive.file(
        "var/lib/dpkg/status",
        b"Package: busybox-static\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:1.35.0-4\n\
          Maintainer: Debian <maintainers@example.org>\nDescription: shell\n",
    );
    archive.program("init", init_script(agent_commands).as_bytes());
    archive.finish()
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The libraries a program loads, the dynamic linker too, by the paths it looks for them.
fn shared_libraries(program: &Path) -> BTreeSet<String> {
    let told = run(command("ldd").arg(program));
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    let path = |line: &str| line.split_whitespace().find(|it| it.starts_with('/')).map(str::to_owned);
    told.lines().filter_map(path).collect()
}

/// A `newc` archive, as `cpio -H newc` writes it and the kernel reads it.
#[derive(Debug, Default)]
struct Archive {
    bytes: Vec<u8>,
    folders: BTreeSet<String>,
}

impl Archive {
    fn folder(&mut self, path: &str) {
        let mut so_far = String::new();
        for part in path.split('/').filter(|it| !it.is_empty()) {
            so_far = if so_far.is_empty() { part.to_owned() } else { format!("{so_far}/{part}") };
            if self.folders.insert(so_far.clone()) {
                self.entry(&so_far, 0o040_755, &[]);
            }
        }
    }

    fn file(&mut self, path: &str, content: &[u8]) {
        self.with_mode(path, 0o100_644, content);
    }

    fn program(&mut self, path: &str, content: &[u8]) {
        self.with_mode(path, 0o100_755, content);
    }

    fn with_mode(&mut self, path: &str, mode: u32, content: &[u8]) {
        if let Some((folder, _)) = path.rsplit_once('/') {
            self.folder(folder);
        }
        self.entry(path, mode, content);
    }

    /// Thirteen numbers of eight hexadecimal digits, then the name, then the content, each padded to four.
    fn entry(&mut self, path: &str, mode: u32, content: &[u8]) {
        let links = if mode & 0o040_000 == 0 { 1 } else { 2 };
        let size = |length: usize| u32::try_from(length).expect("a small file");
        let number = size(self.bytes.len());
        let fields = [number, mode, 0, 0, links, 0, size(content.len()), 0, 0, 0, 0, size(path.len() + 1), 0];
        self.bytes.extend_from_slice(b"070701");
        for field in fields {
            self.bytes.extend_from_slice(format!("{field:08X}").as_bytes());
        }
        self.bytes.extend_from_slice(path.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend_from_slice(content);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, &[]);
        self.bytes
    }
}
