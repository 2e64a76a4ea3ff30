//! The two ways in which a policy's text stands for many: `*` and `?` anywhere, and an ARN compared
//! part by part.

/// Whether `*` (any number of characters, colons too) and `?` (one character) make the pattern into
/// the text.
///
/// Source:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>
pub(super) fn wildcard(pattern: &str, text: &str) -> bool {
    wildcard_by(pattern, text, |letter, other| letter == other)
}

/// The same without regard to upper and lower case.
pub(super) fn wildcard_ignoring_case(pattern: &str, text: &str) -> bool {
    wildcard_by(pattern, text, |letter, other| {
        letter.eq_ignore_ascii_case(&other)
    })
}

fn wildcard_by(pattern: &str, text: &str, is_same: impl Fn(u8, u8) -> bool) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut from) = (0, 0);

    // Where the last `*` stands, and how far the text had come when it was met: the place to try
    // again from.
    let mut star = None;
    while from < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(letter) if *letter == b'?' || is_same(*letter, text[from]) => {
                at += 1;
                from += 1;
            }
            _ => {
                let Some((last, met)) = star else {
                    return false;
                };
                star = Some((last, met + 1));
                at = last + 1;
                from = met + 1;
            }
        }
    }
    pattern[at..].iter().all(|letter| *letter == b'*')
}

/// ArnLike and ArnEquals, which are the same: the six parts of an ARN are compared one by one.
///
/// Source:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>
pub(super) fn arn_like(pattern: &str, arn: &str) -> bool {
    let (patterns, parts): (Vec<_>, Vec<_>) = (
        pattern.splitn(6, ':').collect(),
        arn.splitn(6, ':').collect(),
    );
    parts.len() == 6
        && patterns.len() == parts.len()
        && patterns
            .iter()
            .zip(&parts)
            .all(|(pattern, part)| wildcard(pattern, part))
}
