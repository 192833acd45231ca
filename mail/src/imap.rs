//! Fetching from a mailbox (RFC 3501): size first, raw bytes untouched, a message leaves the folder only when it was
//! stored elsewhere. Every exchange with the server has a time limit.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_imap::extensions::idle::IdleResponse;
use async_imap::types::Fetch;
use futures_util::TryStreamExt;
use rustls::pki_types::ServerName;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::reading::{HEAD_BYTES, MESSAGE_BYTES_MAX};

/// For reaching the server and its greeting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// For one command; fetching 25 MiB over a slow line takes a while.
const COMMAND_TIMEOUT: Duration = Duration::from_mins(2);
/// Messages listed at once; the rest comes in the next round.
pub const LISTED_MAX: usize = 200;

/// Where mail is fetched.
#[derive(Clone, Debug)]
pub struct ImapDoor {
    /// Name of the server, also checked in its certificate.
    pub host: String,
    /// Usually 993.
    pub port: u16,
    /// How the line is protected; `None` sends passwords in the clear and is for the same machine only.
    pub tls: Option<Arc<rustls::ClientConfig>>,
    /// Account.
    pub user: String,
    /// Its password.
    pub password: SecretString,
    /// Folder new mail arrives in, usually `INBOX`.
    pub folder: String,
}

/// Why the server did not do it.
#[derive(Debug, thiserror::Error)]
pub enum ImapError {
    /// Not reachable, or the line broke.
    #[error("cannot talk to the server")]
    Line(#[source] std::io::Error),
    /// The name is none that a certificate can carry.
    #[error("{0} is not a name of a server")]
    Name(String),
    /// Name or password were refused.
    #[error("the server refuses the account")]
    Refused(#[source] Box<async_imap::error::Error>),
    /// It answered something else than expected.
    #[error("the server did not do it")]
    Protocol(#[source] Box<async_imap::error::Error>),
    /// No answer in time.
    #[error("no answer in {0:?}")]
    Late(Duration),
    /// The folder has no lasting numbers (RFC 3501 §2.3.1.1), so nothing could be fetched just once.
    #[error("the folder has no lasting message numbers")]
    NoLastingNumbers,
}

impl From<async_imap::error::Error> for ImapError {
    fn from(error: async_imap::error::Error) -> Self {
        match error {
            async_imap::error::Error::Io(error) => Self::Line(error),
            other => Self::Protocol(Box::new(other)),
        }
    }
}

/// A message in the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its lasting number.
    pub uid: u32,
    /// Its whole size, bytes.
    pub size_bytes: usize,
}

trait Line: AsyncRead + AsyncWrite + Unpin + Send + Sync + fmt::Debug {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + Sync + fmt::Debug> Line for T {}

type Session = async_imap::Session<Box<dyn Line>>;

/// A folder opened for fetching.
pub struct Folder {
    session: Session,
    uid_validity: u32,
    moves: bool,
    idles: bool,
}

impl fmt::Debug for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Folder").field("uid_validity", &self.uid_validity).finish_non_exhaustive()
    }
}

/// Why waiting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// The server told of something new.
    News,
    /// The time was over.
    Time,
}

/// Waits for one command, not longer than its limit.
async fn within<T, E: Into<ImapError>>(
    limit: Duration,
    command: impl Future<Output = Result<T, E>>,
) -> Result<T, ImapError> {
    tokio::time::timeout(limit, command).await.map_err(|_| ImapError::Late(limit))?.map_err(Into::into)
}

impl Folder {
    /// Connects, signs in and opens the folder.
    pub async fn open(door: &ImapDoor) -> Result<Self, ImapError> {
        let line = tokio::time::timeout(CONNECT_TIMEOUT, connect(door))
            .await
            .map_err(|_| ImapError::Late(CONNECT_TIMEOUT))??;
        let mut client = async_imap::Client::new(line);
        within(CONNECT_TIMEOUT, async { client.read_response().await.map_err(ImapError::Line) }).await?;
        let signing_in = client.login(&door.user, door.password.expose_secret());
        let mut session = tokio::time::timeout(COMMAND_TIMEOUT, signing_in)
            .await
            .map_err(|_| ImapError::Late(COMMAND_TIMEOUT))?
            .map_err(|(error, _)| match error {
                refused @ async_imap::error::Error::No(_) => ImapError::Refused(Box::new(refused)),
                other => other.into(),
            })?;
        let abilities = within(COMMAND_TIMEOUT, session.capabilities()).await?;
        let (moves, idles) = (abilities.has_str("MOVE"), abilities.has_str("IDLE"));
        let opened = within(COMMAND_TIMEOUT, session.select(&door.folder)).await?;
        let uid_validity = opened.uid_validity.ok_or(ImapError::NoLastingNumbers)?;
        Ok(Self { session, uid_validity, moves, idles })
    }

    /// Changes when the server numbered the folder anew.
    pub fn uid_validity(&self) -> u32 {
        self.uid_validity
    }

