//! Every file that an administrator may copy is accepted by the program it is for.

use std::fs;
use std::path::{Path, PathBuf};

use parc_acceptance::process::{command, program, run};

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy")
}

/// Files below `deploy/` whose name satisfies.
fn files(wanted: impl Fn(&str) -> bool) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![deploy()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(&folder).expect("a folder of deploy/").flatten().map(|it| it.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if wanted(&name) {
                let text = fs::read_to_string(&path).expect("an example");
                found.push((path, text));
            }
        }
    }
    found
}

/// The example once for each key that it shows in a comment, with that line in force.
fn with_each_comment_in_force(text: &str) -> Vec<String> {
    let shown =
        |line: &str| Some(line.strip_prefix("# ")?.split_once(" = ")?.0.to_owned()).filter(|it| is_key(it));
    let lines: Vec<&str> = text.lines().collect();
    let variant = |at: usize, key: &str| {
        let others =
            lines.iter().enumerate().filter(|(n, it)| *n != at && !it.starts_with(&format!("{key} =")));
        let own = lines[at].trim_start_matches("# ");
        let mut lines: Vec<(usize, &str)> = others.map(|(n, it)| (n, *it)).chain([(at, own)]).collect();
        lines.sort_by_key(|(n, _)| *n);
        lines.into_iter().map(|(_, it)| it).collect::<Vec<_>>().join("\n")
    };
    lines.iter().enumerate().filter_map(|(at, it)| Some(variant(at, &shown(it)?))).collect()
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|it| it.is_ascii_lowercase() || it == '_' || it.is_ascii_digit())
}

#[test]
fn every_collector_configuration_is_accepted() {
    let examples = files(|it| it == "collector.toml");
    assert!(examples.len() >= 3, "{examples:?}");
    for (path, text) in examples {
        let parsed = parc_collector::config::Settings::parse(&text);
        assert!(parsed.is_ok(), "{}: {parsed:?}", path.display());
        for variant in with_each_comment_in_force(&text) {
            let parsed = format!("{:?}", parc_collector::config::Settings::parse(&variant).err());
            assert!(
                !parsed.contains("unknown field") && !parsed.contains("invalid type"),
                "{}: {parsed}",
                path.display()
            );
        }
    }
}

#[test]
fn every_agent_configuration_is_accepted_also_with_its_comments_taken_away() {
    let examples = files(|it| it == "agent.toml");
    assert!(!examples.is_empty());
    for (path, text) in examples {
        for text in with_each_comment_in_force(&text).into_iter().chain([text]) {
            let parsed = parc_agent::config::Config::parse(&text)
                .unwrap_or_else(|it| panic!("{}: {it}", path.display()));
            assert!(parsed.check().is_ok(), "{}: {:?}", path.display(), parsed.check());
        }
    }
}

#[test]
fn every_key_of_the_agents_configuration_is_documented() {
    let documented: String = files(|it| it == "agent.toml").into_iter().map(|(_, text)| text).collect();
    let all = toml::Table::try_from(parc_agent::config::Config::default()).expect("settings as TOML");
    for key in all.keys() {
        assert!(documented.contains(&format!("{key} =")), "`{key}` is not in an example");
    }
}

/// `KEY=VALUE` lines of a unit file by section; panics on anything else.
fn unit(path: &Path, text: &str) -> Vec<(String, String, String)> {
    let mut section = String::new();
    let mut settings = Vec::new();
    for line in text.lines().map(str::trim).filter(|it| !it.is_empty() && !it.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
            name.clone_into(&mut section);
        } else {
            let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("{}: `{line}`", path.display()));
            settings.push((section.clone(), key.to_owned(), value.to_owned()));
        }
    }
    settings
}

#[test]
fn every_unit_starts_a_program_of_ours_with_a_command_it_knows_and_little_else_allowed() {
    let units = files(|it| Path::new(it).extension().is_some_and(|it| it == "service"));
    assert!(units.len() >= 2, "one for each program: {units:?}");
    for (path, text) in units {
        let settings = unit(&path, &text);
        let value = |key: &str| settings.iter().find(|it| it.1 == key).map_or("", |it| it.2.as_str());
        let mut start = value("ExecStart").split_whitespace();
        let name = start.next().and_then(|it| it.rsplit('/').next()).unwrap_or_default().to_owned();
        assert!(["parc-agent", "parc-collector"].contains(&name.as_str()), "{}: {name}", path.display());
        let known =
            start.find(|it| ["run", "serve"].contains(it)).unwrap_or_else(|| panic!("{}", path.display()));
        let help = run(command(program(&name)).args([known, "--help"]));
        assert!(help.status.success(), "{name} does not know `{known}`");
        for key in
            ["NoNewPrivileges", "ProtectHome", "ProtectSystem", "RestrictAddressFamilies", "SystemCallFilter"]
        {
            assert!(!value(key).is_empty(), "{}: {key} is not set", path.display());
        }
    }
}

#[test]
fn the_scripts_are_valid_for_the_shell_they_name() {
    for script in ["../deploy/quickstart", "run", "../.ci/run"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(script);
        let text = fs::read_to_string(&path).expect("a script");
        let first = text.lines().next().unwrap_or_default();
        let shell = if first.contains("bash") { "bash" } else { "sh" };
        let checked = run(command(shell).arg("-n").arg(&path));
        assert!(checked.status.success(), "{}: {}", path.display(), String::from_utf8_lossy(&checked.stderr));
    }
}
