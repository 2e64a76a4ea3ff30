//! The files of a package as modules: what each declares and names, and which file declares what a
//! path names.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Source, item_end, tokens};

type ModulePath = Vec<String>;

type Token<'a> = (&'a str, usize);

/// Most `use` items between a name and its declaration.
const STEPS: usize = 8;

/// What stands before the name of an item.
const KEYWORDS: [&str; 8] = [
    "const", "enum", "fn", "static", "struct", "trait", "type", "union",
];

/// A file as a module, without its tests.
pub(crate) struct Module {
    pub(crate) file: String,
    /// Has `mod` and `use` items only.
    pub(crate) is_parent: bool,
    path: ModulePath,
    declared: BTreeSet<String>,
    /// The names of its `use` items with what they stand for. Its children see private ones, too.
    imported: BTreeMap<String, ModulePath>,
    /// What it imports whole: `a` of `a::*`.
    globs: BTreeSet<ModulePath>,
    /// Every path that leads to this package, absolute.
    used: BTreeSet<ModulePath>,
    /// Every path and every word, as written: a glob may bring it in.
    written: BTreeSet<ModulePath>,
}

pub(crate) struct Modules(BTreeMap<ModulePath, Module>);

impl Modules {
    pub(crate) fn of(library: &[Source]) -> Self {
        let is_test = |name: &str| name.contains("/tests/") || name.ends_with("/tests.rs");
        let paths: BTreeSet<_> = library
            .iter()
            .map(|source| module_path(&source.name))
            .collect();
        let modules = library
            .iter()
            .filter(|source| !is_test(&source.name))
            .map(|source| (module_path(&source.name), Module::of(source, &paths)));
        Self(modules.collect())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Module> {
        self.0.values()
    }

    /// The other files that declare what a module names. Those that declare nothing are passed
    /// through.
    pub(crate) fn targets(&self, module: &Module) -> BTreeSet<&str> {
        let mut targets: Vec<&Module> = Vec::new();
        for path in &module.used {
            match path.split_last() {
                Some((last, whole)) if last == "*" => targets.extend(
                    module
                        .written
                        .iter()
                        .filter_map(|path| self.through_glob(whole, path, STEPS)),
                ),
                _ => targets.extend(self.resolve(path, STEPS)),
            }
        }

        targets
            .into_iter()
            .filter(|target| !target.is_parent && target.file != module.file)
            .map(|target| target.file.as_str())
            .collect()
    }

    /// The module that declares what an absolute path names.
    fn resolve(&self, path: &[String], steps: usize) -> Option<&Module> {
        let length = (0..=path.len())
            .rev()
            .find(|&n| self.0.contains_key(&path[..n]))?;
        let module = &self.0[&path[..length]];
        self.provider(module, &path[length..], steps)
            .or(Some(module))
    }

    /// The module that declares what a path within `module` names, if `module` has its first name.
    fn provider<'a>(
        &'a self,
        module: &'a Module,
        path: &[String],
        steps: usize,
    ) -> Option<&'a Module> {
        let (name, rest) = path.split_first()?;
        if module.declared.contains(name) {
            return Some(module);
        }

        let steps = steps.checked_sub(1)?;
        let child = [module.path.as_slice(), std::slice::from_ref(name)].concat();
        let target = if self.0.contains_key(&child) {
            Some(&child)
        } else {
            module.imported.get(name)
        };
        match target {
            Some(target) => self.resolve(&[target.as_slice(), rest].concat(), steps),
            None => module
                .globs
                .iter()
                .find_map(|glob| self.through_glob(glob, path, steps)),
        }
    }

    /// The module that declares what a path names whose first name a glob brings in.
    fn through_glob(&self, glob: &[String], path: &[String], steps: usize) -> Option<&Module> {
        let steps = steps.checked_sub(1)?;
        self.provider(self.resolve(glob, steps)?, path, steps)
    }
}

impl Module {
    fn of(source: &Source, paths: &BTreeSet<ModulePath>) -> Self {
        let mut module = Self {
            file: source.name.clone(),
            is_parent: true,
            path: module_path(&source.name),
            declared: BTreeSet::new(),
            imported: BTreeMap::new(),
            globs: BTreeSet::new(),
            used: BTreeSet::new(),
            written: BTreeSet::new(),
        };
        let tokens = without_tests(&tokens(&source.code));
        let (uses, others): (Vec<_>, Vec<_>) = items(&tokens)
            .into_iter()
            .map(|item| &item[beginning(item)..])
            .partition(|item| text(item, 0) == "use");

        for item in uses {
            for (name, path) in tree(&item[1..]) {
                module.import(name, &path, paths);
            }
        }
        for item in others {
            module.is_parent &= text(item, 0) == "mod" && text(item, 2) == ";";
            module.declared.extend(declared(item));
            for path in written(item) {
                let absolute = module.absolute(&path, paths);
                module.used.extend(absolute.filter(|_| path.len() > 1));
                module.written.insert(path);
            }
        }
        module
    }

