//! The parameters of a request, read from the bytes that the SDK sent: JSON, the query protocol,
//! CBOR, headers and path for S3, or path and document for Route 53.

use std::io::Read;

use emulator::Request;
use minicbor::Decoder;
use minicbor::data::Type;
use serde_json::{Map, Value, json};

/// The content of a request without what every request has, its members in alphabetical order.
pub(crate) fn parameters(service: &str, request: &Request) -> Value {
    ordered(match service {
        "s3" => object(request),
        "route53" => rest(request),
        "elasticloadbalancing" | "sts" | "iam" | "cloudformation" => query(&request.body),
        "monitoring" => metrics(cbor(request)),
        "dynamodb" => plain(&serde_json::from_slice(&request.body).expect("DynamoDB is sent JSON")),
        _ => serde_json::from_slice(&request.body).expect("the service is sent JSON"),
    })
}

/// Maps of the SDK have no order; keys of the ledger come first.
fn ordered(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(ordered).collect(),
        Value::Object(members) => {
            let mut members: Vec<(String, Value)> = members
                .into_iter()
                .map(|(name, value)| (name, ordered(value)))
                .collect();
            members.sort_by_cached_key(|(name, _)| {
                (!["pk", "sk"].contains(&name.as_str()), name.clone())
            });
            Value::Object(members.into_iter().collect())
        }
        scalar => scalar,
    }
}

/// Method, path and the headers that describe the object. Of a body only its size can be large, so
/// it is its beginning.
fn object(request: &Request) -> Value {
    let mut shown = Map::new();
    shown.insert(
        "request".to_owned(),
        json!(format!(
            "{} {}{}",
            request.method, request.host, request.path_and_query
        )),
    );
    let noise = [
        "x-amz-content-sha256",
        "x-amz-date",
        "x-amz-sdk-checksum-algorithm",
        "x-amz-security-token",
        "x-amz-user-agent",
    ];

    for (name, value) in &request.headers {
        let own = name.starts_with("x-amz-")
            && !name.starts_with("x-amz-checksum")
            && !noise.contains(&name.as_str());
        if own
            || [
                "content-type",
                "cache-control",
                "content-disposition",
                "content-encoding",
            ]
            .contains(&name.as_str())
        {
            shown.insert(name.clone(), json!(value));
        }
    }
    if !request.body.is_empty() {
        let text = String::from_utf8_lossy(&request.body);
        shown.insert(
            "body begins".to_owned(),
            json!(text.chars().take(15).collect::<String>()),
        );
    }
    Value::Object(shown)
}

/// Method and path, and the document that was sent, a change a line.
fn rest(request: &Request) -> Value {
    let line = format!("{} {}", request.method, request.path_and_query);
    if request.body.is_empty() {
        return json!({ "request": line });
    }
    let text = String::from_utf8_lossy(&request.body);
    let changes: Vec<&str> = text.split_inclusive("</Change>").collect();
    json!({"request": line, "document": changes})
}

/// `Actions.member.1.Type=forward` as `{"Actions": [{"Type": "forward"}]}`.
fn query(body: &[u8]) -> Value {
    let text = std::str::from_utf8(body).expect("a form is text");
    let mut root = Value::Object(Map::new());
    for pair in text
        .split('&')
        .filter(|pair| !pair.starts_with("Action=") && !pair.starts_with("Version="))
    {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_encoding::percent_decode_str(&value.replace('+', " "))
            .decode_utf8_lossy()
            .into_owned();
        let mut place = &mut root;
        for part in name.split('.').filter(|part| *part != "member") {
            if place.is_null() {
                *place = Value::Object(Map::new());
            }
            place = &mut place[part];
        }
        *place = json!(value);
    }
    listed(root)
}

/// Objects whose members are numbered from 1 as lists.
fn listed(value: Value) -> Value {
    let Value::Object(members) = value else {
        return value;
    };

    let numbered = !members.is_empty()
        && members
            .keys()
            .enumerate()
            .all(|(at, name)| *name == (at + 1).to_string());
    let members = members
        .into_iter()
        .map(|(name, value)| (name, listed(value)));

    if numbered {
        members.map(|(_, value)| value).collect()
    } else {
        Value::Object(members.collect())
    }
}

