//! The rules of ARCHITECTURE.md that can be read in the sources.

use std::fs;
use std::path::{Path, PathBuf};

/// Modules of the collector in the order in which they may know each other: left never imports right.
/// Those of one group do not know each other.
const ORDER: &[&[&str]] = &[
    &["kernel"],
    &["db"],
    &["context", "config", "measures"],
    &["rpc"],
    &["audit"],
    &["sites"],
    &["calendars"],
    &["people"],
    &["teams"],
    &["files"],
    &["branding"],
    &["mail"],
    &["web", "api"],
    &["software"],
    &["inventory"],
    &["agents"],
    &["contracts"],
    &["matching"],
    &["tickets"],
    &["visits", "loans", "remote", "surveys", "import"],
    &["reports", "privacy", "search"],
    &["fleet", "people_door", "upkeep", "check"],
    &["app"],
    &["quickstart"],
    &["cli"],
];
/// Slices: their edges may use any slice's public face.
const SLICES: &[&str] = &[
    "sites",
    "calendars",
    "people",
    "teams",
    "files",
    "branding",
    "mail",
    "software",
    "inventory",
    "agents",
    "contracts",
    "matching",
    "tickets",
    "visits",
    "loans",
    "remote",
    "reports",
    "privacy",
    "search",
    "surveys",
    "import",
];
/// Edges of a slice, as file or folder names.
const EDGES: &[&str] = &["web", "api", "grpc"];
/// Toolkits of those edges.
const TOOLKITS: &[&str] = &["web", "api", "rpc"];
/// Where a toolkit joins the slices' routes: the only files of it that know them.
const JOINTS: &[&str] = &["web/mod.rs", "api/door.rs", "api/openapi.rs"];

