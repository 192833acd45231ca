//! A plain HTTP/1.1 caller: one connection per request, no redirects followed, nothing retried.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// Why there is no answer.
pub type CallError = Box<dyn std::error::Error + Send + Sync>;

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status code.
    pub status: StatusCode,
    /// Header fields.
    pub headers: HeaderMap,
    /// Body, whole.
    pub body: Bytes,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!("the answer {} is no JSON ({error}): {}", self.status, self.text())
        })
    }

    /// A header field, empty when absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or_default()
    }

    /// The same answer, having made sure of its status.
    #[must_use]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }
}

/// Sends one request to an `http://` address.
pub async fn call(mut request: Request<Full<Bytes>>) -> Result<Answer, CallError> {
    let uri = request.uri().clone();
    let authority = uri.authority().ok_or("the address has no host")?.clone();
    let stream = TcpStream::connect((authority.host(), authority.port_u16().unwrap_or(80))).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driving = tokio::spawn(connection);
    let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    *request.uri_mut() = path.parse::<Uri>()?;
    request.headers_mut().insert(http::header::HOST, authority.as_str().parse()?);
    let (parts, body) = sender.send_request(request).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    driving.abort();
    Ok(Answer { status: parts.status, headers: parts.headers, body })
}

/// A request with a body of the given kind.
pub fn request(
    method: Method,
    address: &str,
    content_type: &str,
    body: impl Into<Bytes>,
) -> Request<Full<Bytes>> {
    let built = Request::builder().method(method).uri(address);
    let built = if content_type.is_empty() { built } else { built.header("content-type", content_type) };
    built.body(Full::new(body.into())).expect("a request")
}

/// `GET`, without credentials.
pub async fn get(address: &str) -> Result<Answer, CallError> {
    call(request(Method::GET, address, "", Bytes::new())).await
}

/// A posted form, without credentials.
pub async fn post_form(address: &str, fields: &[(&str, &str)]) -> Result<Answer, CallError> {
    let pairs: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
    call(request(Method::POST, address, "application/x-www-form-urlencoded", pairs.join("&"))).await
}

fn escaped(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric();
    value
        .bytes()
        .map(|it| if plain(it) { char::from(it).to_string() } else { format!("%{it:02X}") })
        .collect()
}
