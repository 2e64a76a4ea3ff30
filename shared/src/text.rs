//! Texts of JSON that other tools wrote: UTF-8 and UTF-16, which PowerShell writes by default, with
//! or without a byte-order mark.
//!
//! Never guesses: a mark is decisive, and without one the zero octets are. JSON begins with two
//! characters of ASCII and has no zero character, so that only UTF-16 has one octet of zero in each
//! of the first two pairs (RFC 4627, section 3).

use std::borrow::Cow;

/// The bytes of a JSON text as UTF-8 without a byte-order mark.
///
/// # Errors
/// If the text begins as UTF-16 does and is not valid in it.
pub fn utf8(bytes: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => Ok(Cow::Borrowed(rest)),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [1..=0xff, 0, 1..=0xff, 0, ..] => utf16(bytes, u16::from_le_bytes),
        [0, 1..=0xff, 0, 1..=0xff, ..] => utf16(bytes, u16::from_be_bytes),
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
    fn marks_are_removed_and_utf_16_is_converted_with_or_without_one() {
        let text = "[\"ä\", \"\u{1f600}\"]";
        let in_units = |mark: &[u8], bytes: fn(u16) -> [u8; 2]| {
            let units = text.encode_utf16().flat_map(bytes);
            mark.iter().copied().chain(units).collect::<Vec<u8>>()
        };

        for written in [
            text.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            in_units(&[0xff, 0xfe], u16::to_le_bytes),
            in_units(&[0xfe, 0xff], u16::to_be_bytes),
            in_units(&[], u16::to_le_bytes),
            in_units(&[], u16::to_be_bytes),
        ] {
            assert_eq!(utf8(&written).as_deref(), Ok(text.as_bytes()));
        }
    }

    #[test]
    fn the_shortest_texts_are_recognised_and_others_left_alone() {
        assert_eq!(utf8(b"[\0]\0").as_deref(), Ok(&b"[]"[..]));
        assert_eq!(utf8(b"\0{\0}").as_deref(), Ok(&b"{}"[..]));

        for other in [
            &b"[]"[..],
            b"[\0]",
            b"\0\0\0[",
            b"[\0\0\0",
            b"\0[]\0",
            b"[\0\0]",
        ] {
            assert_eq!(utf8(other).as_deref(), Ok(other));
        }
    }

    #[test]
    fn a_broken_text_is_refused() {
        let refused = Err("the text is not valid UTF-16; expected UTF-8".to_owned());
        assert_eq!(utf8(b"\xff\xfe{"), refused);
        assert_eq!(utf8(b"\xff\xfe\x00\xd8"), refused);
        assert_eq!(utf8(b"{\0}\0\n"), refused);
        assert_eq!(utf8(b"").as_deref(), Ok(&b""[..]));
    }
}
