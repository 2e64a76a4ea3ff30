//! Conditions of a tag that a pattern of EventBridge cannot state: a range of versions, or a
//! regular expression.

use regex_lite::Regex;
use semver::{Version, VersionReq};
use serde::Deserialize;

/// A condition of a tag, beside the pipeline's pattern.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "String")]
pub enum TagRule {
    /// Every tag that matches the pattern.
    #[default]
    Any,
    /// Versions in a range; pre-releases only if the range names one of the same version.
    Versions(VersionReq),
    /// The whole tag matches an expression.
    Expression(Regex),
}

impl TryFrom<String> for TagRule {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let refused = |why: String| {
            format!(
                "`tag_rule` is `{text}`; expected \"semver:\" with a range of versions, such as \
                 semver:^1.4, \"regex:\" with a regular expression, or nothing: {why}"
            )
        };
        match text.split_once(':') {
            None if text.is_empty() => Ok(Self::Any),
            Some(("semver", range)) => VersionReq::parse(range)
                .map(Self::Versions)
                .map_err(|e| refused(e.to_string())),
            Some(("regex", expression)) => Regex::new(&format!("^(?:{expression})$"))
                .map(Self::Expression)
                .map_err(|e| refused(e.to_string())),
            _ => Err(refused("it begins with neither".to_owned())),
        }
    }
}

impl TagRule {
    /// Why an image with this tag is not delivered.
    #[must_use]
    pub fn why_unmatched(&self, tag: &str) -> Option<String> {
        match self {
            Self::Any => None,
            Self::Versions(range) => {
                let Ok(version) = Version::parse(tag.strip_prefix('v').unwrap_or(tag)) else {
                    return Some(format!(
                        "tag `{tag}` is not a version such as 1.4.0 or v1.4.0; expected one in the \
                         pipeline's range {range}"
                    ));
                };
                (!range.matches(&version)).then(|| {
                    format!("tag `{tag}` is not in the pipeline's range of versions {range}")
                })
            }
            Self::Expression(expression) => (!expression.is_match(tag)).then(|| {
                format!("tag `{tag}` does not match the pipeline's regular expression {expression}")
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rule(text: &str) -> TagRule {
        serde_json::from_value(json!(text)).expect("understood")
    }

    /// Those of the tags that a rule delivers.
    fn delivered<'a>(text: &str, tags: &[&'a str]) -> Vec<&'a str> {
        let rule = rule(text);
        let tags = tags.iter().copied();
        tags.filter(|tag| rule.why_unmatched(tag).is_none())
            .collect()
    }

    #[test]
    fn versions_of_a_range_are_delivered_with_and_without_a_v() {
        let tags = [
            "1.3.9", "1.4.0", "v1.9.2", "2.0.0", "1.4", "latest", "sha-0a1b",
        ];
        assert_eq!(delivered("semver:^1.4", &tags), ["1.4.0", "v1.9.2"]);
        assert_eq!(delivered("semver:>=1.4, <2", &tags), ["1.4.0", "v1.9.2"]);
        assert_eq!(delivered("semver:=1.4.0", &tags), ["1.4.0"]);
        assert_eq!(
            delivered("semver:*", &tags),
            ["1.3.9", "1.4.0", "v1.9.2", "2.0.0"]
        );
    }

    #[test]
    fn pre_releases_are_delivered_only_if_the_range_names_one() {
        let tags = ["1.5.0-rc.1", "1.5.0-rc.2", "1.5.0", "1.6.0-rc.1"];
        assert_eq!(delivered("semver:^1.4", &tags), ["1.5.0"]);
        assert_eq!(
            delivered("semver:^1.5.0-rc.2", &tags),
            ["1.5.0-rc.2", "1.5.0"]
        );
    }

    #[test]
    fn an_expression_matches_the_whole_tag() {
        let tags = ["v1", "v12", "dev-v1", "v1-rc", "stable"];
        assert_eq!(delivered("regex:v[0-9]+", &tags), ["v1", "v12"]);
        assert_eq!(delivered("regex:stable|v[0-9]", &tags), ["v1", "stable"]);
    }

    #[test]
    fn without_a_rule_every_tag_is_delivered() {
        for none in [TagRule::default(), rule("")] {
            assert_eq!(none.why_unmatched("latest"), None);
        }
    }

    #[test]
    fn the_reason_names_the_tag_and_the_rule() {
        let why = |text: &str, tag: &str| rule(text).why_unmatched(tag).expect("unmatched");
        assert_eq!(
            why("semver:^1.4", "2.0.0"),
            "tag `2.0.0` is not in the pipeline's range of versions ^1.4"
        );
        assert_eq!(
            why("semver:^1.4", "latest"),
            "tag `latest` is not a version such as 1.4.0 or v1.4.0; expected one in the \
             pipeline's range ^1.4"
        );
        assert_eq!(
            why("regex:v[0-9]+", "dev"),
            "tag `dev` does not match the pipeline's regular expression ^(?:v[0-9]+)$"
        );
    }

    #[test]
    fn a_rule_that_is_neither_is_refused_with_what_is_expected() {
        for wrong in ["v1", "glob:v*", "semver:newest", "regex:v[0-9"] {
            let refused = serde_json::from_value::<TagRule>(json!(wrong)).expect_err("refused");
            let refused = refused.to_string();
            let named = format!("`tag_rule` is `{wrong}`; expected \"semver:\"");
            assert!(refused.starts_with(&named), "{refused}");
        }
    }
}