/// A source file with its path from the package's `src`.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// Path parts without the extension: `tickets/web/queue.rs` is `tickets`, `web`, `queue`.
    fn parts(&self) -> Vec<&str> {
        self.path.trim_end_matches(".rs").split('/').collect()
    }

    fn module(&self) -> &str {
        self.parts()[0]
    }

    fn is_edge(&self) -> bool {
        SLICES.contains(&self.module()) && self.parts().iter().skip(1).any(|it| EDGES.contains(it))
    }

    fn is_test(&self) -> bool {
        let named = |it: &&str| *it == "tests" || *it == "testing" || it.ends_with("_tests");
        self.parts().iter().any(named)
    }

    /// The text without comments and without the tests at its end.
    fn code(&self) -> String {
        let body = self.text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        body.lines().map(|it| it.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn below(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(&folder).into_iter().flatten().flatten().map(|it| it.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                if !name.starts_with('.') && !["target", "parc-quickstart"].contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if extension.is_empty() || path.extension().is_some_and(|it| it == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn collector() -> Vec<Source> {
    let src = root().join("collector/src");
    let read = |path: PathBuf| Source {
        text: fs::read_to_string(&path).expect("a source file"),
        path: path.strip_prefix(&src).expect("below src").to_string_lossy().into_owned(),
    };
    let sources: Vec<Source> = below(&src, "rs").into_iter().map(read).collect();
    assert!(sources.len() > 40, "the collector's sources were not found");
    sources
}

fn rank(module: &str) -> Option<usize> {
    ORDER.iter().position(|group| group.contains(&module))
}

/// Every first word behind `crate::` in a text, those in braces too.
fn imported(code: &str) -> Vec<String> {
    let word =
        |it: &str| it.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut words = Vec::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            None => words.push(word(rest)),
            Some(list) => words.extend(top_level(list).into_iter().map(word)),
        }
    }
    words.retain(|it| rank(it).is_some());
    words
}

/// The parts of a braced list up to its closing brace, inner lists left whole.
fn top_level(list: &str) -> Vec<&str> {
    let (mut depth, mut from, mut parts) = (0_u32, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                parts.push(&list[from..at]);
                return parts;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&list[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts
}

#[test]
fn left_never_imports_right() {
    let mut wrong = Vec::new();
    for source in collector().iter().filter(|it| !it.is_test()) {
        let Some(own) = rank(source.module()) else { continue };
        for module in imported(&source.code()) {
            let other = rank(&module).expect("known");
            let slice = SLICES.contains(&module.as_str());
            let face = (source.is_edge() && (slice || TOOLKITS.contains(&module.as_str())))
                || (JOINTS.contains(&source.path.as_str()) && slice);
            if module != source.module() && other >= own && !face {
                wrong.push(format!("{} imports {module}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_module_of_the_collector_has_its_place_in_the_order() {
    let unplaced: Vec<String> = collector()
        .iter()
        .map(|it| it.module().to_owned())
        .filter(|it| rank(it).is_none() && !["lib", "main"].contains(&it.as_str()))
        .collect();
    assert!(unplaced.is_empty(), "{unplaced:?}");
}

/// Files whose code contains one of the words although they may not.
fn trespassers(words: &[&str], may: impl Fn(&Source) -> bool) -> Vec<String> {
    let sources = collector();
    let guilty =
        |it: &&Source| !it.is_test() && !may(it) && words.iter().any(|word| it.code().contains(word));
    sources.iter().filter(guilty).map(|it| it.path.clone()).collect()
}

fn any_part(source: &Source, names: &[&str]) -> bool {
    source.parts().iter().any(|it| names.contains(it))
}

#[test]
fn sql_is_written_in_stores_only() {
    let queries = ["sqlx::query", "QueryBuilder", "sql!("];
    let found = trespassers(&queries, |it| it.module() == "db" || any_part(it, &["store"]));
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn sql_is_never_built_from_text() {
    let found = trespassers(&["AssertSqlSafe"], |it| it.path == "db/testing.rs");
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn pages_and_http_stay_at_the_edges() {
    let found = trespassers(&["axum::", "askama::"], |it| {
        ["web", "api", "people_door", "app", "rpc"].contains(&it.module()) || any_part(it, &["web", "api"])
    });
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn only_the_clock_reads_the_time_library() {
    let found =
        trespassers(&["jiff::", "SystemTime::now", "now_v7("], |it| it.path.starts_with("kernel/time"));
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_collector_starts_no_process_but_the_quickstarts_agent() {
    let found = trespassers(&["process::Command", "Command::new("], |it| it.module() == "quickstart");
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_agent_starts_no_process() {
    let sources = below(&root().join("agent/src"), "rs");
    assert!(sources.len() > 20);
    for path in sources {
        let text = fs::read_to_string(&path).expect("a source file");
        assert!(!text.contains("process::Command"), "{}", path.display());
    }
}

#[test]
fn agent_and_collector_never_see_each_other() {
    for (package, other) in [
        ("agent", "parc-collector"),
        ("collector", "parc-agent"),
        ("proto", "parc-agent"),
        ("proto", "parc-collector"),
    ] {
        let manifest = fs::read_to_string(root().join(package).join("Cargo.toml")).expect("a manifest");
        let dependencies = manifest.split_once("[dependencies]").expect("dependencies").1;
        assert!(!dependencies.lines().any(|it| it.starts_with(other)), "{package} depends on {other}");
    }
}

#[test]
fn templates_escape_everything_and_carry_no_script_of_their_own() {
    let templates = below(&root().join("collector/src"), "html");
    assert!(templates.len() > 5, "{templates:?}");
    for path in templates {
        let text = fs::read_to_string(&path).expect("a template");
        let inline_script = text
            .split("<script")
            .skip(1)
            .any(|it| !it.split('>').next().unwrap_or_default().contains("src="));
        assert!(!inline_script, "{}: inline script", path.display());
        for forbidden in ["|safe", "| safe", " onclick=", " onload=", " style=", "javascript:"] {
            assert!(!text.contains(forbidden), "{}: `{forbidden}`", path.display());
        }
    }
}

#[test]
fn nothing_in_the_tree_is_unfinished() {
    // Put together here so that this file does not find itself.
    let words = [["TO", "DO"], ["FIX", "ME"], ["unimplemented", "!("], ["to", "do!("], ["dbg", "!("]]
        .map(|it| it.concat());
    for extension in ["rs", "html", "sql", "proto", "css", "js", "toml", "md"] {
        for path in below(&root(), extension) {
            let text = fs::read_to_string(&path).unwrap_or_default();
            for word in &words {
                assert!(!text.contains(word.as_str()), "{}: {word}", path.display());
            }
        }
    }
}

#[test]
fn no_source_file_is_longer_than_a_head_can_hold() {
    const LINES_MAX: usize = 700;
    for package in ["agent", "calendar", "collector", "proto", "sample", "tests"] {
        for path in below(&root().join(package), "rs") {
            let text = fs::read_to_string(&path).expect("a source file");
            let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
            let lines = code.lines().count();
            assert!(lines <= LINES_MAX, "{} has {lines} lines without its tests", path.display());
        }
    }
}
