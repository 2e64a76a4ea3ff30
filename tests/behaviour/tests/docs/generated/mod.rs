//! Tables between `<!-- generated: … -->` and `<!-- end -->`, made from their sources.

mod actions;
mod judge_config;
mod limits;
mod outcomes;
pub(crate) mod templates;

use crate::project::Text;

const START: &str = "<!-- generated: ";
const END: &str = "<!-- end -->";

/// The page with its tables as they should be.
pub(crate) fn filled(page: &Text) -> String {
    let mut parts = page.text.split(START);
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        // In prose the marker may be named; only a marker that is closed has a table.
        let Some((what, rest)) = part.split_once(" -->\n") else {
            filled = filled + START + part;
            continue;
        };

        let (_, after) = rest
            .split_once(END)
            .unwrap_or_else(|| panic!("{}: `{what}` has no {END}", page.name));
        filled = format!("{filled}{START}{what} -->\n{}{END}{after}", table(what));
    }
    filled
}

fn table(what: &str) -> String {
    match what.split_once(' ') {
        Some(("action", name)) => actions::table_of(name),
        None if what == "every-action" => actions::common(),
        Some(("template", path)) => templates::table_of(path),
        None if what == "limits" => limits::table(),
        None if what == "judge-config" => judge_config::table(),
        None if what == "outcomes" => outcomes::table(),
        _ => panic!("unknown table `{what}`"),
    }
}
