//! The mutations fit the source code as it is now, so that none is lost unnoticed when the code
//! changes.

use std::fs;
use std::path::Path;

use mutants::{copy, mutation};

#[test]
fn every_mutation_fits_the_source() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mutations =
        mutation::read_all(&root.join("tests/simulation/mutations")).expect("mutations");
    let texts = copy::mutated(&mutations, |file| fs::read_to_string(root.join(file)));
    let texts = texts.unwrap_or_else(|error| panic!("{error}"));
    assert!(
        texts
            .keys()
            .all(|file| file.starts_with("shared/src/") || file.starts_with("functions/"))
    );
}
