//! The mutations fit the source code as it is now, so that none is lost unnoticed when the code
//! changes.

mod bindings;
mod program;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use bindings::hidden;
use mutants::{
    copy,
    mutation::{self, Mutation},
    weave::MUTATED,
};
use program::{canonical, without_switches};

fn all() -> Vec<Mutation> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    mutation::read_all(&root.join("tests/simulation/mutations")).expect("mutations")
}

/// The files of the copy in which all mutations stand.
static FILES: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| woven(&all()));

/// The files of the copy in which these mutations stand.
fn woven(mutations: &[Mutation]) -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    copy::mutated(mutations, |file| fs::read_to_string(root.join(file)))
        .unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_mutation_fits_the_source() {
    let files = &*FILES;
    assert!(!files.is_empty());
    let folders = ["cli/src/", "functions/", "shared/src/"];
    let is_ours = |file: &String| folders.iter().any(|folder| file.starts_with(folder));
    assert!(files.keys().all(is_ours));
}

#[test]
fn every_mutation_is_an_expression_or_a_statement() {
    let mutations = all();
    let is_wrong = |text: &String| syn::parse_file(text).is_err();
    let files = &*FILES;
    let in_wrong_files = mutations.iter().filter(|mutation| {
        mutation
            .edits
            .iter()
            .any(|edit| is_wrong(&files[&edit.file]))
    });
    let names: Vec<&str> = in_wrong_files
        .filter(|mutation| {
            woven(std::slice::from_ref(*mutation))
                .values()
                .any(is_wrong)
        })
        .map(|mutation| mutation.name.as_str())
        .collect();

    assert_eq!(names, Vec::<&str>::new());
    assert!(
        !files.values().any(is_wrong),
        "two of them do not go together"
    );
}

#[test]
fn no_mutation_hides_a_binding_that_others_read() {
    let hides = |text: &String| !hidden(text).is_empty();
    let names: Vec<String> = all()
        .into_iter()
        .filter(|mutation| mutation.edits.iter().any(|edit| hides(&FILES[&edit.file])))
        .filter(|mutation| woven(std::slice::from_ref(mutation)).values().any(hides))
        .map(|mutation| mutation.name)
        .collect();

    assert_eq!(names, Vec::<String>::new());
}

/// An edit that takes less than a whole expression groups the operators around it in another way
/// even while it is off. What has its switch written into it is left out here.
#[test]
fn no_mutation_changes_the_program_while_it_is_off() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut mutations = all();
    for mutation in &mut mutations {
        mutation
            .edits
            .retain(|edit| !edit.replace.contains(MUTATED));
    }

    let changed = |(file, text): (&String, &String)| {
        let before = fs::read_to_string(root.join(file)).expect("a file");
        let differs = canonical(&before) != without_switches(text);
        differs.then(|| file.clone())
    };
    let files: Vec<String> = woven(&mutations).iter().filter_map(changed).collect();
    let names: Vec<&str> = mutations
        .iter()
        .filter(|mutation| mutation.edits.iter().any(|edit| files.contains(&edit.file)))
        .filter(|mutation| {
            let alone = woven(std::slice::from_ref(*mutation));
            alone.iter().any(|file| changed(file).is_some())
        })
        .map(|mutation| mutation.name.as_str())
        .collect();

    assert_eq!(names, Vec::<&str>::new());
    assert_eq!(files, Vec::<String>::new());
}

#[test]
fn an_edit_of_less_than_an_expression_is_seen() {
    let text = "fn a() -> bool { b() || c() && d() }";
    for (find, is_whole) in [
        ("c() && d()", true),
        ("b()", true),
        ("b() || c() && d()", true),
        ("b() || c()", false),
    ] {
        let switched = format!("(if slipway::mutants::is(3) {{ x }} else {{ {find} }})");
        let woven = text.replace(find, &switched);
        assert_eq!(
            canonical(text) == without_switches(&woven),
            is_whole,
            "{find}"
        );
    }

    let statement = "fn a() { if slipway::mutants::is(3) { } else { b(); c(); } d(); }";
    assert_eq!(
        without_switches(statement),
        canonical("fn a() { b(); c(); d(); }")
    );
    let within = "fn a() { f!((if slipway::mutants::is(3) { x } else { b }), c) }";
    assert_eq!(without_switches(within), canonical("fn a() { f!(b, c) }"));
}

#[test]
fn a_binding_behind_a_switch_that_others_read_is_seen() {
    for (statements, after, expected) in [
        ("let a = b();", "c(a);", &["a"][..]),
        (
            "let (a, Some(d)) = b() else { return };",
            "c(d); c(a);",
            &["a", "d"],
        ),
        ("let a = b();", "let a = a + 1;", &["a"]),
        ("let a = b();", "format!(\"{a}\");", &["a"]),
        ("let a = b();", "warn!(%a, \"text\");", &["a"]),
        ("let a = b();", "if c { S { a } }", &["a"]),
        (
            "if slipway::mutants::is(4) { } else { let a = b(); }",
            "c(a);",
            &["a"],
        ),
        // Read within the range only, bound anew, or another thing of the same name.
        ("let a = b(); c(a);", "d();", &[]),
        ("let a = b(); c(a);", "let a = d(); c(a);", &[]),
        ("let a = b(); c(a);", "d.a(S { a: 1 }.a, \"a\");", &[]),
        ("b();", "c(a);", &[]),
    ] {
        let text = format!(
            "fn f() {{ if slipway::mutants::is(3) {{ }} else {{ {statements} }} {after} }}"
        );
        assert_eq!(hidden(&text), expected, "{text}");
    }

    let without_switch = "fn f() { if other(3) { } else { let a = b(); c(a); } c(a); }";
    assert_eq!(hidden(without_switch), Vec::<String>::new());
}