    /// The oldest messages of the folder, with their sizes.
    pub async fn list(&mut self) -> Result<Vec<Listed>, ImapError> {
        let found = within(COMMAND_TIMEOUT, self.session.uid_search("ALL")).await?;
        let mut uids: Vec<u32> = found.into_iter().collect();
        uids.sort_unstable();
        uids.truncate(LISTED_MAX);
        if uids.is_empty() {
            return Ok(Vec::new());
        }
        let set: Vec<String> = uids.iter().map(ToString::to_string).collect();
        let fetched = self.fetched(&set.join(","), "(UID RFC822.SIZE)").await?;
        let mut listed: Vec<Listed> = fetched
            .iter()
            .filter_map(|it| Some(Listed { uid: it.uid?, size_bytes: usize::try_from(it.size?).ok()? }))
            .collect();
        listed.sort_unstable_by_key(|it| it.uid);
        Ok(listed)
    }

    /// The raw bytes of a message; of one that is too large only its beginning. `None` when it is gone.
    pub async fn fetch(&mut self, message: Listed) -> Result<Option<Vec<u8>>, ImapError> {
        let part = if message.size_bytes > MESSAGE_BYTES_MAX {
            format!("(UID BODY.PEEK[]<0.{HEAD_BYTES}>)")
        } else {
            "(UID BODY.PEEK[])".to_owned()
        };
        let fetched = self.fetched(&message.uid.to_string(), &part).await?;
        let wanted = fetched.iter().find(|it| it.uid == Some(message.uid));
        Ok(wanted.and_then(Fetch::body).map(<[u8]>::to_vec))
    }

    async fn fetched(&mut self, set: &str, what: &str) -> Result<Vec<Fetch>, ImapError> {
        let session = &mut self.session;
        within(COMMAND_TIMEOUT, async {
            session.uid_fetch(set, what).await?.try_collect::<Vec<Fetch>>().await
        })
        .await
    }

    /// Moves a message into another folder, which is made when it is missing.
    pub async fn file_away(&mut self, uid: u32, folder: &str) -> Result<(), ImapError> {
        if let Err(error) = self.put(uid, folder).await {
            if !matches!(&error, ImapError::Protocol(cause) if matches!(**cause, async_imap::error::Error::No(_)))
            {
                return Err(error);
            }
            within(COMMAND_TIMEOUT, self.session.create(folder)).await?;
            self.put(uid, folder).await?;
        }
        Ok(())
    }

    async fn put(&mut self, uid: u32, folder: &str) -> Result<(), ImapError> {
        let set = uid.to_string();
        if self.moves {
            return within(COMMAND_TIMEOUT, self.session.uid_mv(&set, folder)).await;
        }
        within(COMMAND_TIMEOUT, self.session.uid_copy(&set, folder)).await?;
        let session = &mut self.session;
        within(COMMAND_TIMEOUT, async {
            session.uid_store(&set, "+FLAGS.SILENT (\\Deleted)").await?.try_collect::<Vec<Fetch>>().await
        })
        .await?;
        within(COMMAND_TIMEOUT, async { session.expunge().await?.try_collect::<Vec<u32>>().await }).await?;
        Ok(())
    }

    /// Waits until something new arrives, at most `limit`; without IDLE (RFC 2177) it only waits.
    pub async fn wait(mut self, limit: Duration) -> Result<(Self, Woken), ImapError> {
        if !self.idles {
            tokio::time::sleep(limit).await;
            within(COMMAND_TIMEOUT, self.session.noop()).await?;
            return Ok((self, Woken::Time));
        }
        let Self { session, uid_validity, moves, idles } = self;
        let mut idle = session.idle();
        within(COMMAND_TIMEOUT, idle.init()).await?;
        let woken = {
            let (waiting, _interrupt) = idle.wait_with_timeout(limit);
            match tokio::time::timeout(limit, waiting).await {
                Ok(response) => match response? {
                    IdleResponse::NewData(_) => Woken::News,
                    IdleResponse::Timeout => Woken::Time,
                    IdleResponse::ManualInterrupt => {
                        return Err(async_imap::error::Error::ConnectionLost.into());
                    }
                },
                Err(_) => Woken::Time,
            }
        };
        let session = within(COMMAND_TIMEOUT, idle.done()).await?;
        Ok((Self { session, uid_validity, moves, idles }, woken))
    }

    /// Says goodbye.
    pub async fn close(mut self) -> Result<(), ImapError> {
        within(CONNECT_TIMEOUT, self.session.logout()).await
    }
}

async fn connect(door: &ImapDoor) -> Result<Box<dyn Line>, ImapError> {
    let stream = TcpStream::connect((door.host.as_str(), door.port)).await.map_err(ImapError::Line)?;
    stream.set_nodelay(true).map_err(ImapError::Line)?;
    let Some(tls) = &door.tls else { return Ok(Box::new(stream)) };
    let name = ServerName::try_from(door.host.clone()).map_err(|_| ImapError::Name(door.host.clone()))?;
    let connector = tokio_rustls::TlsConnector::from(Arc::clone(tls));
    Ok(Box::new(connector.connect(name, stream).await.map_err(ImapError::Line)?))
}
