//! Import circles between the files of a package, and between its folders: which file names an item
//! that another declares.

use std::collections::{BTreeMap, BTreeSet};

use crate::modules::Modules;
use crate::source::Source;

pub(crate) fn circles(library: &[Source]) -> Vec<String> {
    let modules = Modules::of(library);
    let edges: BTreeMap<&str, BTreeSet<&str>> = modules
        .iter()
        .filter(|module| !module.is_parent)
        .map(|module| (module.file.as_str(), modules.targets(module)))
        .collect();

    let folders = folder_edges(&edges);
    let mut found: Vec<_> = groups(&edges)
        .iter()
        .map(|group| describe("files", group, &edges))
        .collect();
    found.extend(
        groups(&folders)
            .iter()
            .filter(|group| has_folder(group, library))
            .map(|group| describe("folders", group, &folders)),
    );
    found
}

/// The same imports between what is in one folder: a file, or a folder for all of its files.
fn folder_edges<'a>(
    edges: &BTreeMap<&'a str, BTreeSet<&'a str>>,
) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let mut folders: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (file, targets) in edges {
        for target in targets {
            let (from, to) = (part(file, target), part(target, file));
            folders.entry(to).or_default();
            folders
                .entry(from)
                .or_default()
                .extend((from != to).then_some(to));
        }
    }
    folders
}

/// Where `file` is below the last folder that it shares with `other`. A file and the folder of its
/// name are one.
fn part<'a>(file: &'a str, other: &str) -> &'a str {
    let shared: usize = file
        .split('/')
        .zip(other.split('/'))
        .take_while(|(own, others)| own == others)
        .map(|(own, _)| own.len() + 1)
        .sum();
    let end = file[shared..]
        .find('/')
        .map_or(file.len(), |length| shared + length);
    file[..end].trim_end_matches(".rs")
}

fn has_folder(group: &BTreeSet<&str>, library: &[Source]) -> bool {
    group.iter().any(|part| {
        library
            .iter()
            .all(|source| source.name.trim_end_matches(".rs") != *part)
    })
}

/// Everything that reaches itself, with what it reaches and is reached by.
fn groups<'a>(edges: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeSet<BTreeSet<&'a str>> {
    let reached: BTreeMap<_, _> = edges
        .keys()
        .map(|file| (*file, reachable(file, edges)))
        .collect();

    let mut groups = BTreeSet::new();
    for (file, targets) in &reached {
        let group: BTreeSet<_> = targets
            .iter()
            .copied()
            .filter(|other| reached[other].contains(file))
            .collect();
        groups.extend((group.len() > 1).then_some(group));
    }
    groups
}

fn describe(kind: &str, group: &BTreeSet<&str>, edges: &BTreeMap<&str, BTreeSet<&str>>) -> String {
    let mut text = format!("import circle of {} {kind}:", group.len());
    for file in group {
        let used: Vec<_> = edges[file].intersection(group).copied().collect();
        text += &format!("\n    {file} uses {}", used.join(", "));
    }
    text
}

fn reachable<'a>(from: &'a str, edges: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut left: Vec<_> = edges[from].iter().copied().collect();
    while let Some(file) = left.pop() {
        if reached.insert(file) {
            left.extend(&edges[file]);
        }
    }
    reached
}

fn file(name: &str, code: &str) -> Source {
    Source {
        name: format!("shared/src/{name}"),
        text: code.to_owned(),
        code: code.to_owned(),
    }
}

#[test]
fn a_circle_through_a_re_export_is_found_and_a_pure_parent_is_none() {
    let parent = file(
        "a/mod.rs",
        "mod b;\nmod c;\npub use b::{B, other as Other};",
    );
    let uses = file(
        "a/b.rs",
        "use super::c;\npub struct B(c::C);\nfn other() {}",
    );

    let circle = file(
        "a/c.rs",
        "pub struct C;\nfn f() -> crate::a::Other { todo() }",
    );
    let tree = file("a/c.rs", "pub struct C;\n#[cfg(test)]\nuse super::B;");

    let found = circles(&[parent, uses, circle]);
    assert_eq!(
        found,
        ["import circle of 2 files:\
          \n    shared/src/a/b.rs uses shared/src/a/c.rs\
          \n    shared/src/a/c.rs uses shared/src/a/b.rs"]
    );

    let parent = file("a/mod.rs", "mod b;\nmod c;\npub use b::B;");
    let uses = file("a/b.rs", "use super::c;\npub struct B(c::C);");
    assert_eq!(circles(&[parent, uses, tree]), Vec::<String>::new());
}

#[test]
fn a_circle_of_folders_is_found_where_files_make_none() {
    let root = file("lib.rs", "pub mod a;\npub mod b;");
    let a = file("a/mod.rs", "mod low;\nmod high;\npub use low::Low;");
    let low = file("a/low.rs", "pub struct Low;");
    let high = file("a/high.rs", "struct High(crate::b::middle::Middle);");
    let b = file("b/mod.rs", "pub mod middle;");
    let middle = file("b/middle.rs", "pub struct Middle(crate::a::Low);");

    assert_eq!(
        circles(&[root, a, low, high, b, middle]),
        ["import circle of 2 folders:\
          \n    shared/src/a uses shared/src/b\
          \n    shared/src/b uses shared/src/a"]
    );

    let parent = file("a/mod.rs", "mod low;\nmod high;");
    let low = file("a/low.rs", "pub struct Low;");
    let nested = file("a/high/c.rs", "struct C(super::super::low::Low);");
    let high = file("a/high.rs", "mod c;\nfn f() -> c::C { todo() }");
    assert_eq!(circles(&[parent, low, nested, high]), Vec::<String>::new());
}

#[test]
fn a_circle_is_found_however_a_name_is_brought_in() {
    let uses = "use super::c;\npub struct B(c::C);";
    for (parent, circle) in [
        // A private `use` of the parent, which its children see.
        ("use b::B;", "fn f() -> super::B { todo() }"),
        ("use b::{self as other};", "use super::other::B;"),
        // A glob re-export, and a glob import.
        ("pub use b::*;", "fn f() -> crate::a::B { todo() }"),
        ("use b::B;", "use super::*;\nfn f() -> B { todo() }"),
        ("", "use super::*;\nfn f() -> b::B { todo() }"),
        ("pub use self::b::*;", "fn f() { use super::*; B::new(); }"),
        // The module beside its items.
        ("", "use crate::a::{self};\nfn f() -> a::b::B { todo() }"),
        (
            "#[doc(hidden)]\npub use b::B;",
            "fn f() -> super::B { todo() }",
        ),
    ] {
        let found = circles(&[
            file("a/mod.rs", &format!("mod b;\nmod c;\n{parent}")),
            file("a/b.rs", uses),
            file("a/c.rs", &format!("pub struct C;\n{circle}")),
        ]);
        assert_eq!(found.len(), 1, "{parent} {circle}");
    }
}

#[test]
fn a_glob_that_brings_in_nothing_is_no_import() {
    for circle in ["use super::*;", "use super::*;\nfn f(own: C) { own.b() }"] {
        let found = circles(&[
            file("a/mod.rs", "mod b;\nmod c;\npub use b::*;"),
            file("a/b.rs", "use super::c;\npub struct B(c::C);"),
            file("a/c.rs", &format!("pub struct C;\n{circle}")),
        ]);
        assert_eq!(found, Vec::<String>::new(), "{circle}");
    }
}
