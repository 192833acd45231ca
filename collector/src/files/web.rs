//! Reading what a form or a program sends as `multipart/form-data`, and sending a kept file back.

use std::collections::HashMap;

use axum::extract::Multipart;
use axum::extract::multipart::{Field, MultipartError};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

use super::{
    FILE_BYTES_MAX, FILES_BYTES_MAX, FILES_MAX, StoredFile, content_disposition, file_name, serving,
};
use crate::kernel::error::{ErrorKind, Fault};

/// Bytes of a whole request with files. Far above [`FILES_BYTES_MAX`], so that who sends too much gets the form
/// back with what was typed instead of a broken connection.
pub(crate) const BODY_BYTES_MAX: usize = 80 * 1024 * 1024;
/// Bytes of all texts beside the files: the longest description, percent-encoded or not.
const TEXT_BYTES_MAX: usize = 256 * 1024;
/// Fields of one form.
const FIELDS_MAX: usize = 200;
/// Requests whose files are in memory at once: a quarter of a gibibyte and a half at the very most.
static READING: Semaphore = Semaphore::const_new(16);

/// A file as it came.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub name: String,
    /// What the sender called it.
    pub media_type: String,
    pub bytes: Vec<u8>,
}

/// Why a file was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeftOut {
    /// More than a file may have.
    FileSize,
    /// With it, all files together are too large.
    TotalSize,
    /// One file more than may be sent at once.
    Count,
}

/// What came.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    /// Texts by name; those of the same name are joined by line breaks.
    pub fields: HashMap<String, String>,
    pub files: Vec<Upload>,
    pub left_out: Vec<(String, LeftOut)>,
}

/// Why nothing was read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PartsError {
    /// Not what the content type promises, or cut off.
    #[error("the body is not a readable multipart form: {0}")]
    Malformed(String),
    /// Texts or fields beyond the limit.
    #[error("the form has more than {TEXT_BYTES_MAX} bytes of text or {FIELDS_MAX} fields")]
    TooLong,
    /// The caller refused before the first file was read.
    #[error("the form may not send files")]
    Refused,
    /// Too many send files at the same time.
    #[error("too many files are being received; try again in a moment")]
    Busy,
}

impl Fault for PartsError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Malformed(_) | Self::TooLong => ErrorKind::Invalid,
            Self::Refused => ErrorKind::Forbidden,
            Self::Busy => ErrorKind::Exhausted,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::TooLong => "too-large",
            Self::Refused => "forbidden",
            Self::Busy => "busy",
        }
    }
}

impl From<MultipartError> for PartsError {
    fn from(error: MultipartError) -> Self {
        Self::Malformed(error.body_text())
    }
}

/// Reads a form. `admits` is asked once, with the texts that stood before the first file, so that nobody fills
/// the memory without a right to.
pub(crate) async fn read_parts(
    mut form: Multipart,
    admits: impl Fn(&HashMap<String, String>) -> bool,
) -> Result<Parts, PartsError> {
    let mut parts = Parts::default();
    let (mut text_bytes, mut file_bytes, mut fields) = (0, 0, 0);
    let mut reading = None;
    while let Some(field) = form.next_field().await? {
        fields += 1;
        if fields > FIELDS_MAX {
            return Err(PartsError::TooLong);
        }
        let Some(sent_name) = field.file_name().map(file_name) else {
            let name = field.name().unwrap_or_default().to_owned();
            let text = read_text(field, TEXT_BYTES_MAX - text_bytes).await?;
            text_bytes += name.len() + text.len();
            if text_bytes > TEXT_BYTES_MAX {
                return Err(PartsError::TooLong);
            }
            parts.fields.entry(name).and_modify(|it| *it = format!("{it}\n{text}")).or_insert(text);
            continue;
        };
        if reading.is_none() {
            if !admits(&parts.fields) {
                return Err(PartsError::Refused);
            }
            reading = Some(READING.try_acquire().map_err(|_| PartsError::Busy)?);
        }
        let media_type = field.content_type().unwrap_or_default().to_owned();
        let left = FILES_BYTES_MAX - file_bytes;
        match read_file(field, left).await? {
            Ok(bytes) if bytes.is_empty() => {}
            Ok(_) if parts.files.len() == FILES_MAX => parts.left_out.push((sent_name, LeftOut::Count)),
            Ok(bytes) => {
                file_bytes += bytes.len();
                parts.files.push(Upload { name: sent_name, media_type, bytes });
            }
            Err(why) => parts.left_out.push((sent_name, why)),
        }
    }
    Ok(parts)
}

