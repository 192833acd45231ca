//! A TLS stream that remembers how it ended.
//!
//! With TLS 1.3 a collector refuses a client certificate after the handshake has succeeded on this
//! side, and the layers above turn its alert into "transport error". The alert is noted here, where it
//! can still be told from a broken line.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use rustls::AlertDescription;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// What became of a connection.
#[derive(Debug, Default)]
pub(super) struct Fate {
    alert: OnceLock<AlertDescription>,
    answered: AtomicBool,
}

impl Fate {
    /// The alert that the collector ended the connection with.
    pub(super) fn alert(&self) -> Option<AlertDescription> {
        self.alert.get().copied()
    }

    /// Whether the collector said anything at all after the handshake.
    pub(super) fn answered(&self) -> bool {
        self.answered.load(Ordering::Relaxed)
    }

    pub(super) fn mark_answered(&self) {
        self.answered.store(true, Ordering::Relaxed);
    }

    fn note(&self, error: &io::Error) {
        let cause = error.get_ref().and_then(|it| it.downcast_ref::<rustls::Error>());
        if let Some(rustls::Error::AlertReceived(alert)) = cause {
            self.alert.get_or_init(|| *alert);
        }
    }
}

/// The stream itself.
#[derive(Debug)]
pub(super) struct Watched {
    stream: TlsStream<TcpStream>,
    fate: Arc<Fate>,
}

impl Watched {
    pub(super) fn new(stream: TlsStream<TcpStream>) -> (Self, Arc<Fate>) {
        let fate = Arc::new(Fate::default());
        (Self { stream, fate: fate.clone() }, fate)
    }

    fn watch<T>(&self, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Poll::Ready(Err(error)) = &polled {
            self.fate.note(error);
        }
        polled
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.fate.mark_answered();
        }
        self.watch(polled)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch(polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        self.watch(polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.watch(polled)
    }
}
