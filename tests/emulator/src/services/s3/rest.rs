//! The REST protocol of S3, with the served operations: GetObject, HeadObject and PutObject, those
//! on whole buckets, and those that remove what is in them.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::{Object, buckets, chunked, error, versions};
use crate::cloudformation;
use crate::partition::is_of_aws;
use crate::protocol::{Response, WrittenResponse, decode, escape};
use crate::{ApiError, Aws, Millis, Request};

const UNKNOWN: &str = "Unknown";

/// How every object is encrypted.
const ENCRYPTION: [&str; 2] = ["x-amz-server-side-encryption", "AES256"];

/// The parts of a request, read once.
struct RestRequest<'a> {
    request: &'a Request,
    bucket: String,
    key: String,
    query: Vec<(String, String)>,
}

/// Serves one request.
pub(super) fn handle(
    aws: &mut Aws,
    request: &Request,
    id: &str,
    refusal: Option<ApiError>,
) -> WrittenResponse {
    aws.s3.at(aws.now);
    let rest = RestRequest::read(request);
    let operation = rest.operation();
    let result = match refusal {
        Some(error) => Err(error),
        None => rest.serve(aws, operation),
    };
    let (code, mut response) = match result {
        Ok(response) => (None, response),
        Err(error) => (Some(error.code.clone()), rest.failure(&error, id)),
    };

    response
        .headers
        .push(("x-amz-request-id".to_owned(), id.to_owned()));
    let operation = match operation {
        UNKNOWN => format!("{} {}", request.method, request.path_and_query),
        known => known.to_owned(),
    };

    WrittenResponse {
        operation,
        error: code,
        response,
    }
}

/// The operation of a request, with the members of its input that name the object.
pub(super) fn operation_and_input(request: &Request) -> (String, Value) {
    let rest = RestRequest::read(request);
    let input = json!({
        "Bucket": rest.bucket,
        "Key": rest.key,
        "VersionId": rest.parameter("versionId"),
    });
    (rest.operation().to_owned(), input)
}

/// The object that a URL names, by its host and the rest of it.
pub(crate) fn object_at<'a>(
    aws: &'a Aws,
    host: &str,
    path_and_query: &str,
) -> Result<&'a Object, ApiError> {
    let request = Request {
        method: "GET".to_owned(),
        host: host.to_owned(),
        path_and_query: path_and_query.to_owned(),
        ..Request::default()
    };
    let rest = RestRequest::read(&request);
    let version = rest.parameter("versionId");
    aws.s3.object(&rest.bucket, &rest.key, version)
}

impl<'a> RestRequest<'a> {
    /// A bucket is either the first label of the host or the first segment of the path.
    fn read(request: &'a Request) -> Self {
        let host = request.host.split(':').next().unwrap_or_default();
        let label = match host.strip_suffix(".localhost") {
            Some(bucket) => Some(bucket.len()),
            None => [".s3.", ".s3-"]
                .iter()
                .find_map(|service| host.find(service))
                .filter(|_| is_of_aws(host)),
        };
        let path = request.path().trim_start_matches('/');
        let (bucket, key) = match label {
            Some(end) => (host[..end].to_owned(), path),
            None => {
                let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
                (decode(bucket), key)
            }
        };

        Self {
            request,
            bucket,
            key: decode(key),
            query: request.query(),
        }
    }

