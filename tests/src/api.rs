//! The REST door, as another program uses it.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use crate::http::{Answer, CallError, call, request};

/// A program with an API key.
#[derive(Clone, Debug)]
pub struct Api {
    base: String,
    key: String,
}

impl Api {
    /// `web` is the collector's address for people, `key` what `admin api-key` printed.
    pub fn new(web: &str, key: &str) -> Self {
        Self { base: format!("{web}/api/v1"), key: key.to_owned() }
    }

    /// Any call; `path` begins with a slash.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let answer = self.try_send(method, path, body, headers).await;
        answer.unwrap_or_else(|error| panic!("{}{path} gave no answer: {error}", self.base))
    }

    /// Any call to a collector that may be ending.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Result<Answer, CallError> {
        let address = format!("{}{path}", self.base);
        let (kind, body) = body.map_or(("", Bytes::new()), |it| ("application/json", it.to_string().into()));
        let mut request = request(method, &address, kind, body);
        let authorization = format!("Bearer {}", self.key);
        for (name, value) in headers.iter().copied().chain([("authorization", authorization.as_str())]) {
            let name: http::HeaderName = name.parse().expect("a header name");
            request.headers_mut().insert(name, value.parse().expect("a header value"));
        }
        call(request).await
    }

    /// `GET`, whatever the answer.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, &[]).await
    }

    /// `GET` of something that must be there.
    pub async fn read(&self, path: &str) -> Value {
        self.get(path).await.expect(200).json()
    }

    /// `POST`, whatever the answer.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body), &[]).await
    }

    /// Opens a ticket and gives the whole answer.
    pub async fn open_ticket(&self, requester: &str, inventory_number: &str) -> Answer {
        self.post(
            "/tickets",
            &json!({
                "summary": "Impossible de se connecter au serveur",
                "description": "Depuis ce matin, l'écran reste noir après le mot de passe.",
                "requester": requester,
                "inventory_number": inventory_number,
            }),
        )
        .await
    }

    /// A ticket as it stands now.
    pub async fn ticket(&self, number: &str) -> Value {
        self.read(&format!("/tickets/{number}")).await
    }
}

/// The text at a path of field names and positions, empty when absent: `text(&ticket, "/assets/0/make")`.
pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
