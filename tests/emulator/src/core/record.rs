//! What the conformance checks look at: calls, events and invocations, written down as they pass.
//!
//! Off unless the environment names a folder in `SLIPWAY_RECORD`; then every process appends JSON
//! Lines to a file of its own: below `units` in the emulator's own tests, which invent events and
//! inputs that no run has, and below `runs` everywhere else. What differs from an earlier line of
//! the same process only in numbers, ids and times is left out, since a run makes hundreds of
//! thousands of calls and a few hundred kinds of them.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use serde_json::{Value, json};

use super::{ApiError, Request, Response};
use crate::text::hex;

/// The file of this process and the kinds of lines that it has.
struct Record {
    file: File,
    known: BTreeSet<u64>,
}

thread_local! {
    /// How many values of [`Unrecorded`] this thread has.
    static PAUSES: Cell<usize> = const { Cell::new(0) };
}

/// Keeps what its thread does out of the recording, until it is dropped.
#[derive(Debug)]
pub struct Unrecorded(PhantomData<*const ()>);

impl Unrecorded {
    #[must_use]
    pub fn begin() -> Self {
        PAUSES.set(PAUSES.get() + 1);
        Self(PhantomData)
    }
}

impl Drop for Unrecorded {
    fn drop(&mut self) {
        PAUSES.set(PAUSES.get() - 1);
    }
}

fn is_paused() -> bool {
    PAUSES.get() > 0
}

/// Nothing when the environment names no folder.
fn record() -> Option<&'static Mutex<Record>> {
    static RECORD: OnceLock<Option<Mutex<Record>>> = OnceLock::new();
    let opened = || {
        let folder = PathBuf::from(std::env::var_os("SLIPWAY_RECORD")?);
        let part = if cfg!(test) { "units" } else { "runs" };
        Some(Mutex::new(open(&folder.join(part))))
    };

    RECORD.get_or_init(opened).as_ref()
}

/// Whether anything is written down.
pub(crate) fn is_on() -> bool {
    !is_paused() && record().is_some()
}

/// A call and its response, as they are on the wire.
pub(crate) fn call(
    service: &str,
    operation: &str,
    error: Option<&str>,
    request: &Request,
    response: &Response,
) {
    line(|| {
        json!({
            "kind": "call", "service": service, "operation": operation, "error": error,
            "caller": request.caller,
            "request": {
                "method": request.method, "host": request.host, "target": request.path_and_query,
                "headers": headers(&request.headers),
                "body": body(&request.headers, &request.body),
            },
            "answer": {
                "status": response.status, "headers": headers(&response.headers),
                "body": body(&response.headers, &response.body),
            },
        })
    });
}

/// An operation that was called in the process, with its output.
pub(crate) fn operation(
    service: &str,
    operation: &str,
    input: &Value,
    answer: &Result<Value, ApiError>,
) {
    line(|| {
        let (output, error) = (
            answer.as_ref().ok(),
            answer.as_ref().err().map(|error| &error.code),
        );
        json!({
            "kind": "operation", "service": service, "operation": operation, "input": input,
            "output": output, "error": error,
        })
    });
}

/// An event on the default bus.
pub(crate) fn event(event: &Value) {
    line(|| json!({"kind": "event", "event": event}));
}

/// What a function is invoked with.
pub(crate) fn invocation(function: &str, payload: &Value) {
    line(|| json!({"kind": "invocation", "function": function, "payload": payload}));
}

/// Signatures and session tokens do not affect the shape of a call.
fn headers(headers: &[(String, String)]) -> Value {
    let telling = |name: &str| {
        !matches!(
            name,
            "authorization" | "x-amz-security-token" | "user-agent" | "x-amz-user-agent"
        )
    };
    headers
        .iter()
        .filter(|(name, _)| telling(name))
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect()
}

/// A body of CBOR is written in hexadecimal. Another one that is not text is an object in S3, of
/// which the size is enough.
fn body(headers: &[(String, String)], bytes: &[u8]) -> Value {
    if headers
        .iter()
        .any(|(name, value)| name == "content-type" && value == "application/cbor")
    {
        return json!({"hex": hex(bytes)});
    }
    std::str::from_utf8(bytes).map_or_else(|_| json!({"bytes": bytes.len()}), |text| json!(text))
}

fn line(value: impl FnOnce() -> Value) {
    let Some(record) = record().filter(|_| !is_paused()) else {
        return;
    };

    let mut text = value().to_string();
    text.push('\n');
    let kind = kind(&text);
    let mut record = record.lock().expect("every line before was written");
    if record.known.insert(kind) {
        record
            .file
            .write_all(text.as_bytes())
            .expect("the folder of SLIPWAY_RECORD takes what is written");
    }
}

fn open(folder: &Path) -> Record {
    let name = format!("{}.jsonl", std::process::id());
    let file = std::fs::create_dir_all(folder).and_then(|()| {
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.join(name))
    });

    Record {
        file: file.expect("SLIPWAY_RECORD names a folder that can be written"),
        known: BTreeSet::new(),
    }
}

/// The same for lines that differ only in words with a digit.
fn kind(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        if word.bytes().any(|byte| byte.is_ascii_digit()) {
            word.bytes()
                .last()
                .filter(|byte| !byte.is_ascii_alphanumeric())
                .hash(&mut hasher);
        } else {
            word.hash(&mut hasher);
        }
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_ids_make_no_difference_and_words_do() {
        let line = |count: u32, id: &str, status: &str| {
            kind(&json!({"count": count, "id": id, "status": status}).to_string())
        };
        assert_eq!(line(1, "6f2b-a1", "ACTIVE"), line(27, "0c9d-b2", "ACTIVE"));
        assert_ne!(line(1, "6f2b-a1", "ACTIVE"), line(1, "6f2b-a1", "DRAINING"));
    }

    #[test]
    fn the_recording_goes_on_when_all_pauses_are_over() {
        let (first, second) = (Unrecorded::begin(), Unrecorded::begin());
        drop(first);
        assert!(is_paused() && !is_on());
        drop(second);
        assert!(!is_paused());
    }

    #[test]
    fn signatures_are_not_written_down() {
        let all = [
            ("authorization".to_owned(), "AWS4-HMAC-SHA256 …".to_owned()),
            ("x-amz-target".to_owned(), "A.B".to_owned()),
        ];
        assert_eq!(headers(&all), json!({"x-amz-target": "A.B"}));
    }
}
