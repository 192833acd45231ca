//! The pages without a browser: links and forms are read from the HTML, cookies are kept.

use http::Method;

use crate::http::{Answer, call, request};
use crate::world::PASSWORD;

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct Reader {
    web: String,
    cookie: String,
}

impl Reader {
    /// Signs in with the password of all persons of a story.
    pub async fn sign_in(web: &str, email: &str) -> Self {
        let form = encoded(&[("email", email), ("password", PASSWORD), ("next", "/")]);
        let answer = call(form_request(&format!("{web}/sign-in"), &form)).await.expect("an answer");
        assert!(answer.status.is_redirection(), "{email} is not signed in: {}", answer.text());
        let cookies = answer.headers.get_all(http::header::SET_COOKIE).iter();
        let pairs = cookies.filter_map(|it| it.to_str().ok()?.split(';').next());
        Self { web: web.to_owned(), cookie: pairs.collect::<Vec<_>>().join("; ") }
    }

    /// A page; `path` begins with a slash.
    pub async fn get(&self, path: &str) -> Answer {
        let mut asked = request(Method::GET, &format!("{}{path}", self.web), "", "");
        self.sign(&mut asked);
        call(asked).await.unwrap_or_else(|error| panic!("{path} gave no answer: {error}"))
    }

    /// Sends a form, with the token that the pages of this reader carry.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.token().await;
        let mut fields = fields.to_vec();
        fields.push(("csrf", &token));
        let mut asked = form_request(&format!("{}{path}", self.web), &encoded(&fields));
        self.sign(&mut asked);
        call(asked).await.unwrap_or_else(|error| panic!("{path} gave no answer: {error}"))
    }

    async fn token(&self) -> String {
        let page = self.get("/tickets").await.text();
        attributes(&page, "name=\"csrf\" value").into_iter().next().unwrap_or_default()
    }

    fn sign(&self, asked: &mut http::Request<http_body_util::Full<bytes::Bytes>>) {
        let value = self.cookie.parse().expect("a header value");
        asked.headers_mut().insert(http::header::COOKIE, value);
    }
}

fn form_request(address: &str, form: &str) -> http::Request<http_body_util::Full<bytes::Bytes>> {
    let kind = "application/x-www-form-urlencoded";
    let mut asked = request(Method::POST, address, kind, form.to_owned());
    let origin = address.split('/').take(3).collect::<Vec<_>>().join("/");
    asked.headers_mut().insert(http::header::ORIGIN, origin.parse().expect("a header value"));
    asked
}

/// Fields as a form sends them.
fn encoded(fields: &[(&str, &str)]) -> String {
    let byte =
        |it: u8| if it.is_ascii_alphanumeric() { char::from(it).to_string() } else { format!("%{it:02X}") };
    let escaped = |text: &str| text.bytes().map(byte).collect::<String>();
    let pair = |(name, value): &(&str, &str)| format!("{name}={}", escaped(value));
    fields.iter().map(pair).collect::<Vec<_>>().join("&")
}

/// Values of an attribute of a page, entities of addresses decoded: `attributes(html, "href")`.
pub fn attributes(page: &str, name: &str) -> Vec<String> {
    let mark = format!("{name}=\"");
    let values = page.split(&mark).skip(1).filter_map(|it| it.split('"').next());
    values.map(|it| it.replace("&amp;", "&").replace("&#38;", "&")).collect()
}
