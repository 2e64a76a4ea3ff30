//! The `aws-chunked` body, in which the SDKs send streams with a trailing checksum.

use super::error;
use crate::ApiError;

/// The bytes of the object: `<hex length>[;chunk-signature=…]\r\n<bytes>\r\n` until a chunk of
/// length 0; trailers are left out.
pub(super) fn decode(mut body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let mut decoded = Vec::new();
    loop {
        let end = body
            .windows(2)
            .position(|pair| pair == b"\r\n")
            .ok_or_else(incomplete)?;
        let line = std::str::from_utf8(&body[..end]).map_err(|_| incomplete())?;
        let length = line.split(';').next().unwrap_or_default();
        let length = usize::from_str_radix(length.trim(), 16).map_err(|_| incomplete())?;

        body = &body[end + 2..];
        if length == 0 {
            return Ok(decoded);
        }

        decoded.extend_from_slice(body.get(..length).ok_or_else(incomplete)?);
        body = body[length..]
            .strip_prefix(b"\r\n")
            .ok_or_else(incomplete)?;
    }
}

fn incomplete() -> ApiError {
    error(
        400,
        "IncompleteBody",
        "The request body terminated unexpectedly",
    )
}
