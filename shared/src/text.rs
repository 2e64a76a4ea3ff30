//! Texts of files that other tools wrote: UTF-8 with or without a byte-order mark, and
//! UTF-16, which PowerShell writes by default.
//!
//! Never guesses: without a mark a text is UTF-8.

use std::borrow::Cow;

/// The bytes of a file as UTF-8 without a byte-order mark.
///
/// # Errors
/// If the text has a mark of UTF-16 and is not valid in it.
pub fn utf8(bytes: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => Ok(Cow::Borrowed(rest)),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => Ok(Cow::Borrowed(bytes)),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Cow<'_, [u8]>, String> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();

    String::from_utf16(&units)
        .ok()
        .filter(|_| rest.is_empty())
        .map(|text| Cow::Owned(text.into_bytes()))
        .ok_or_else(|| "the text is not valid UTF-16; expected UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_removed_and_utf_16_is_converted() {
        let text = "[\"ä\", \"\u{1f600}\"]";
        let in_units = |mark: [u8; 2], bytes: fn(u16) -> [u8; 2]| {
            let units = text.encode_utf16().flat_map(bytes);
            mark.into_iter().chain(units).collect::<Vec<u8>>()
        };

        for written in [
            text.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            in_units([0xff, 0xfe], u16::to_le_bytes),
            in_units([0xfe, 0xff], u16::to_be_bytes),
        ] {
            assert_eq!(utf8(&written).as_deref(), Ok(text.as_bytes()));
        }
    }

    #[test]
    fn a_broken_text_is_refused() {
        let refused = Err("the text is not valid UTF-16; expected UTF-8".to_owned());
        assert_eq!(utf8(b"\xff\xfe{"), refused);
        assert_eq!(utf8(b"\xff\xfe\x00\xd8"), refused);
        assert_eq!(utf8(b"").as_deref(), Ok(&b""[..]));
    }
}
