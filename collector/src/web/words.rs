//! Families of text keys that are put together from a stored word; the catalogue test walks them.

/// Family and its codes, where the codes are not the words of an enum with a list of its own.
#[cfg(test)]
pub(crate) const FAMILIES: &[(&str, &[&str])] = &[
    ("kind", &["laptop", "desktop", "server", "virtual", "other"]),
    ("lifecycle", &["in_use", "stock", "in_repair", "on_loan", "retired", "stolen"]),
    ("tag-source", &["firmware", "configuration", "admin"]),
    ("tag-policy", &["none", "must_exist", "may_create"]),
    ("tag-policy-help", &["none", "must_exist", "may_create"]),
    ("agent-status", &["active", "quarantined", "revoked"]),
    ("operation", &["added", "removed", "changed"]),
    ("fact-source", &["smbios-table", "sysfs", "registry", "agent"]),
    ("item-field", crate::web::words::ITEM_FIELDS),
    ("section", crate::web::words::SECTIONS),
    ("disk-kind", &["hdd", "ssd", "nvme", "emmc", "virtual", "optical"]),
    ("match", &["attached", "unknown", "ambiguous", "foreign", "placeholder", "none"]),
    ("match-help", &["attached", "unknown", "ambiguous", "foreign", "placeholder", "none"]),
    ("error-title", &["invalid", "forbidden", "not-found", "conflict", "exhausted", "unavailable", "internal"]),
    ("error-help", &["invalid", "forbidden", "not-found", "conflict", "exhausted", "unavailable", "internal"]),
    ("encryption", &["unknown", "none", "luks", "bitlocker", "filevault", "other"]),
    ("network", &["ethernet", "wifi", "mobile"]),
    ("done", crate::web::words::NOTICES),
    ("event", crate::web::words::EVENTS),
    ("task", &["call", "pdr", "diagnosis", "other"]),
    ("pending", &["requester", "supplier", "part", "appointment", "other"]),
    ("tag-refused", &["empty", "too-long", "no-letter-or-digit", "placeholder", "control-character"]),
    ("problem", &["absent", "unreadable", "malformed", "timed_out", "cut", "refused"]),
];

/// Sections of a report, as `Change::section` and problems name them.
#[cfg(test)]
const SECTIONS: &[&str] = &[
    "system", "firmware", "cpu", "memory", "storage", "volumes", "network", "displays", "os", "software", "problems",
    "asset_tag",
];

/// Fields of the items of a report, as changes name them.
#[cfg(test)]
const ITEM_FIELDS: &[&str] = &[
    "manufacturer", "product", "serial", "uuid", "sku", "family", "chassis_type", "chassis_serial",
    "chassis_asset_tag", "board_manufacturer", "board_product", "board_serial", "hypervisor", "container",
    "machine_fingerprint", "vendor", "version", "released", "mode", "smbios_version", "source", "model", "cores",
    "threads", "max_mhz", "architecture", "socket", "size_mib", "kind", "speed_mts", "part_number", "slot", "empty",
    "slots", "maximum_mib", "firmware", "interface", "removable", "wwn", "device", "filesystem", "label",
    "encryption", "system", "mac", "speed_mbps", "virtual", "driver", "permanent_mac", "year", "week", "width_px",
    "height_px", "diagonal_mm", "internal", "hostname", "domain", "name", "edition", "kernel", "installed_at_us",
    "time_zone", "publisher", "section", "reason", "tag",
];

/// What a redirect after a form may say was done.
pub(crate) const NOTICES: &[&str] =
    &["declared", "tag", "conflict", "token-revoked", "agent-revoked", "agent-released", "ticket", "opened", "repeated"];

/// Events of a ticket that have a sentence of their own.
#[cfg(test)]
const EVENTS: &[&str] = &[
    "created", "claimed", "assigned", "released", "qualified", "transferred", "escalated", "held", "resumed", "task",
    "reply", "note", "resolved", "confirmed", "refused", "reopened", "cancelled", "asset_attached",
    "asset_attached_late", "asset_detached", "asset_unknown", "asset_ambiguous", "asset_placeholder", "other",
];