/// Values of DynamoDB without their type letters: a number is a number and a text is a text.
fn plain(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(members) if members.len() == 1 => {
            let (name, inner) = members.iter().next().expect("one member");
            match name.as_str() {
                "S" | "BOOL" => inner.clone(),
                "N" => serde_json::from_str(inner.as_str().expect("a number is sent as text"))
                    .expect("a number"),
                "NULL" => Value::Null,
                "M" | "L" => plain(inner),
                _ => json!({ name: plain(inner) }),
            }
        }
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), plain(value)))
            .collect(),
        scalar => scalar.clone(),
    }
}

/// GetMetricData with a line for each query: `b_n: Sum of RequestCount`, beside what queries have
/// in common.
fn metrics(mut sent: Value) -> Value {
    let Some(queries) = sent.get_mut("MetricDataQueries").map(Value::take) else {
        return sent;
    };

    let mut shown: Vec<Value> = Vec::new();
    for query in queries.as_array().expect("a list") {
        let mut common = query.clone();
        let text = |value: &mut Value| value.take().as_str().expect("a text").to_owned();
        let id = text(&mut common["Id"]);
        let stat = text(&mut common["MetricStat"]["Stat"]);
        let name = text(&mut common["MetricStat"]["Metric"]["MetricName"]);
        let line = json!(format!("{id}: {stat} of {name}"));

        match shown
            .last_mut()
            .filter(|last| last["MetricStat"] == common["MetricStat"])
        {
            Some(last)
                if last["ReturnData"] == common["ReturnData"]
                    && members(last) == members(&common) + 1 =>
            {
                last["queries"].as_array_mut().expect("a list").push(line);
            }
            _ => {
                common["queries"] = json!([line]);
                shown.push(common);
            }
        }
    }

    sent["MetricDataQueries"] = without_null(json!(shown));
    sent
}

fn members(value: &Value) -> usize {
    value.as_object().map_or(0, Map::len)
}

fn without_null(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(without_null).collect(),
        Value::Object(members) => members
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, without_null(value)))
            .collect(),
        scalar => scalar,
    }
}

fn cbor(request: &Request) -> Value {
    let mut body = request.body.clone();
    if request.header("content-encoding") == Some("gzip") {
        body.clear();
        flate2::read::GzDecoder::new(request.body.as_slice())
            .read_to_end(&mut body)
            .expect("it is compressed");
    }
    value(&mut Decoder::new(&body))
}

fn value(decoder: &mut Decoder<'_>) -> Value {
    match decoder.datatype().expect("CBOR") {
        Type::Bool => json!(decoder.bool().expect("a bool")),
        Type::F16 | Type::F32 | Type::F64 => json!(decoder.f64().expect("a number")),
        Type::String => json!(decoder.str().expect("a text")),
        Type::Tag => {
            decoder.tag().expect("a tag");
            value(decoder)
        }
        Type::Array | Type::ArrayIndef => {
            let (mut left, mut items) = (decoder.array().expect("a list"), Vec::new());
            while more(decoder, &mut left) {
                items.push(value(decoder));
            }
            Value::Array(items)
        }
        Type::Map | Type::MapIndef => {
            let (mut left, mut members) = (decoder.map().expect("a map"), Map::new());
            while more(decoder, &mut left) {
                let name = decoder.str().expect("a name").to_owned();
                members.insert(name, value(decoder));
            }
            Value::Object(members)
        }
        _ => json!(decoder.i64().expect("an integer")),
    }
}

/// Whether a list or map has another element; takes its end.
fn more(decoder: &mut Decoder<'_>, left: &mut Option<u64>) -> bool {
    match left {
        Some(0) => false,
        Some(left) => {
            *left -= 1;
            true
        }
        None if decoder.datatype().expect("CBOR") == Type::Break => {
            decoder.skip().expect("the end");
            false
        }
        None => true,
    }
}
