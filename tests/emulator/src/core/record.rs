//! What the conformance checks look at: calls, events and invocations, written down as they pass.
//!
//! Off unless the environment names a folder in `SLIPWAY_RECORD`; then every thread appends JSON
//! Lines to a file of its own there. What differs from an earlier line of the same thread only in
//! numbers, ids and times is left out, since a run makes hundreds of thousands of calls and a few
//! hundred kinds of them.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use super::{ApiError, Request, Response};
use crate::text::hex;

/// One thread's file and the kinds of lines that it has.
struct Record {
    file: File,
    known: BTreeSet<u64>,
}

thread_local! {
    static RECORD: RefCell<Option<Record>> = const { RefCell::new(None) };
}

fn folder() -> Option<&'static PathBuf> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOLDER
        .get_or_init(|| std::env::var_os("SLIPWAY_RECORD").map(PathBuf::from))
        .as_ref()
}

/// Whether anything is written down.
pub(crate) fn is_on() -> bool {
    folder().is_some()
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
    let Some(folder) = folder() else {
        return;
    };

    let text = value().to_string();
    RECORD.with_borrow_mut(|record| {
        let record = record.get_or_insert_with(|| open(folder));
        if record.known.insert(kind(&text)) {
            writeln!(record.file, "{text}")
                .expect("the folder of SLIPWAY_RECORD takes what is written");
        }
    });
}

fn open(folder: &PathBuf) -> Record {
    static THREADS: AtomicU32 = AtomicU32::new(0);

    let name = format!(
        "{}-{}.jsonl",
        std::process::id(),
        THREADS.fetch_add(1, Ordering::Relaxed)
    );
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
    fn signatures_are_not_written_down() {
        let all = [
            ("authorization".to_owned(), "AWS4-HMAC-SHA256 …".to_owned()),
            ("x-amz-target".to_owned(), "A.B".to_owned()),
        ];
        assert_eq!(headers(&all), json!({"x-amz-target": "A.B"}));
    }
}
