//! Requests and responses of the SDK as those of the emulator, and back.

use std::future;
use std::io;

use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use http_body_util::BodyExt;

use crate::{Request, Response};

pub(super) async fn read_request(
    mut request: HttpRequest,
    caller: &str,
) -> Result<Request, ConnectorError> {
    let body = ByteStream::new(request.take_body())
        .collect()
        .await
        .map_err(|error| ConnectorError::user(error.into()))?;
    let uri: http::Uri = request
        .uri()
        .parse()
        .map_err(|error: http::uri::InvalidUri| ConnectorError::user(error.into()))?;

    Ok(Request {
        caller: caller.to_owned(),
        method: request.method().to_owned(),
        host: uri
            .authority()
            .map(|authority| authority.as_str().to_owned())
            .unwrap_or_default(),
        path_and_query: uri
            .path_and_query()
            .map(|path| path.as_str().to_owned())
            .unwrap_or_default(),
        headers: request
            .headers()
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body: body.to_vec(),
    })
}

pub(super) fn write_response(response: Response) -> Result<HttpResponse, ConnectorError> {
    let other =
        |error: Box<dyn std::error::Error + Send + Sync>| ConnectorError::other(error, None);
    let status =
        http::StatusCode::from_u16(response.status).map_err(|error| other(error.into()))?;

    let mut written = HttpResponse::new(status.into(), SdkBody::from(response.body));
    for (name, value) in response.headers {
        written
            .headers_mut()
            .try_append(name, value)
            .map_err(|error| other(error.into()))?;
    }
    Ok(written)
}

/// Like `write_response`, but a body breaks off halfway. HTTP announces its length, so that its
/// reader gets the half and then an error, never a shorter body (RFC 9112, section 8).
pub(super) fn write_cut_off(response: Response) -> Result<HttpResponse, ConnectorError> {
    let is_whole = response.status != 200;
    let half = response.body[..response.body.len() / 2].to_vec();
    let mut written = write_response(response)?;
    if is_whole {
        return Ok(written);
    }

    let error = io::Error::new(
        io::ErrorKind::UnexpectedEof,
        "end of file before message length reached",
    );
    let rest = future::ready(Some(Err(error.into())));
    *written.body_mut() = SdkBody::from_body_1_x(SdkBody::from(half).with_trailers(rest));
    Ok(written)
}

/// What a proxy writes that cannot reach the service behind it.
pub(super) fn proxy_page(status: u16) -> Response {
    let body = format!(
        "<html>\r\n<head><title>{status}</title></head>\r\n\
        <body><h1>{status}</h1></body>\r\n</html>\r\n"
    );
    Response::with_body(status, "text/html", body)
}