    fn import(&mut self, name: String, path: &[String], paths: &BTreeSet<ModulePath>) {
        let Some(path) = self.absolute(path, paths) else {
            return;
        };
        match path.split_last() {
            Some((last, whole)) if last == "*" => {
                self.globs.insert(whole.to_vec());
            }
            _ => {
                self.imported.insert(name, path.clone());
            }
        }
        self.used.insert(path);
    }

    /// A path from the root of the package, or `None` for another package.
    fn absolute(&self, path: &[String], paths: &BTreeSet<ModulePath>) -> Option<ModulePath> {
        let own = self.path.as_slice();
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
            _ => self
                .imported
                .get(first)
                .map(|module| [module.as_slice(), rest].concat()),
        }
    }
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

/// Drops every item behind `#[cfg(test)]`.
fn without_tests<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    let mark = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let is_test = (0..mark.len()).all(|n| text(tokens, at + n) == mark[n]);
        if is_test {
            at = item_end(tokens, at + mark.len()).map_or(tokens.len(), |end| end + 1);
        } else {
            kept.push(tokens[at]);
            at += 1;
        }
    }
    kept
}

fn items<'a, 'b>(tokens: &'b [Token<'a>]) -> Vec<&'b [Token<'a>]> {
    let mut items = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let end = item_end(tokens, at).unwrap_or(tokens.len() - 1);
        items.push(&tokens[at..=end]);
        at = end + 1;
    }
    items
}

/// The token at a place, or an empty text behind the last one.
fn text<'a>(tokens: &[Token<'a>], at: usize) -> &'a str {
    tokens.get(at).map_or("", |token| token.0)
}

fn is_word(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
}

/// Where an item begins behind its attributes and its visibility.
fn beginning(item: &[Token]) -> usize {
    let mut at = 0;
    loop {
        at = match (text(item, at), text(item, at + 1)) {
            ("#", "!") => behind(item, at + 2),
            ("#", _) | ("pub", "(") => behind(item, at + 1),
            ("pub", _) => at + 1,
            _ => return at,
        };
    }
}

/// The place behind the bracket that closes the one at `open`.
fn behind(tokens: &[Token], open: usize) -> usize {
    let mut inside = 0;
    for at in open..tokens.len() {
        match text(tokens, at) {
            "(" | "[" | "{" => inside += 1,
            ")" | "]" | "}" => inside -= 1,
            _ => {}
        }
        if inside == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

/// The name that an item declares; of a macro, all that may be declared by what is in it.
fn declared(item: &[Token]) -> Vec<String> {
    let is_macro = text(item, 1) == "!";
    let places = (0..item.len())
        .take_while(|&at| is_macro || !matches!(text(item, at), "{" | "(" | "="))
        .filter(|&at| KEYWORDS.contains(&text(item, at)));
    places
        .map(|at| text(item, at + 1))
        .filter(|name| is_word(name) && !KEYWORDS.contains(name))
        .map(str::to_owned)
        .collect()
}

/// All paths and words of an item.
fn written(item: &[Token]) -> Vec<ModulePath> {
    let starts = (0..item.len()).filter(|&at| {
        let before = at.checked_sub(1).map_or("", |before| text(item, before));
        is_word(text(item, at)) && !matches!(before, "::" | ".")
    });
    starts
        .flat_map(|at| tree(&item[at..]))
        .map(|(_, path)| path)
        .collect()
}

/// The leaves of a `use` tree, or a single path, with the names they get.
fn tree(tokens: &[Token]) -> Vec<(String, ModulePath)> {
    let mut leaves = Vec::new();
    let mut open: Vec<ModulePath> = Vec::new();
    let mut path: ModulePath = Vec::new();
    let mut name = None;
    for at in 0..tokens.len() {
        let next = text(tokens, at + 1);
        match tokens[at].0 {
            "::" if next == "{" => open.push(path.clone()),
            "::" => {}
            "{" if at > 0 && tokens[at - 1].0 == "::" => {}
            "as" => name = Some(next.to_owned()),
            _ if at > 0 && tokens[at - 1].0 == "as" => {}
            "," | "}" if !open.is_empty() => {
                if path.len() > open[open.len() - 1].len() {
                    leaves.extend(leaf(name.take(), path));
                }
                path = open[open.len() - 1].clone();
                if tokens[at].0 == "}" {
                    open.pop();
                    path = open.last().cloned().unwrap_or_default();
                }
            }
            word if is_word(word) || word == "*" => {
                path.push(word.to_owned());
                if open.is_empty() && !matches!(next, "::" | "as") {
                    break;
                }
            }
            _ => break,
        }
    }
    leaves.extend(leaf(name, path));
    leaves
}

/// A path with the name that it gets. `a::{self}` is `a`.
fn leaf(name: Option<String>, mut path: ModulePath) -> Option<(String, ModulePath)> {
    if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    let last = path.last()?.clone();
    Some((name.unwrap_or(last), path))
}
