//! Event patterns: what matches, and what is refused.

use super::{Fields, Pattern};

mod refusals;

fn matches(pattern: &str, event: &str) -> bool {
    let pattern = Pattern::parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    pattern.matches(&Fields::of(event).expect("an event is a JSON object"))
}

fn check(cases: &[(&str, &str, bool)]) {
    for (pattern, event, expected) in cases {
        assert_eq!(matches(pattern, event), *expected, "{pattern} {event}");
    }
}

fn refusal(pattern: &str) -> String {
    let message = Pattern::parse(pattern).unwrap_err().message;
    let reason = message.strip_prefix("Event pattern is not valid. Reason: ");
    reason.expect("the words before the reason").to_owned()
}

#[test]
fn values_are_compared_as_they_are_written() {
    check(&[
        (r#"{"a": [300]}"#, r#"{"a": 3.0e2}"#, true),
        (r#"{"a": [300]}"#, r#"{"a": "300"}"#, false),
        (r#"{"a": ["300"]}"#, r#"{"a": 300}"#, false),
        // More digits than a double has are compared as text.
        (
            r#"{"a": [123456789012345678901]}"#,
            r#"{"a": 123456789012345678901}"#,
            true,
        ),
        (
            r#"{"a": [123456789012345678901]}"#,
            r#"{"a": 123456789012345678902}"#,
            false,
        ),
        (r#"{"a": [null]}"#, r#"{"a": null}"#, true),
        (r#"{"a": [null]}"#, r#"{"b": 1}"#, false),
        (r#"{"a": [true, ""]}"#, r#"{"a": ""}"#, true),
        (r#"{"a": ["\u00e9"]}"#, r#"{"a": "é"}"#, true),
        (r#"{"a": ["10.0.0.1"]}"#, r#"{"a": "10.0.0.01"}"#, true),
        (r#"{"a": ["::1"]}"#, r#"{"a": "0:0:0:0:0:0:0:1"}"#, true),
    ]);
}

#[test]
fn strings_are_matched_by_their_ends_and_without_case() {
    check(&[
        (
            r#"{"a": [{"prefix": {"equals-ignore-case": "É"}}]}"#,
            r#"{"a": "été"}"#,
            true,
        ),
        (
            r#"{"a": [{"suffix": {"equals-ignore-case": ".PNG"}}]}"#,
            r#"{"a": "x.pNg"}"#,
            true,
        ),
        (r#"{"a": [{"prefix": ""}]}"#, r#"{"a": "x"}"#, true),
        (r#"{"a": [{"prefix": ""}]}"#, r#"{"a": 1}"#, false),
        (r#"{"a": [{"wildcard": "*"}]}"#, r#"{"a": ""}"#, true),
        (r#"{"a": [{"wildcard": "*"}]}"#, r#"{"a": null}"#, false),
        (
            r#"{"a": [{"wildcard": "a\\*b*"}]}"#,
            r#"{"a": "a*bc"}"#,
            true,
        ),
        (
            r#"{"a": [{"wildcard": "a\\*b*"}]}"#,
            r#"{"a": "axbc"}"#,
            false,
        ),
        (
            r#"{"a": [{"wildcard": "a\\\\b"}]}"#,
            r#"{"a": "a\\b"}"#,
            true,
        ),
        (
            r#"{"a": [{"wildcard": "a*b*c"}]}"#,
            r#"{"a": "abXbYc"}"#,
            true,
        ),
        (
            r#"{"a": [{"wildcard": "a*b*c"}]}"#,
            r#"{"a": "acb"}"#,
            false,
        ),
        (
            r#"{"a": [{"equals-ignore-case": "ABC"}]}"#,
            r#"{"a": "aBc"}"#,
            true,
        ),
    ]);
}

#[test]
fn anything_but_takes_every_other_value_but_not_none() {
    check(&[
        (r#"{"a": [{"anything-but": "x"}]}"#, r#"{"a": null}"#, true),
        (r#"{"a": [{"anything-but": "x"}]}"#, r#"{"b": 1}"#, false),
        (
            r#"{"a": [{"anything-but": "x"}]}"#,
            r#"{"a": ["x", "y"]}"#,
            true,
        ),
        (
            r#"{"a": [{"anything-but": [1, 2]}]}"#,
            r#"{"a": 1.0}"#,
            false,
        ),
        (
            r#"{"a": [{"anything-but": [1, 2]}]}"#,
            r#"{"a": "1"}"#,
            true,
        ),
        (
            r#"{"a": [{"anything-but": {"prefix": ["x", "y"]}}]}"#,
            r#"{"a": "yes"}"#,
            false,
        ),
        (
            r#"{"a": [{"anything-but": {"suffix": "s"}}]}"#,
            r#"{"a": 5}"#,
            true,
        ),
        (
            r#"{"a": [{"anything-but": {"equals-ignore-case": ["X"]}}]}"#,
            r#"{"a": "x"}"#,
            false,
        ),
        (
            r#"{"a": [{"anything-but": {"wildcard": "*/b/*"}}]}"#,
            r#"{"a": "a/b/c"}"#,
            false,
        ),
        (
            r#"{"a": [{"anything-but": {"wildcard": "*/b/*"}}]}"#,
            r#"{"a": "a/c"}"#,
            true,
        ),
    ]);
}

#[test]
fn numbers_and_addresses_have_ranges() {
    check(&[
        (
            r#"{"a": [{"numeric": [">", 0, "<=", 5]}]}"#,
            r#"{"a": 5.0}"#,
            true,
        ),
        (
            r#"{"a": [{"numeric": [">", 0, "<=", 5]}]}"#,
            r#"{"a": 0}"#,
            false,
        ),
        (
            r#"{"a": [{"numeric": ["=", 3.018e2]}]}"#,
            r#"{"a": 301.8}"#,
            true,
        ),
        (r#"{"a": [{"numeric": ["<", 10]}]}"#, r#"{"a": "5"}"#, false),
        (
            r#"{"a": [{"cidr": "10.0.0.0/24"}]}"#,
            r#"{"a": "10.0.0.255"}"#,
            true,
        ),
        (
            r#"{"a": [{"cidr": "10.0.0.0/24"}]}"#,
            r#"{"a": "10.0.1.0"}"#,
            false,
        ),
        (
            r#"{"a": [{"cidr": "10.0.0.0/24"}]}"#,
            r#"{"a": "web"}"#,
            false,
        ),
        (
            r#"{"a": [{"cidr": "2001:db8::/32"}]}"#,
            r#"{"a": "2001:db8::5"}"#,
            true,
        ),
    ]);
}

#[test]
fn values_of_one_item_of_an_array_belong_together() {
    let event = r#"{"list": [{"name": "a", "port": 1}, {"name": "b", "port": 2}]}"#;
    check(&[
        (r#"{"list": {"name": ["a"], "port": [1]}}"#, event, true),
        (r#"{"list": {"name": ["a"], "port": [2]}}"#, event, false),
        (
            r#"{"list": {"name": ["b"], "gone": [{"exists": false}]}}"#,
            event,
            true,
        ),
        (r#"{"a": [{"exists": true}]}"#, r#"{"a": []}"#, false),
        (r#"{"a": [{"exists": true}]}"#, r#"{"a": {"b": 1}}"#, false),
        (r#"{"a": [{"exists": false}]}"#, r#"{"a": {"b": 1}}"#, true),
        (r#"{"a": {"b": [{"exists": false}]}}"#, r#"{"a": 1}"#, true),
        (r#"{"a.b": [1]}"#, r#"{"a": {"b": 1}}"#, true),
    ]);
}

#[test]
fn an_or_multiplies_what_stands_beside_it() {
    let pattern = r#"{"a": [1], "$or": [{"b": [1]}, {"c": [1], "d": [1]}]}"#;
    check(&[
        (pattern, r#"{"a": 1, "b": 1}"#, true),
        (pattern, r#"{"a": 1, "c": 1, "d": 1}"#, true),
        (pattern, r#"{"a": 1, "c": 1}"#, false),
        (pattern, r#"{"b": 1, "c": 1, "d": 1}"#, false),
        // The last of two demands on one path counts.
        (r#"{"a": [1], "a": [2]}"#, r#"{"a": 2}"#, true),
        (r#"{"a": [1], "a": [2]}"#, r#"{"a": 1}"#, false),
    ]);
}

/// `$or` with so many choices.
fn choices(count: usize) -> String {
    let choices: Vec<String> = (0..count).map(|at| format!(r#"{{"a": [{at}]}}"#)).collect();
    format!(r#""$or": [{}]"#, choices.join(", "))
}

#[test]
fn an_or_leads_to_a_thousand_combinations_at_most() {
    let beside = |first: usize, second: usize| {
        let (first, second) = (choices(first), choices(second));
        format!(r#"{{"x": {{{first}}}, "y": {{{second}}}}}"#)
    };
    Pattern::parse(&beside(10, 100)).unwrap();
    assert!(refusal(&beside(11, 91)).starts_with("Rule is too complex"));

    // Each list counts, also one that is a choice of another.
    let within = format!(r#"{{"$or": [{{"b": [1]}}, {{{}}}]}}"#, choices(501));
    assert!(refusal(&within).starts_with("Rule is too complex"));
    let twice = format!("{{{}, {}}}", choices(40), choices(40));
    assert!(refusal(&twice).starts_with("Rule is too complex"));
}

#[test]
fn refusals_name_the_reason_and_the_place() {
    assert_eq!(
        refusal("{\"a\": {},\n \"b\": 1}"),
        "Empty objects are not allowed\n at [Source: (String)\"{\"a\": {},\n \"b\": 1}\"; line: 1, \
         column: 9]"
    );
}

/// Patterns that are malformed, with the reason of the refusal.
const MALFORMED: [(&str, &str); 7] = [
    (
        r#"{"$or": [{"a": [1]}]}"#,
        "There must have at least 2 Objects in $or relationship.",
    ),
    (r#"{"$or": {}}"#, "It must be an Array followed with $or."),
    (
        r#"{"$or": [1, 2]}"#,
        "Only JSON object is allowed in array of $or relationship.",
    ),
    (
        r#"{"a": [[]]}"#,
        "Match value must be String, number, true, false, or null",
    ),
    (r#"{"a": [{}]}"#, "Match expression name not found"),
    (
        r#"{"a": [{"prefix": "x", "suffix": "y"}]}"#,
        "Only one key allowed in match expression",
    ),
    (
        r#"{"a": ["#,
        "Unexpected end-of-input: expected close marker for Array",
    ),
];

/// Patterns with operands that their match expressions do not take, with the reason of the refusal.
const WRONG_OPERANDS: [(&str, &str); 6] = [
    (
        r#"{"a": [{"exists": 1}]}"#,
        "exists match pattern must be either true or false.",
    ),
    (
        r#"{"a": [{"anything-but": {"cidr": "x"}}]}"#,
        "Unsupported anything-but pattern: cidr",
    ),
    (
        r#"{"a": [{"numeric": ["!", 1]}]}"#,
        "Unrecognized numeric range operator: !",
    ),
    (
        r#"{"a": [{"numeric": [">", 5, "<", 5]}]}"#,
        "Bottom must be less than top",
    ),
    (
        r#"{"a": [{"numeric": ["=", 1e400]}]}"#,
        "Cannot compare number : 1e400",
    ),
    (
        r#"{"a": [{"wildcard": "\\x"}]}"#,
        "Invalid escape character at pos 1",
    ),
];

#[test]
fn refusals_have_the_words_of_event_ruler() {
    for (pattern, reason) in MALFORMED.into_iter().chain(WRONG_OPERANDS) {
        assert!(
            refusal(pattern).starts_with(reason),
            "{pattern}: {}",
            refusal(pattern)
        );
    }
    assert_eq!(
        refusal(r#"{"a": [{"cidr": "10.0.0.0/32"}]}"#),
        "IPv4 mask bits must be < 32"
    );
}

#[test]
fn wildcards_that_match_in_too_many_ways_are_refused() {
    let names = |names: &[&str]| {
        let wildcards = names
            .iter()
            .map(|name| format!(r#"{{"wildcard": "*:stack/{name}/*"}}"#));
        format!(r#"{{"a": [{}]}}"#, wildcards.collect::<Vec<_>>().join(", "))
    };
    Pattern::parse(&names(&["Auth", "Shared", "Benchmark"])).unwrap();
    let four = names(&["Auth", "Shared", "Benchmark", "Monitoring"]);
    assert!(refusal(&four).starts_with("Rule is too complex"));
}
