//! Smithy RPC v2 with CBOR, which CloudWatch and CodePipeline speak: the operation is in the path,
//! input and output are CBOR maps.
//!
//! Services get their input as JSON, as those of the other protocols do. A time is a number of
//! seconds there; in an output it is made by [`timestamp`], or it is a member that the service
//! declares to be one, since CBOR distinguishes times from numbers.
//!
//! Source: <https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html>

use std::convert::Infallible;
use std::io::Read;

use minicbor::data::{IanaTag, Type};
use minicbor::{Decoder, Encoder, decode, encode};
use serde_json::{Map, Value, json};

use super::json::{Json, JsonOperation};
use super::{Request, Response, WrittenResponse};
use crate::{ApiError, Aws, Millis};

type Failed = encode::Error<Infallible>;

/// The member that marks a time on its way out.
const TIME: &str = "$milliseconds";

/// How deep a value may nest, as the SDK's own decoder has it.
const MOST_DEPTH: u32 = 64;

/// A service that speaks this protocol, and JSON with clients that are older.
#[derive(Clone, Copy)]
pub(crate) struct Cbor {
    /// Its face in JSON; the outputs of its calls may have [`timestamp`]s.
    pub(crate) json: Json,
    pub(crate) call: JsonOperation,
    /// The name of the shape of an error, by its code in the query protocol; none for a service
    /// that never spoke that protocol, whose codes are the names.
    pub(crate) shape_of: Option<fn(&str) -> &str>,
    /// The members of its outputs that are times, as numbers of seconds.
    pub(crate) times: &'static [&'static str],
}

impl Cbor {
    pub(super) fn handle(
        &self,
        aws: &mut Aws,
        request: &Request,
        refusal: Option<ApiError>,
    ) -> WrittenResponse {
        if is_json(request) {
            return self.json_answer(aws, request, refusal);
        }

        let operation = operation(request).to_owned();
        let result = match refusal {
            Some(error) => Err(error),
            None => input(request).and_then(|input| (self.call)(aws, &operation, &input)),
        };
        match result {
            Ok(output) => WrittenResponse {
                operation,
                error: None,
                response: response(200, &with_times(output, self.times)),
            },
            Err(error) => {
                let shape = self.shape(&error.code);
                let code = self.shape_of.map(|_| query_error(&error));
                let mut written = refused(operation, self.json.namespace(), &shape, error);
                written.response.headers.extend(code);
                written
            }
        }
    }

    fn json_answer(
        &self,
        aws: &mut Aws,
        request: &Request,
        refusal: Option<ApiError>,
    ) -> WrittenResponse {
        self.json.answer_with(aws, request, refusal, |json, error| {
            let code = self.shape_of.map(|_| query_error(&error));
            let mut answer = json.failed(error, |code| self.shape(code));
            answer.response.headers.extend(code);
            answer
        })
    }

    fn shape(&self, code: &str) -> String {
        match self.shape_of {
            Some(shape_of) => shape_of(code).to_owned(),
            None => code.to_owned(),
        }
    }
}

/// Whether a request of a service that also speaks CBOR is one in JSON.
pub(super) fn is_json(request: &Request) -> bool {
    request.header("x-amz-target").is_some()
}

/// The error of a service that the emulator does not have.
pub(super) fn rejection(operation: String, error: ApiError) -> WrittenResponse {
    let (shape, code) = (error.code.clone(), query_error(&error));
    let mut written = refused(operation, "com.amazonaws", &shape, error);
    written.response.headers.push(code);
    written
}

/// An error in this protocol.
fn refused(operation: String, namespace: &str, shape: &str, error: ApiError) -> WrittenResponse {
    let namespace = match error.code.as_str() {
        "UnknownOperationException" | "SerializationException" => "com.amazon.coral.service",
        _ => namespace,
    };
    let kind = format!("{namespace}#{shape}");
    let response = response(
        error.status,
        &json!({"__type": kind, "message": error.message}),
    );

    WrittenResponse {
        operation,
        error: Some(error.code),
        response,
    }
}

/// The header with the error as the query protocol writes it, and that is the code that SDKs show.
fn query_error(error: &ApiError) -> (String, String) {
    let fault = if error.status < 500 {
        "Sender"
    } else {
        "Receiver"
    };
    (
        "x-amzn-query-error".to_owned(),
        format!("{};{fault}", error.code),
    )
}

/// `/service/<service>/operation/<operation>`.
pub(crate) fn operation(request: &Request) -> &str {
    request
        .path()
        .split("/operation/")
        .nth(1)
        .unwrap_or_default()
}

/// The input of a request, which may be compressed.
pub(crate) fn input(request: &Request) -> Result<Value, ApiError> {
    let body = match request.header("content-encoding") {
        None => request.body.clone(),
        Some("gzip") => {
            let mut body = Vec::new();
            let read = flate2::read::GzDecoder::new(request.body.as_slice()).read_to_end(&mut body);
            read.map_err(|error| serialization(error.to_string()))?;
            body
        }
        Some(other) => {
            return Err(serialization(format!(
                "the sandbox does not read the encoding {other}"
            )));
        }
    };
    if body.is_empty() {
        return Ok(json!({}));
    }

    let input = read(&mut Decoder::new(&body), MOST_DEPTH)
        .map_err(|error| serialization(error.to_string()))?;
    if input.is_object() {
        Ok(input)
    } else {
        Err(serialization(
            "Start of structure or map expected".to_owned(),
        ))
    }
}