async fn read_text(mut field: Field<'_>, max: usize) -> Result<String, PartsError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await? {
        if bytes.len() + chunk.len() > max {
            return Err(PartsError::TooLong);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The bytes; of a file that is too large they are passed over, so that the rest of the form is still read.
async fn read_file(mut field: Field<'_>, left: usize) -> Result<Result<Vec<u8>, LeftOut>, PartsError> {
    let mut bytes = Vec::new();
    let mut refused = None;
    let mut seen = 0;
    while let Some(chunk) = field.chunk().await? {
        seen += chunk.len();
        if seen > FILE_BYTES_MAX {
            refused = Some(LeftOut::FileSize);
        } else if seen > left {
            refused = Some(LeftOut::TotalSize);
        }
        if refused.is_some() {
            bytes = Vec::new();
        } else {
            bytes.extend_from_slice(&chunk);
        }
    }
    Ok(refused.map_or(Ok(bytes), Err))
}

/// A file on its way to a browser: typed and named so that nothing in it runs.
pub(crate) fn send(file: &StoredFile, bytes: Vec<u8>) -> Response {
    let kept = if file.restricted { "no-store" } else { "private, max-age=600" };
    let disposition = HeaderValue::from_str(&content_disposition(file));
    let headers: [(HeaderName, HeaderValue); 4] = [
        (header::CONTENT_TYPE, HeaderValue::from_static(serving(&file.media_type).media_type)),
        (header::CONTENT_DISPOSITION, disposition.unwrap_or(HeaderValue::from_static("attachment"))),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CACHE_CONTROL, HeaderValue::from_static(kept)),
    ];
    (headers, bytes).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::extract::{DefaultBodyLimit, FromRequest, Request};

    use super::*;

    /// A form with one text before and one after a file of so many bytes.
    fn form(file_bytes: usize) -> Request {
        let parts = [
            ("name=\"csrf\"", "token".to_owned()),
            ("name=\"file\"; filename=\"../a.txt\"\r\nContent-Type: text/plain", "x".repeat(file_bytes)),
            ("name=\"slot\"", "1".to_owned()),
            ("name=\"slot\"", "2".to_owned()),
            ("name=\"file\"; filename=\"\"", String::new()),
        ]
        .map(|(head, content)| format!("--B\r\nContent-Disposition: form-data; {head}\r\n\r\n{content}\r\n"));
        let body = format!("{}--B--\r\n", parts.concat());
        let mut request = Request::new(Body::from(body));
        request
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("multipart/form-data; boundary=B"));
        request
    }

    async fn read(request: Request, admitted: bool) -> Result<Parts, PartsError> {
        use tower::ServiceExt;
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let sender = std::sync::Arc::new(std::sync::Mutex::new(Some(sender)));
        let router = axum::Router::new()
            .fallback(move |request: Request| async move {
                let form = Multipart::from_request(request, &()).await.expect("multipart");
                let parts = read_parts(form, |it| admitted && it.contains_key("csrf")).await;
                let sender = sender.lock().expect("lock").take().expect("once");
                sender.send(parts).expect("waited for");
            })
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX));
        router.oneshot(request).await.expect("answer");
        receiver.await.expect("parts")
    }

    #[tokio::test]
    async fn texts_of_one_name_are_joined_and_an_empty_file_field_is_nothing() {
        let parts = read(form(3), true).await.expect("read");
        assert_eq!(parts.fields.get("slot").map(String::as_str), Some("1\n2"));
        assert_eq!(parts.files.len(), 1);
        assert_eq!((parts.files[0].name.as_str(), parts.files[0].bytes.as_slice()), ("a.txt", &b"xxx"[..]));
    }

    #[tokio::test]
    async fn a_file_beyond_the_limit_is_left_out_and_the_rest_is_kept() {
        let parts = read(form(FILE_BYTES_MAX + 1), true).await.expect("read");
        assert_eq!(parts.left_out, [("a.txt".to_owned(), LeftOut::FileSize)]);
        assert!(parts.files.is_empty() && parts.fields.contains_key("slot"));
    }

    #[tokio::test]
    async fn who_may_not_send_files_is_stopped_before_the_first() {
        assert!(matches!(read(form(3), false).await, Err(PartsError::Refused)));
    }
}
