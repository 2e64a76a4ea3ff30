//! A scripted AWS: an HTTP client for the SDK that records the requests and returns the responses
//! of a script, in order.
//!
//! Time stands still, and every wait ends at once: a call without a response times out at once, and
//! retries cost nothing.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use aws_smithy_async::time::TimeSource;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

use super::cbor;
use crate::aws::Sdk;
use crate::timestamp::Timestamp;

/// 2026-01-05T09:00:00Z, the time of every scripted call.
pub(super) const NOW: i64 = 1_767_603_600;

/// How a call ends.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Response {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    },
    /// Never.
    Silence,
    /// A connection that is refused.
    Refused,
    /// A status whose body cannot be read to its end.
    Broken(u16),
}

/// A response of the JSON protocols, which ECS, DynamoDB, CodePipeline, ECR and Application Auto
/// Scaling use.
pub(super) fn answer(body: &Value) -> Answer {
    response(200, "application/x-amz-json-1.1", body.to_string())
}

/// An error of the JSON protocols.
pub(super) fn refusal(code: &str, message: &str) -> Answer {
    response(
        400,
        "application/x-amz-json-1.1",
        json!({"__type": code, "message": message}).to_string(),
    )
}

/// A response of the query protocol, which Elastic Load Balancing uses: the content of
/// `<…Result>`.
pub(super) fn xml(operation: &str, result: &str) -> Answer {
    let text = format!(
        "<{operation}Response xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\">\
         <{operation}Result>{result}</{operation}Result></{operation}Response>"
    );
    response(200, "text/xml", text)
}

/// An error of the query protocol.
pub(super) fn xml_refusal(code: &str, message: &str) -> Answer {
    let text = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>\
         <Message>{message}</Message></Error></ErrorResponse>"
    );
    response(400, "text/xml", text)
}

/// An error of S3.
pub(super) fn s3_refusal(status: u16, code: &str) -> Answer {
    response(
        status,
        "application/xml",
        format!("<Error><Code>{code}</Code><Message>no</Message></Error>"),
    )
}

/// A response of CloudWatch.
pub(super) fn cbor(body: &Value) -> Answer {
    let headers = vec![
        ("content-type", "application/cbor".to_owned()),
        ("smithy-protocol", "rpc-v2-cbor".to_owned()),
    ];
    Answer::Response {
        status: 200,
        headers,
        body: cbor::written(body),
    }
}

/// Any response.
pub(super) fn response(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Answer {
    Answer::Response {
        status,
        headers: vec![("content-type", content_type.to_owned())],
        body: body.into(),
    }
}

/// A request on the wire.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) method: String,
    pub(super) uri: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Sent {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The operation's name, whatever the protocol.
    pub(super) fn operation(&self) -> String {
        if let Some(target) = self.header("x-amz-target") {
            return target.rsplit('.').next().unwrap_or_default().to_owned();
        }

        match self.uri.split_once("/operation/") {
            Some((_, operation)) => operation.to_owned(),
            None => self.form().remove("Action").unwrap_or_default(),
        }
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a body of JSON")
    }

    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a text")
    }

    pub(super) fn cbor(&self) -> Value {
        cbor::read(&self.body)
    }

    /// The members of a request in the query protocol.
    pub(super) fn form(&self) -> BTreeMap<String, String> {
        let pairs = self
            .text()
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        pairs
            .map(|(name, value)| (plain(name), plain(value)))
            .collect()
    }
}

/// A value of a form without its escapes.
fn plain(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'%' => {
                let (digits, after) = rest.split_at(2);
                let digits = std::str::from_utf8(digits).expect("two digits");
                bytes.push(u8::from_str_radix(digits, 16).expect("two hexadecimal digits"));
                rest = after;
            }
            b'+' => bytes.push(b' '),
            other => bytes.push(*other),
        }
    }

    String::from_utf8(bytes).expect("a text")
}

/// The remaining responses, and the requests so far.
#[derive(Clone)]
pub(super) struct Script {
    left: Arc<Mutex<VecDeque<Answer>>>,
    /// Repeated once no other response is left.
    last: Option<Answer>,
    sent: Arc<Mutex<Vec<Sent>>>,
    waits: Arc<Mutex<Vec<Duration>>>,
    now: i64,
    region: String,
}

