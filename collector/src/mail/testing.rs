//! A relay for tests that answers by a script and remembers what it was handed.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "for tests only: what fails, fails the test"
)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// A message as it was handed over.
#[derive(Clone, Debug)]
pub struct Delivered {
    /// Envelope sender.
    pub from: String,
    /// Envelope recipient.
    pub to: String,
    /// The whole message.
    pub text: String,
}

impl Delivered {
    /// The value of a header, unfolded; empty without it.
    pub fn header(&self, name: &str) -> String {
        let head = self.text.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ");
        let found = head.split("\r\n").find_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        });
        found.unwrap_or_default()
    }
}

/// What the relay does with the next message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Takes it.
    Take,
    /// Answers the recipient with this code.
    Recipient(u16),
    /// Takes the whole message upon itself and never says so.
    Silence,
}

#[derive(Debug, Default)]
struct Book {
    script: VecDeque<Reply>,
    delivered: Vec<Delivered>,
}

/// The relay; it listens until the test ends.
#[derive(Clone, Debug)]
pub struct ScriptedRelay {
    /// Where it listens, on the loopback interface.
    pub port: u16,
    book: Arc<Mutex<Book>>,
    arrived: Arc<Notify>,
}

impl ScriptedRelay {
    /// One that takes everything until told otherwise.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("its number").port();
        let relay = Self { port, book: Arc::default(), arrived: Arc::default() };
        let own = relay.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let own = own.clone();
                tokio::spawn(async move { own.talk(stream).await });
            }
        });
        relay
    }

    /// What it does with the next messages; after them it takes everything.
    pub fn answers(&self, script: &[Reply]) {
        self.book().script = script.iter().copied().collect();
    }

    /// Messages it was handed so far, in their order.
    pub fn delivered(&self) -> Vec<Delivered> {
        self.book().delivered.clone()
    }

    /// Waits until it was handed a message.
    pub async fn until_arrival(&self) {
        self.arrived.notified().await;
    }

    fn book(&self) -> std::sync::MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn talk(&self, stream: TcpStream) -> Option<()> {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read);
        let (mut from, mut to) = (String::new(), String::new());
        let mut reply = Reply::Take;
        say(&mut write, "220 relay.example ready").await?;
        loop {
            let line = read_line(&mut lines).await?;
            let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" => say(&mut write, "250 relay.example").await?,
                "MAIL" => {
                    from = bracketed(&line);
                    reply = self.book().script.pop_front().unwrap_or(Reply::Take);
                    say(&mut write, "250 sender fine").await?;
                }
                "RCPT" => match reply {
                    Reply::Recipient(code) => {
                        say(&mut write, &format!("{code} not {}", bracketed(&line))).await?;
                    }
                    Reply::Take | Reply::Silence => {
                        to = bracketed(&line);
                        say(&mut write, "250 recipient fine").await?;
                    }
                },
                "DATA" => {
                    say(&mut write, "354 go on").await?;
                    let text = read_message(&mut lines).await?;
                    self.book().delivered.push(Delivered { from: from.clone(), to: to.clone(), text });
                    self.arrived.notify_one();
                    if reply == Reply::Silence {
                        std::future::pending::<()>().await;
                    }
                    say(&mut write, "250 taken").await?;
                }
                "QUIT" => {
                    say(&mut write, "221 bye").await?;
                    return None;
                }
                _ => say(&mut write, "250 fine").await?,
            }
        }
    }
}

async fn say(write: &mut OwnedWriteHalf, line: &str) -> Option<()> {
    write.write_all(format!("{line}\r\n").as_bytes()).await.ok()
}

async fn read_line(lines: &mut BufReader<OwnedReadHalf>) -> Option<String> {
    let mut line = String::new();
    (lines.read_line(&mut line).await.ok()? > 0).then_some(line)
}

async fn read_message(lines: &mut BufReader<OwnedReadHalf>) -> Option<String> {
    let mut text = String::new();
    loop {
        let line = read_line(lines).await?;
        if line == ".\r\n" {
            return Some(text);
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}

fn bracketed(line: &str) -> String {
    line.split_once('<').and_then(|it| it.1.split_once('>')).map(|it| it.0.to_owned()).unwrap_or_default()
}
