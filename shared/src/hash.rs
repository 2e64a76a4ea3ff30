//! Hashes by which what has no name of its own is recognised.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// The SHA-256 of a text, in 64 lower-case hexadecimal digits.
pub(crate) fn sha256(text: &str) -> String {
    let mut hex = String::new();
    for byte in Sha256::digest(text) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first test vector of FIPS 180-4.
    #[test]
    fn the_hash_of_a_known_text_is_the_published_one() {
        assert_eq!(
            sha256("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