/// Without the requests: a configuration shows its client, and they have what credentials have.
impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Script")
    }
}

impl Script {
    /// One response per call; a further call fails the test.
    pub(super) fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self {
            left: Arc::new(Mutex::new(answers.into_iter().collect())),
            last: None,
            sent: Arc::default(),
            waits: Arc::default(),
            now: NOW,
            region: "eu-west-1".to_owned(),
        }
    }

    /// The same response to every call. The SDK limits retries per service and region, so every
    /// such script has a region of its own.
    pub(super) fn always(answer: Answer) -> Self {
        static REGIONS: AtomicUsize = AtomicUsize::new(100);

        let region = format!("eu-west-{}", REGIONS.fetch_add(1, Ordering::Relaxed));
        Self {
            last: Some(answer),
            region,
            ..Self::new([])
        }
    }

    /// The same script, `secs` seconds later.
    pub(super) fn later(self, secs: i64) -> Self {
        Self {
            now: NOW + secs,
            ..self
        }
    }

    pub(super) fn sdk(&self) -> Sdk {
        let credentials = Credentials::from_keys("AKIDFUNCTION", "the function's key", None);
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(self.clone())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .time_source(self.clone())
            .sleep_impl(self.clone())
            .build();

        Sdk::new(config, "ledger").with_reports("reports")
    }

    /// Every request so far, retries included.
    pub(super) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().expect("no test panicked here").clone()
    }

    /// The only request.
    pub(super) fn only(&self) -> Sent {
        let sent = self.sent();

        assert_eq!(
            sent.len(),
            1,
            "{:?}",
            sent.iter().map(Sent::operation).collect::<Vec<_>>()
        );

        sent[0].clone()
    }

    /// The operations of all requests, in order.
    pub(super) fn operations(&self) -> Vec<String> {
        self.sent().iter().map(Sent::operation).collect()
    }

    /// Every duration that was waited for, or used as a time-out.
    pub(super) fn waits(&self) -> Vec<Duration> {
        self.waits.lock().expect("no test panicked here").clone()
    }

    /// Whether every response was used.
    pub(super) fn is_played(&self) -> bool {
        self.left.lock().expect("no test panicked here").is_empty()
    }

    async fn play(self, mut request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let body = aws_smithy_types::byte_stream::ByteStream::new(request.take_body());
        let body = body.collect().await.expect("a body in memory").to_vec();
        let headers = request
            .headers()
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let (method, uri) = (request.method().to_owned(), request.uri().to_owned());

        self.sent.lock().expect("no test panicked here").push(Sent {
            method,
            uri,
            headers,
            body,
        });
        let next = self
            .left
            .lock()
            .expect("no test panicked here")
            .pop_front()
            .or(self.last);

        match next.expect("the script has a response for every call") {
            Answer::Response {
                status,
                headers,
                body,
            } => {
                let status = status.try_into().expect("a status of HTTP");
                let mut response = HttpResponse::new(status, SdkBody::from(body));
                for (name, value) in headers {
                    response.headers_mut().append(name, value);
                }
                Ok(response)
            }
            Answer::Silence => std::future::pending().await,
            Answer::Broken(status) => Ok(HttpResponse::new(
                status.try_into().expect("a status of HTTP"),
                SdkBody::taken(),
            )),
            Answer::Refused => Err(ConnectorError::io("connection refused".into())),
        }
    }
}

impl HttpClient for Script {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.waits
            .lock()
            .expect("no test panicked here")
            .extend(settings.connect_timeout());
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Script {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().play(request))
    }
}

impl TimeSource for Script {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.now.unsigned_abs())
    }
}

impl AsyncSleep for Script {
    // The lifetime has a name because architecture.rs searches for calls by text; this is not a
    // call.
    #[allow(clippy::needless_lifetimes, reason = "see above")]
    fn sleep<'a>(&'a self, duration: Duration) -> Sleep {
        self.waits
            .lock()
            .expect("no test panicked here")
            .push(duration);
        Sleep::new(std::future::ready(()))
    }
}

/// Runs a future that never waits for anything outside the process.
pub(super) fn run<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..1_000 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }

    panic!("the call waits for something that never comes");
}

/// `secs` seconds after the time of the scripted calls.
pub(super) fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(NOW + secs).expect("in range")
}
