//! The outcomes of a release, from the variants of `Outcome` and their comments.

use crate::markdown::{cell, table as rows_of};
use crate::project;

const FILE: &str = "shared/src/release/outcome.rs";

pub(super) fn table() -> String {
    let text = project::read(FILE);
    let declared = text.split("pub enum Outcome {").nth(1);
    let declared = declared.unwrap_or_else(|| panic!("{FILE} has no `Outcome`"));

    let (mut rows, mut comment) = (Vec::new(), String::new());
    for line in declared.lines().map(str::trim).skip(1) {
        if line == "}" {
            break;
        }
        if let Some(more) = line.strip_prefix("///") {
            comment += more;
            continue;
        }

        let name = line.split('"').nth(1);
        let name = name.unwrap_or_else(|| panic!("{FILE}: no variant with its name in `{line}`"));
        assert!(!comment.is_empty(), "{FILE}: `{name}` has no comment");
        rows.push(vec![format!("`{name}`"), cell(&comment)]);
        comment.clear();
    }

    rows_of(&["outcome", "meaning"], &rows)
}
