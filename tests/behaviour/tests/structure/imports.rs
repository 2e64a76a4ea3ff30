//! Import circles between the files of a package, and between its folders: which file names an item
//! that another declares.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Source, item_end, tokens};

type ModulePath = Vec<String>;

/// A file as a module: its path, and the paths it names outside of tests.
struct Module {
    file: String,
    path: ModulePath,
    /// Every path, absolute.
    used: BTreeSet<ModulePath>,
    /// Re-exported names with what they stand for.
    exports: BTreeMap<String, ModulePath>,
    /// Has declarations and re-exports only.
    is_parent: bool,
}

pub(crate) fn circles(library: &[Source]) -> Vec<String> {
    let is_test = |name: &str| name.contains("/tests/") || name.ends_with("/tests.rs");
    let paths: BTreeSet<_> = library
        .iter()
        .map(|source| module_path(&source.name))
        .collect();
    let modules: BTreeMap<_, _> = library
        .iter()
        .filter(|source| !is_test(&source.name))
        .map(|source| (module_path(&source.name), module(source, &paths)))
        .collect();

    let mut edges: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for module in modules.values().filter(|module| !module.is_parent) {
        let targets = module
            .used
            .iter()
            .filter_map(|path| resolve(path, &modules, 8));
        edges.entry(&module.file).or_default().extend(
            targets
                .filter(|target| !target.is_parent && target.file != module.file)
                .map(|target| target.file.as_str()),
        );
    }

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

/// `shared/src/a/b.rs` and `shared/src/a/b/mod.rs` are `[a, b]`.
fn module_path(file: &str) -> ModulePath {
    let inner = file
        .trim_start_matches("shared/src/")
        .trim_end_matches(".rs");
    let segments = inner.split('/').map(ToOwned::to_owned);
    segments
        .filter(|segment| segment != "mod" && segment != "lib")
        .collect()
}

fn module(source: &Source, paths: &BTreeSet<ModulePath>) -> Module {
    let path = module_path(&source.name);
    let tokens = without_tests(&tokens(&source.code));
    let mut module = Module {
        file: source.name.clone(),
        path,
        used: BTreeSet::new(),
        exports: BTreeMap::new(),
        is_parent: true,
    };

    let mut aliases: BTreeMap<String, ModulePath> = BTreeMap::new();
    let mut at = 0;
    while at < tokens.len() {
        let end = item_end(&tokens, at).unwrap_or(tokens.len() - 1);
        let item = &tokens[at..=end];
        let word = item
            .iter()
            .position(|(token, _)| matches!(*token, "use" | "mod"));
        let is_use = word.is_some_and(|word| item[word].0 == "use" && word <= 4);
        let is_mod = word.is_some_and(|word| item[word].0 == "mod" && word <= 4 && item.len() < 9);
        module.is_parent &= is_use || is_mod;

        if let Some(word) = word.filter(|_| is_use) {
            for (name, path) in tree(&item[word + 1..]) {
                let Some(path) = absolute(&path, &module.path, paths, &aliases) else {
                    continue;
                };
                if item[0].0 == "pub" {
                    module.exports.insert(name.clone(), path.clone());
                }
                aliases.insert(name, path.clone());
                module.used.insert(path);
            }
        } else {
            module
                .used
                .extend(inline_paths(item, &module.path, paths, &aliases));
        }
        at = end + 1;
    }
    module
}

/// Drops every item behind `#[cfg(test)]`.
fn without_tests<'a>(tokens: &[(&'a str, usize)]) -> Vec<(&'a str, usize)> {
    let mark = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let is_test = (0..mark.len()).all(|n| tokens.get(at + n).is_some_and(|t| t.0 == mark[n]));
        if is_test {
            at = item_end(tokens, at + mark.len()).map_or(tokens.len(), |end| end + 1);
        } else {
            kept.push(tokens[at]);
            at += 1;
        }
    }
    kept
}

fn inline_paths(
    item: &[(&str, usize)],
    own: &[String],
    paths: &BTreeSet<ModulePath>,
    aliases: &BTreeMap<String, ModulePath>,
) -> Vec<ModulePath> {
    let starts = (0..item.len()).filter(|&at| {
        item.get(at + 1).is_some_and(|next| next.0 == "::") && (at == 0 || item[at - 1].0 != "::")
    });
    starts
        .flat_map(|at| tree(&item[at..]))
        .filter_map(|(_, path)| absolute(&path, own, paths, aliases))
        .collect()
}

/// The leaves of a `use` tree, or a single path, with the names they get.
fn tree(tokens: &[(&str, usize)]) -> Vec<(String, ModulePath)> {
    let mut leaves = Vec::new();
    let mut open: Vec<ModulePath> = Vec::new();
    let mut path: ModulePath = Vec::new();
    let mut name = None;
    for at in 0..tokens.len() {
        let next = tokens.get(at + 1).map_or("", |next| next.0);
        match tokens[at].0 {
            "::" if next == "{" => open.push(path.clone()),
            "::" => {}
            "{" if at > 0 && tokens[at - 1].0 == "::" => {}
            "as" => name = Some(next.to_owned()),
            _ if at > 0 && tokens[at - 1].0 == "as" => {}
            "," | "}" if !open.is_empty() => {
                if path.len() > open[open.len() - 1].len() {
                    let last = path[path.len() - 1].clone();
                    leaves.push((name.take().unwrap_or(last), path.clone()));
                }
                path = open[open.len() - 1].clone();
                if tokens[at].0 == "}" {
                    open.pop();
                    path = open.last().cloned().unwrap_or_default();
                }
            }
            word if word.starts_with(|c: char| c.is_alphabetic() || c == '_') || word == "*" => {
                path.push(word.to_owned());
                if open.is_empty() && !matches!(next, "::" | "as") {
                    break;
                }
            }
            _ => break,
        }
    }
    if let Some(last) = path.last().cloned() {
        leaves.push((name.unwrap_or(last), path));
    }
    leaves
}

/// A path from the root of the package, or `None` for another package.
fn absolute(
    path: &[String],
    own: &[String],
    paths: &BTreeSet<ModulePath>,
    aliases: &BTreeMap<String, ModulePath>,
) -> Option<ModulePath> {
    let (first, rest) = path.split_first()?;
    let supers = path
        .iter()
        .take_while(|segment| *segment == "super")
        .count();
    let child = [own, std::slice::from_ref(first)].concat();
    match first.as_str() {
        "crate" => Some(rest.to_vec()),
        "self" => Some([own, rest].concat()),
        "super" => Some([own.get(..own.len().checked_sub(supers)?)?, &path[supers..]].concat()),
        _ if paths.contains(&child) => Some([own, path].concat()),
        _ => aliases
            .get(first)
            .map(|module| [module.as_slice(), rest].concat()),
    }
}

/// The module that declares what a path names, through re-exports.
fn resolve<'a>(
    path: &[String],
    modules: &'a BTreeMap<ModulePath, Module>,
    steps: usize,
) -> Option<&'a Module> {
    let length = (0..=path.len())
        .rev()
        .find(|&n| modules.contains_key(&path[..n]))?;
    let module = &modules[&path[..length]];
    let export = path.get(length).and_then(|name| module.exports.get(name));
    match export.filter(|_| steps > 0) {
        Some(target) => resolve(
            &[target.as_slice(), &path[length + 1..]].concat(),
            modules,
            steps - 1,
        ),
        None => Some(module),
    }
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