fn serialization(message: String) -> ApiError {
    ApiError::client("SerializationException", message)
}

/// A time in an output.
pub(crate) fn timestamp(at: Millis) -> Value {
    json!({ TIME: at })
}

/// An output in which the members of these names are times, wherever they are.
fn with_times(value: Value, times: &[&str]) -> Value {
    match value {
        Value::Array(items) => items
            .into_iter()
            .map(|item| with_times(item, times))
            .collect(),
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| {
                    let seconds = value.as_f64().filter(|_| times.contains(&name.as_str()));
                    let value = match seconds {
                        Some(seconds) => timestamp((seconds * 1000.0).round() as Millis),
                        None => with_times(value, times),
                    };
                    (name, value)
                })
                .collect(),
        ),
        scalar => scalar,
    }
}

/// An output as the other protocols would have it, for the record.
pub(crate) fn plain(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(members) => match members.get(TIME).and_then(Value::as_i64) {
            Some(millis) => Aws::seconds(millis),
            None => Value::Object(
                members
                    .iter()
                    .map(|(name, value)| (name.clone(), plain(value)))
                    .collect(),
            ),
        },
        scalar => scalar.clone(),
    }
}

/// An operation without output has no body, and then no type of one.
fn response(status: u16, body: &Value) -> Response {
    let protocol = ("smithy-protocol".to_owned(), "rpc-v2-cbor".to_owned());
    if body.is_null() {
        let headers = vec![protocol, ("content-length".to_owned(), "0".to_owned())];
        return Response {
            status,
            headers,
            body: Vec::new(),
        };
    }

    let mut encoder = Encoder::new(Vec::new());
    let Ok(()) = write(&mut encoder, body)
        .map_err(|error| unreachable!("memory takes what is written: {error}"));
    let body = encoder.into_writer();
    let headers = vec![
        ("content-type".to_owned(), "application/cbor".to_owned()),
        protocol,
        ("content-length".to_owned(), body.len().to_string()),
    ];

    Response {
        status,
        headers,
        body,
    }
}

fn read(decoder: &mut Decoder<'_>, depth: u32) -> Result<Value, decode::Error> {
    let deeper = depth
        .checked_sub(1)
        .ok_or_else(|| decode::Error::message("nested too deep"))?;
    Ok(match decoder.datatype()? {
        Type::Null | Type::Undefined => {
            decoder.skip()?;
            Value::Null
        }
        Type::Bool => json!(decoder.bool()?),
        Type::F16 | Type::F32 | Type::F64 => number(decoder.f64()?)?,
        Type::String => json!(decoder.str()?),
        Type::Tag => {
            decoder.tag()?;
            read(decoder, deeper)?
        }
        Type::Array | Type::ArrayIndef => {
            let mut left = decoder.array()?;
            let mut items = Vec::new();
            while more(decoder, &mut left)? {
                items.push(read(decoder, deeper)?);
            }
            Value::Array(items)
        }
        Type::Map | Type::MapIndef => {
            let mut left = decoder.map()?;
            let mut members = Map::new();
            while more(decoder, &mut left)? {
                let name = decoder.str()?.to_owned();
                members.insert(name, read(decoder, deeper)?);
            }
            Value::Object(members)
        }
        _ => json!(decoder.i64()?),
    })
}

/// JSON has no infinite numbers; as text they are refused where a number is expected.
fn number(number: f64) -> Result<Value, decode::Error> {
    Ok(if number.is_finite() {
        json!(number)
    } else {
        json!(number.to_string())
    })
}

/// Whether a list or map has another element; takes its end.
fn more(decoder: &mut Decoder<'_>, left: &mut Option<u64>) -> Result<bool, decode::Error> {
    match left {
        Some(0) => Ok(false),
        Some(left) => {
            *left -= 1;
            Ok(true)
        }
        None if decoder.datatype()? == Type::Break => {
            decoder.skip()?;
            Ok(false)
        }
        None => Ok(true),
    }
}

fn write(encoder: &mut Encoder<Vec<u8>>, value: &Value) -> Result<(), Failed> {
    match value {
        Value::Null => encoder.null()?.ok(),
        Value::Bool(flag) => encoder.bool(*flag)?.ok(),
        Value::String(text) => encoder.str(text)?.ok(),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => encoder.i64(integer)?.ok(),
            None => encoder.f64(number.as_f64().unwrap_or_default())?.ok(),
        },
        Value::Array(items) => {
            encoder.array(items.len() as u64)?;
            items.iter().try_for_each(|item| write(encoder, item))
        }
        Value::Object(members) => match members.get(TIME).and_then(Value::as_i64) {
            Some(millis) => encoder
                .tag(IanaTag::Timestamp)?
                .f64(millis as f64 / 1000.0)?
                .ok(),
            None => {
                encoder.map(members.len() as u64)?;
                members.iter().try_for_each(|(name, value)| {
                    encoder.str(name)?;
                    write(encoder, value)
                })
            }
        },
    }
}
