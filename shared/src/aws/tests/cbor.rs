//! The subset of CBOR (RFC 8949) that CloudWatch's requests and responses use, as JSON.

use serde_json::{Map, Value, json};

/// The first item of some bytes. Tags are dropped, so that a time is its number of seconds.
pub(super) fn read(mut bytes: &[u8]) -> Value {
    item(&mut bytes).expect("an item")
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (taken, rest) = bytes.split_at(length);
    *bytes = rest;
    taken
}

/// `None` for the break that ends an item of indefinite length.
fn item(bytes: &mut &[u8]) -> Option<Value> {
    let head = take(bytes, 1)[0];
    let (major, info) = (head >> 5, head & 31);
    let length = match info {
        0..24 => Some(u64::from(info)),
        24..28 => Some(
            take(bytes, 1 << (info - 24))
                .iter()
                .fold(0, |number, byte| (number << 8) | u64::from(*byte)),
        ),
        _ => None,
    };
    let size = length.and_then(|length| usize::try_from(length).ok());

    Some(match (major, length) {
        (0, Some(number)) => json!(number),
        (3, _) => json!(std::str::from_utf8(take(bytes, size.expect("a length"))).expect("a text")),
        (4, _) => (0..size.unwrap_or(usize::MAX))
            .map_while(|_| item(bytes))
            .collect(),
        (5, _) => {
            let members = (0..size.unwrap_or(usize::MAX)).map_while(|_| {
                let name = item(bytes)?;
                Some((
                    name.as_str().expect("a name").to_owned(),
                    item(bytes).expect("a value"),
                ))
            });
            Value::Object(members.collect::<Map<_, _>>())
        }
        (6, _) => return item(bytes),
        (7, Some(20)) if info == 20 => json!(false),
        (7, Some(21)) if info == 21 => json!(true),
        (7, Some(bits)) if info == 27 => json!(f64::from_bits(bits)),
        (7, None) => return None,
        other => panic!("{other:?} is not supported"),
    })
}

/// JSON as CBOR; the elements of `Timestamps` are times.
pub(super) fn written(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(value, false, &mut bytes);
    bytes
}

fn head(major: u8, number: u64, bytes: &mut Vec<u8>) {
    bytes.push((major << 5) | 27);
    bytes.extend(number.to_be_bytes());
}

fn write(value: &Value, times: bool, bytes: &mut Vec<u8>) {
    match value {
        Value::Number(number) => {
            if times {
                head(6, 1, bytes);
            }
            head(7, number.as_f64().expect("a number").to_bits(), bytes);
        }
        Value::String(text) => {
            head(3, text.len() as u64, bytes);
            bytes.extend(text.as_bytes());
        }
        Value::Array(items) => {
            head(4, items.len() as u64, bytes);
            items.iter().for_each(|item| write(item, times, bytes));
        }
        Value::Object(members) => {
            head(5, members.len() as u64, bytes);
            for (name, value) in members {
                head(3, name.len() as u64, bytes);
                bytes.extend(name.as_bytes());
                write(value, name == "Timestamps", bytes);
            }
        }
        other => panic!("{other} is not supported"),
    }
}
