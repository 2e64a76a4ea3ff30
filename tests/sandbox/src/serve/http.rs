//! HTTP/1.1 on loopback: a request becomes one of the sandbox, and its response goes back
//! unchanged.

use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use emulator::client::World;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::console::Console;

/// The most bytes of a body. No client needs more here, and one request must not take the machine's
/// memory.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// How long to wait after a connection could not be accepted, for example because too many are
/// open.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

type HttpResponse = Response<Full<Bytes>>;

/// The client, and what all requests are served from.
#[derive(Clone)]
struct Desk {
    world: World,
    console: Rc<RefCell<Console>>,
    guide: Arc<str>,
}

/// Accepts connections without end.
pub(super) async fn accept(
    listener: TcpListener,
    world: World,
    console: Rc<RefCell<Console>>,
    guide: Arc<str>,
) {
    let desk = Desk {
        world,
        console,
        guide,
    };
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_AGAIN).await;
            continue;
        };

        // Without it small responses wait for the client's acknowledgement; that it failed changes
        // only how fast they go.
        let _ = stream.set_nodelay(true);
        let desk = desk.clone();
        tokio::task::spawn_local(async move {
            let service = service_fn(|request| {
                let desk = desk.clone();
                async move { Ok::<_, Infallible>(desk.handle(request).await) }
            });
            // A client that disconnects in the middle is not an error.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

impl Desk {
    async fn handle(&self, request: Request<Incoming>) -> HttpResponse {
        if is_visit(&request) {
            return Response::new(Full::from(self.guide.as_bytes().to_vec()));
        }

        let (head, body) = request.into_parts();
        let body = match Limited::new(body, MOST_BYTES).collect().await {
            Ok(body) => body.to_bytes().to_vec(),
            Err(error) => {
                return plain(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    format!("failed to read the body: {error}\n"),
                );
            }
        };
        let text = |value: &hyper::header::HeaderValue| {
            String::from_utf8_lossy(value.as_bytes()).into_owned()
        };
        let request = emulator::Request {
            caller: "operator".to_owned(),
            method: head.method.as_str().to_owned(),
            host: head.headers.get("host").map(text).unwrap_or_default(),
            path_and_query: head
                .uri
                .path_and_query()
                .map(|path| path.as_str().to_owned())
                .unwrap_or_default(),
            headers: head
                .headers
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), text(value)))
                .collect(),
            body,
        };
        let exchange = self.world.exchange(&request).await;
        self.console.borrow_mut().tell(&exchange);
        written(exchange.response)
    }
}

/// A user with a browser or curl, who did not sign and requests nothing from a service.
fn is_visit(request: &Request<Incoming>) -> bool {
    let signed = request.headers().contains_key("authorization") || request.uri().query().is_some();
    request.method() == Method::GET && request.uri().path() == "/" && !signed
}

fn written(response: emulator::Response) -> HttpResponse {
    let mut built = Response::builder().status(response.status);
    for (name, value) in response.headers {
        built = built.header(name, value);
    }

    let failed = |error| {
        plain(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("failed to write the answer: {error}\n"),
        )
    };
    built.body(Full::from(response.body)).unwrap_or_else(failed)
}

fn plain(status: StatusCode, text: String) -> HttpResponse {
    let mut answer = Response::new(Full::from(text));
    *answer.status_mut() = status;
    answer
}
