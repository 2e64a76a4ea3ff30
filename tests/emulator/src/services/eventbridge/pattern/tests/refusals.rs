//! What each operator does not take, in the words of
//! <https://github.com/aws/event-ruler>, `JsonRuleCompiler`.

use super::refusal;

/// Match expressions, each with how its refusal begins.
const EXPRESSIONS: &str = r#"
{"exactly": 33} | exact match pattern must be a string
{"prefix": 3} | prefix match pattern must be a string
{"prefix": {"wildcard": "x"}} | Unsupported prefix pattern: wildcard
{"prefix": {"equals-ignore-case": ["x"]}} | equals-ignore-case match pattern must be a string
{"suffix": [1]} | suffix match pattern must be a string
{"suffix": {}} | Suffix expression name not found
{"suffix": {"equals-ignore-case": "x"}, "y": 1} | Only one key allowed in match expression
{"equals-ignore-case": ["x"]} | equals-ignore-case match pattern must be a string
{"wildcard": ["x"]} | wildcard match pattern must be a string
{"wildcard": "a**b"} | Consecutive wildcard characters at pos 2
{"wildcard": "a\\"} | Invalid escape character at pos 2
{"cidr": 5} | prefix match pattern must be a string
{"cidr": "10.0.0.0"} | Malformed CIDR, one '/' required
{"cidr": "10.0.0.0/x"} | Malformed CIDR, mask bits must be an integer
{"cidr": "10.0.0.0/-1"} | Malformed CIDR, mask bits must not be negative
{"cidr": "web/8"} | Nonstandard IP address: web
{"cidr": "::/128"} | IPv6 mask bits must be < 128
{"exists": "true"} | exists match pattern must be either true or false.
{"anything-but": null} | Value of anything-but must be an array or single string/number value.
{"anything-but": []} | Inside anything but list, either all values are number or string
{"anything-but": ["x", 1]} | Inside anything but list, either all values are number or string
{"anything-but": [null]} | Inside anything but list, start|null|boolean is not supported.
{"anything-but": {}} | Anything-But expression name not found
{"anything-but": {"prefix": ""}} | Null prefix/suffix not allowed
{"anything-but": {"suffix": ["x", ""]}} | Null prefix/suffix not allowed
{"anything-but": {"suffix": 1}} | prefix/suffix match pattern must be a string
{"anything-but": {"wildcard": ["x", "a**"]}} | Consecutive wildcard characters at pos 2
{"anything-but": {"equals-ignore-case": [1]}} | Inside anything-but/equals-ignore-case list, number
{"anything-but": {"prefix": "x", "suffix": "y"}} | Too many elements in numeric expression
{"anything-but": {"exists": true}} | Unsupported anything-but pattern: exists
{"numeric": 5} | Value of numeric must be an array.
{"numeric": []} | Invalid member in numeric match: ]
{"numeric": ["="]} | Value of equals must be numeric
{"numeric": ["=", 1, 2]} | Too many elements in numeric expression
{"numeric": ["<=", "5"]} | Value of <= must be numeric
{"numeric": ["<", 5, ">", 1]} | Too many elements in numeric expression
{"numeric": [">", 1, ">", 2]} | Bad numeric range operator: >
{"numeric": [">", 1, 2]} | Bad value in numeric range: 2
{"numeric": [">", 1, "<", 5, 6]} | Too many terms in numeric range expression
{"numeric": ["=", 1E-325]} | Cannot compare number : 1E-325
{"regex": "x"} | Unrecognized match type regex
"#;

/// Whole patterns.
const PATTERNS: &str = r#"
[] | Filter is not an object
{} | Empty objects are not allowed
{"a": 1} | "a" must be an object or an array
{"a": {"b": "x"}} | "b" must be an object or an array
{"a": []} | Empty arrays are not allowed
{"$or": [{"prefix": ["x"]}, {"a": [1]}]} | prefix is Ruler reserved fieldName which cannot be used
{"$or": [{"a": {"=": [1]}}, {"b": [1]}]} | = is Ruler reserved fieldName which cannot be used
"#;

fn cases(lines: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = lines.lines().filter(|line| !line.is_empty());
    lines.map(|line| line.split_once(" | ").expect("two columns"))
}

#[test]
fn each_operator_refuses_what_it_does_not_take() {
    let of_expressions =
        cases(EXPRESSIONS).map(|(text, why)| (format!(r#"{{"a": [{text}]}}"#), why));
    let of_patterns = cases(PATTERNS).map(|(text, why)| (text.to_owned(), why));

    let mut count = 0;
    for (pattern, why) in of_expressions.chain(of_patterns) {
        let refused = refusal(&pattern);
        assert!(refused.starts_with(why), "{pattern}: {refused}");
        count += 1;
    }
    assert_eq!(count, 48);
}
