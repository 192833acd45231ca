//! One small set of line icons, 16 by 16, drawn for these pages. Always beside a word, so hidden from
//! screen readers.

use std::fmt;

use askama::filters::HtmlSafe;

/// An icon by name, written into the page as SVG; an unknown name draws a dot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Icon(pub &'static str);

impl fmt::Display for Icon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "<svg class=\"icon\" viewBox=\"0 0 16 16\" aria-hidden=\"true\"><path d=\"{}\"/></svg>",
            path(self.0)
        )
    }
}

impl HtmlSafe for Icon {}

fn path(name: &str) -> &'static str {
    match name {
        "inbox" => "M2 9.5 4 3h8l2 6.5V13H2zM2 9.5h3.5l1 2h3l1-2H14",
        "mail" => "M2 3.500h12v9H2zM2 4.500l6 4.500 6-4.500",
        "bell" => "M3.5 11.500V7.500a4.500 4.500 0 0 1 9 0v4l1 1.500h-11zM6.500 14.500h3",
        "plus" => "M8 3v10M3 8h10",
        "laptop" => "M3 3h10v7H3zM1.5 12.5h13",
        "desktop" => "M2 3h12v8H2zM6 13.5h4M8 11v2.5",
        "server" => "M3 2.5h10v4H3zM3 9.5h10v4H3zM5.5 4.5h.01M5.5 11.5h.01",
        "virtual" => "M2.5 2.5h7v7h-7zM6.5 12v1.5h7v-7H12",
        "other" => "M3 3h10v10H3z",
        "conflict" => "M5 2.5v4.5l3 2.5v4M11 2.5v4.5L8 9.5M3 4.5l2-2 2 2M9 4.5l2-2 2 2",
        "agent" => "M8 8.5v5M5 13.5h6M5.2 8.8a4 4 0 1 1 5.6 0M3.2 10.8a7 7 0 1 1 9.6 0",
        "key" => "M9.5 6.5a3 3 0 1 0-3 3 3 3 0 0 0 3-3zM8.6 8.6l5 5M11.5 11.5l1.5-1.5",
        "search" => "M11 7a4 4 0 1 0-8 0 4 4 0 0 0 8 0zM10 10l3.5 3.5",
        "warn" => "M8 2.5 14.5 13.5h-13zM8 6.5v3.5M8 11.8v.01",
        "danger" => "M5.2 1.5h5.6l3.7 3.7v5.6l-3.7 3.7H5.2l-3.7-3.7V5.2zM8 4.5v4.2M8 11v.01",
        "ok" => "M14 8A6 6 0 1 0 2 8a6 6 0 0 0 12 0zM5.2 8.2l2 2 3.6-4.2",
        "info" => "M14 8A6 6 0 1 0 2 8a6 6 0 0 0 12 0zM8 7.3V11M8 5v.01",
        "clock" => "M14 8A6 6 0 1 0 2 8a6 6 0 0 0 12 0zM8 4.5V8l2.5 1.5",
        "calendar" => "M2.5 4h11v9.5h-11zM2.5 7h11M5.5 2.5v3M10.5 2.5v3",
        "hand" => {
            "M2.5 11.5l3-3h4l1.500 1.500-2 1H6.500M11 10l2.500-1.500v3L9.500 14H5.500l-3 0M5 5.500h6M8.500 3 11 5.500 8.500 8"
        }
        "chart" => "M2.5 13.5h11M4.500 13V8.500M8 13V3.500M11.500 13V6.500",
        "copy" => "M5.5 5.5h8v8h-8zM3.5 10.5h-1v-8h8v1",
        "close" => "M4 4l8 8M12 4l-8 8",
        "disk" => "M2.5 4.5 4 2.5h8l1.5 2v9h-11zM2.5 9.5h11M11 11.5h.01",
        "shield" => "M8 1.8 13.5 4v4c0 3-2.3 5.3-5.5 6.4C4.8 13.3 2.5 11 2.5 8V4z",
        "lock" => "M4 7h8v6.5H4zM5.5 7V5a2.5 2.5 0 0 1 5 0v2",
        "reply" => "M7 3.5 2.5 8 7 12.5V9.7c3 0 5 .8 6.5 3.3 0-4-2-6.5-6.5-7z",
        "person" => "M10.5 5a2.5 2.5 0 1 0-5 0 2.5 2.5 0 0 0 5 0zM3 13.5c.5-3 2.5-4 5-4s4.5 1 5 4",
        "wrench" => {
            "M13.5 4.5 11.5 6.5 9.5 4.5 11.5 2.5A3.5 3.5 0 0 0 7 6.800L2.5 11.300l2.2 2.200L9.2 9a3.5 3.5 0 0 0 4.3-4.5z"
        }
        "download" => "M8 2.5v8M4.5 7.5 8 11l3.5-3.5M2.5 13.5h11",
        "next" => "M6 3.5 10.5 8 6 12.5",
        "first" => "M10 3.5 5.5 8 10 12.5",
        "theme" => "M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7z",
        "out" => "M6.5 2.5h-4v11h4M6 8h8M11 5l3 3-3 3",
        "tag" => "M2.5 2.5h6l5 5-6 6-5-5zM5.5 5.5h.01",
        "clip" => {
            "M12.5 7.5 7.8 12.2a3 3 0 0 1-4.3-4.3l5-5a2 2 0 0 1 2.900 2.900l-4.800 4.800a1 1 0 0 1-1.500-1.500l4.200-4.200"
        }
        "home" => "M2.5 7.5 8 2.5l5.5 5V13.5h-4v-4h-3v4h-4z",
        "phone" => {
            "M5 2.5 6.500 6 5 7.500a8 8 0 0 0 3.500 3.500L10 9.500l3.500 1.500v2a1 1 0 0 1-1 1A10.500 10.500 0 0 1 2 3.500a1 1 0 0 1 1-1z"
        }
        "history" => "M2.5 8A5.5 5.5 0 1 0 4.5 3.800L2.5 5.5M2.5 2.5v3h3M8 5v3l2 1.5",
        "network" => "M6 2.5h4v3H6zM2 10.5h4v3H2zM10 10.5h4v3h-4zM8 5.5V8M4 10.5V8h8v2.5",
        _ => "M8 8h.01",
    }
}
