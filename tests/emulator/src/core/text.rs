//! Small conversions of text that several services need.

pub(crate) use aws_smithy_types::base64;

/// A member's name as error messages have it: its first letter is lower case.
pub(crate) fn camel_case(name: &str) -> String {
    let mut letters = name.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// The name at the end of an ARN; a name is its own.
pub(crate) fn short_name(name_or_arn: &str) -> &str {
    name_or_arn.rsplit('/').next().unwrap_or(name_or_arn)
}

/// Two lower-case digits a byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_bytes_are_written_as_services_write_them() {
        assert_eq!(camel_case("MaxResults"), "maxResults");
        assert_eq!(camel_case(""), "");
        assert_eq!(
            short_name("arn:aws:ecs:eu-west-1:111122223333:service/apps/web"),
            "web"
        );
        assert_eq!(short_name("web"), "web");
        assert_eq!(hex(&[0, 171, 16]), "00ab10");
    }
}
