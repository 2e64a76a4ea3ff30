//! The functions of Python sources, by their indentation.

use crate::source::Function;

const QUOTES: &str = "\"\"\"";

/// Every `def`, also one inside another.
pub(crate) fn functions_of(text: &str) -> Vec<Function> {
    let mut found = Vec::new();
    let mut open: Vec<(usize, Function)> = Vec::new();
    let mut is_quoted = false;

    for (at, line) in text.lines().enumerate() {
        let code = line.trim_start();
        let indent = line.len() - code.len();
        // Neither a text of several lines nor the bracket behind parameters ends a function.
        if !is_quoted && !code.is_empty() && !code.starts_with(')') {
            while let Some((_, function)) = open.pop_if(|(outer, _)| indent <= *outer) {
                found.push(function);
            }
            if let Some(name) = name(code) {
                let (first, last) = (at + 1, at + 1);
                open.push((indent, Function { name, first, last }));
            }
        }

        if !code.is_empty() {
            for (_, function) in &mut open {
                function.last = at + 1;
            }
        }
        is_quoted ^= line.matches(QUOTES).count() % 2 == 1;
    }
    found.extend(open.into_iter().map(|(_, function)| function));
    found
}

/// The name of the function that begins on a line.
fn name(code: &str) -> Option<String> {
    let code = code.strip_prefix("async ").unwrap_or(code);
    let (name, _) = code.strip_prefix("def ")?.split_once('(')?;
    Some(name.to_owned())
}

#[test]
fn functions_end_where_the_indentation_does() {
    let text = "\
class A:
    def first(self):
        def inner(
            a,
        ):
            return a

        text = \"\"\"
not the end
\"\"\"
        return inner(text)

    async def second(self): pass


WAIT = 3
";
    let mut found: Vec<_> = functions_of(text)
        .into_iter()
        .map(|function| (function.first, function.last, function.name))
        .collect();
    found.sort();

    let expected = [(2, 11, "first"), (3, 6, "inner"), (13, 13, "second")];
    assert_eq!(
        found,
        expected.map(|(first, last, name)| (first, last, name.to_owned()))
    );
}