    fn operation(&self) -> &'static str {
        match (self.request.method.as_str(), self.key.is_empty()) {
            ("GET", true) if self.parameter("location").is_some() => "GetBucketLocation",
            ("GET", true) if self.parameter("encryption").is_some() => "GetBucketEncryption",
            ("GET", true) if self.parameter("list-type") == Some("2") => "ListObjectsV2",
            ("GET", true) if self.parameter("versions").is_some() => "ListObjectVersions",
            ("POST", true) if self.parameter("delete").is_some() => "DeleteObjects",
            _ if self.has_subresource() => UNKNOWN,
            ("DELETE", true) => "DeleteBucket",
            ("GET", false) => "GetObject",
            ("HEAD", false) => "HeadObject",
            ("PUT", false) if self.request.header("x-amz-copy-source").is_none() => "PutObject",
            _ => UNKNOWN,
        }
    }

    /// Whether a parameter makes the request another operation.
    fn has_subresource(&self) -> bool {
        const SUBRESOURCES: [&str; 10] = [
            "acl",
            "delete",
            "tagging",
            "uploads",
            "uploadId",
            "versioning",
            "versions",
            "location",
            "policy",
            "attributes",
        ];
        self.query
            .iter()
            .any(|(name, _)| SUBRESOURCES.contains(&name.as_str()))
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    fn serve(&self, aws: &mut Aws, operation: &str) -> Result<Response, ApiError> {
        match operation {
            "PutObject" => self.put(aws),
            "GetObject" => self.get(aws),
            "HeadObject" => self.get(aws).map(|response| Response {
                body: Vec::new(),
                ..response
            }),
            "GetBucketLocation" => document(buckets::location(aws, &self.bucket)),
            "GetBucketEncryption" => document(buckets::encryption(aws, &self.bucket)),
            "ListObjectsV2" => {
                let parameter = |name: &str| self.parameter(name);
                document(buckets::list(aws, &self.bucket, parameter))
            }
            "ListObjectVersions" => {
                let parameter = |name: &str| self.parameter(name);
                document(versions::list(aws, &self.bucket, parameter))
            }
            "DeleteObjects" => document(versions::delete(aws, &self.bucket, &self.request.body)),
            "DeleteBucket" => {
                aws.s3.delete_bucket(&self.bucket)?;
                Ok(Response {
                    status: 204,
                    headers: Vec::new(),
                    body: Vec::new(),
                })
            }
            _ => Err(error(
                501,
                "NotImplemented",
                "the sandbox does not serve this operation",
            )),
        }
    }

    fn put(&self, aws: &mut Aws) -> Result<Response, ApiError> {
        let conditions = ["if-match", "if-none-match"];
        if conditions
            .iter()
            .any(|name| self.request.header(name).is_some())
        {
            return Err(error(
                501,
                "NotImplemented",
                "A header you provided implies functionality that is not implemented",
            ));
        }

        let header = |name: &str| self.request.header(name).unwrap_or_default();
        let chunked = header("content-encoding").contains("aws-chunked")
            || header("x-amz-content-sha256").starts_with("STREAMING-");
        let body = if chunked {
            chunked::decode(&self.request.body)?
        } else {
            self.request.body.clone()
        };
        if cloudformation::is_response(self.request) {
            return cloudformation::respond(aws, self.request, &self.key, &body);
        }
        let object = Object {
            version: None,
            etag: String::new(),
            modified: aws.now,
            content_type: self.request.header("content-type").map(str::to_owned),
            body,
        };
        let stored = aws.s3.store(&self.bucket, &self.key, object)?;
        let mut headers = vec![
            ("etag".to_owned(), stored.etag.clone()),
            ("content-length".to_owned(), "0".to_owned()),
            ENCRYPTION.map(str::to_owned).into(),
        ];
        headers.extend(
            stored
                .version
                .clone()
                .map(|version| ("x-amz-version-id".to_owned(), version)),
        );
        Ok(Response {
            status: 200,
            headers,
            body: Vec::new(),
        })
    }

    fn get(&self, aws: &Aws) -> Result<Response, ApiError> {
        let object = aws
            .s3
            .object(&self.bucket, &self.key, self.parameter("versionId"))?;
        if self.request.header("range").is_some() {
            return Err(error(
                501,
                "NotImplemented",
                "the sandbox does not serve ranges of objects",
            ));
        }

        self.check_conditions(object)?;
        let mut headers = vec![
            ("accept-ranges".to_owned(), "bytes".to_owned()),
            ENCRYPTION.map(str::to_owned).into(),
            ("etag".to_owned(), object.etag.clone()),
            ("last-modified".to_owned(), http_date(object.modified)),
            (
                "content-type".to_owned(),
                object
                    .content_type
                    .clone()
                    .unwrap_or_else(|| "binary/octet-stream".to_owned()),
            ),
        ];
        headers.extend(
            object
                .version
                .clone()
                .map(|version| ("x-amz-version-id".to_owned(), version)),
        );
        headers.push(("content-length".to_owned(), object.body.len().to_string()));
        Ok(Response {
            status: 200,
            headers,
            body: object.body.clone(),
        })
    }

    /// Whether the object is the one that a request wants, by its ETag.
    fn check_conditions(&self, object: &Object) -> Result<(), ApiError> {
        let header = |name: &str| self.request.header(name);
        let times = ["if-modified-since", "if-unmodified-since"];
        if let Some(name) = times.into_iter().find(|name| header(name).is_some()) {
            let message = format!("the sandbox does not serve the header {name}");
            return Err(error(501, "NotImplemented", &message));
        }
        let is_it = |etags: &str| {
            let mut etags = etags.split(',').map(|etag| etag.trim().trim_matches('"'));
            etags.any(|etag| etag == "*" || etag == object.etag.trim_matches('"'))
        };

        if header("if-match").is_some_and(|etags| !is_it(etags)) {
            let message = "At least one of the pre-conditions you specified did not hold";
            return Err(ApiError {
                members: vec![("Condition".to_owned(), "If-Match".into())],
                ..error(412, "PreconditionFailed", message)
            });
        }
        if header("if-none-match").is_some_and(is_it) {
            return Err(error(304, "NotModified", "Not Modified"));
        }
        Ok(())
    }

    fn failure(&self, error: &ApiError, id: &str) -> Response {
        if self.request.method == "HEAD" || error.status == 304 {
            return Response {
                status: error.status,
                headers: Vec::new(),
                body: Vec::new(),
            };
        }

        let element = |name: &str, text: &str| format!("<{name}>{}</{name}>", escape(text));
        let mut subject = match error.code.as_str() {
            "NoSuchBucket" | "BucketNotEmpty" => element("BucketName", &self.bucket),
            "NoSuchKey" => element("Key", &self.key),
            "NoSuchVersion" => {
                let version = self.parameter("versionId").unwrap_or_default();
                element("Key", &self.key) + &element("VersionId", version)
            }
            _ => String::new(),
        };
        for (name, value) in &error.members {
            subject += &element(name, value.as_str().unwrap_or_default());
        }
        let (code, message) = (escape(&error.code), escape(&error.message));

        xml(
            error.status,
            format!(
                "<Error><Code>{code}</Code><Message>{message}</Message>{subject}\
                 <RequestId>{id}</RequestId></Error>"
            ),
        )
    }
}

fn document(document: Result<String, ApiError>) -> Result<Response, ApiError> {
    document.map(|document| xml(200, document))
}

fn xml(status: u16, document: String) -> Response {
    let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{document}");
    Response::with_body(status, "application/xml", body)
}

fn http_date(at: Millis) -> String {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
        .format(&Rfc2822)
        .expect("a year of four digits")
        .replace("+0000", "GMT")
}
