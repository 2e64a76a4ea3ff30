//! The mutations fit the source code as it is now, so that none is lost unnoticed when the code
//! changes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use mutants::{
    copy,
    mutation::{self, Mutation},
};

fn all() -> Vec<Mutation> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    mutation::read_all(&root.join("tests/simulation/mutations")).expect("mutations")
}

/// The files of the copy in which these mutations stand.
fn woven(mutations: &[Mutation]) -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    copy::mutated(mutations, |file| fs::read_to_string(root.join(file)))
        .unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_mutation_fits_the_source() {
    let files = woven(&all());
    assert!(!files.is_empty());
    assert!(
        files
            .keys()
            .all(|file| file.starts_with("shared/src/") || file.starts_with("functions/"))
    );
}

#[test]
fn every_mutation_is_an_expression_or_a_statement() {
    let mutations = all();
    let is_wrong = |text: &String| syn::parse_file(text).is_err();
    let files = woven(&mutations);
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
