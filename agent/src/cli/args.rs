//! The command line, parsed.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::prelude::ValueExt;
use lexopt::{Arg, Parser};

use super::help;
use crate::address::CollectorAddress;
use crate::agent::TicketWish;
use parc_wire::tag::AssetTag;

/// A whole command line.
#[derive(Debug, PartialEq)]
pub(super) struct Invocation {
    pub(super) places: Places,
    pub(super) command: Command,
}

/// Options that every command takes.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Places {
    pub(super) config: Option<PathBuf>,
    pub(super) root: Option<PathBuf>,
    pub(super) state: Option<PathBuf>,
}

#[derive(Debug, PartialEq)]
pub(super) enum Command {
    Enroll(EnrollArgs),
    Run,
    Report { json: bool },
    Show { json: bool },
    Status,
    Tag(TagArgs),
    TicketLink,
    Ticket(TicketWish),
    SealImage,
    Help(&'static str),
    Version,
}

#[derive(Debug, PartialEq)]
pub(super) struct EnrollArgs {
    pub(super) collector: Option<CollectorAddress>,
    pub(super) token: TokenSource,
    pub(super) tag: Option<AssetTag>,
    pub(super) replace: bool,
}

#[derive(Debug, PartialEq)]
pub(super) enum TokenSource {
    Text(String),
    File(PathBuf),
}

#[derive(Debug, PartialEq)]
pub(super) enum TagArgs {
    Print,
    Set(AssetTag),
    Clear,
}

/// Parses the arguments behind the program's name.
pub(super) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Invocation, lexopt::Error> {
    let mut reader = Reader { parser: Parser::from_args(args), places: Places::default(), help: None };
    let command = reader.command()?;
    let command = match reader.help {
        Some(text) => Command::Help(text),
        None => command?,
    };
    Ok(Invocation { places: reader.places, command })
}

/// What is to be done, or why the options do not make sense together. The latter is asked for only
/// when no help was wanted.
type Wanted = Result<Command, lexopt::Error>;

/// An argument that belongs to a command.
enum Given {
    Option(String),
    Word(OsString),
}

impl Given {
    fn unexpected(self) -> lexopt::Error {
        match self {
            Self::Option(name) => lexopt::Error::UnexpectedOption(format!("--{name}")),
            Self::Word(word) => lexopt::Error::UnexpectedArgument(word),
        }
    }

    /// Name of an option; a word is not expected here.
    fn option(self) -> Result<String, lexopt::Error> {
        match self {
            Self::Option(name) => Ok(name),
            word @ Self::Word(_) => Err(word.unexpected()),
        }
    }
}

fn unknown(option: &str) -> lexopt::Error {
    Given::Option(option.to_owned()).unexpected()
}

struct Reader {
    parser: Parser,
    places: Places,
    help: Option<&'static str>,
}

impl Reader {
    fn command(&mut self) -> Result<Wanted, lexopt::Error> {
        let name = match self.next(help::MAIN)? {
            None if self.help.is_some() => return Ok(Ok(Command::Help(help::MAIN))),
            None => return Ok(Err("no command given, see `parc-agent --help`".into())),
            Some(Given::Option(name)) if name == "version" => return Ok(Ok(Command::Version)),
            Some(Given::Option(name)) => return Err(unknown(&name)),
            Some(Given::Word(name)) => name.string()?,
        };
        match name.as_str() {
            "enroll" => self.enroll(),
            "run" => self.nothing_more(help::RUN, Command::Run),
            "report" => self.json(help::REPORT, |json| Command::Report { json }),
            "show" => self.json(help::SHOW, |json| Command::Show { json }),
            "status" => self.nothing_more(help::STATUS, Command::Status),
            "tag" => self.tag(),
            "ticket" => self.ticket(),
            "seal-image" => self.nothing_more(help::SEAL_IMAGE, Command::SealImage),
            "help" => self.nothing_more(help::MAIN, Command::Help(help::MAIN)),
            unknown => Err(format!("there is no command `{unknown}`, see `parc-agent --help`").into()),
        }
    }

    /// The next argument that is not one of the common options.
    fn next(&mut self, help: &'static str) -> Result<Option<Given>, lexopt::Error> {
        loop {
            let given = match self.parser.next()? {
                None => return Ok(None),
                Some(Arg::Value(word)) => return Ok(Some(Given::Word(word))),
                Some(Arg::Long(name)) => name.to_owned(),
                Some(Arg::Short('h')) => "help".to_owned(),
                Some(Arg::Short('V')) => "version".to_owned(),
                Some(other) => return Err(other.unexpected()),
            };
            let place = match given.as_str() {
                "help" => {
                    self.help = Some(help);
                    continue;
                }
                "config" => &mut self.places.config,
                "root" => &mut self.places.root,
                "state" => &mut self.places.state,
                _ => return Ok(Some(Given::Option(given))),
            };
            *place = Some(self.parser.value()?.into());
        }
    }

    fn nothing_more(&mut self, help: &'static str, command: Command) -> Result<Wanted, lexopt::Error> {
        match self.next(help)? {
            None => Ok(Ok(command)),
            Some(other) => Err(other.unexpected()),
        }
    }

    fn json(&mut self, help: &'static str, command: fn(bool) -> Command) -> Result<Wanted, lexopt::Error> {
        let mut json = false;
        while let Some(given) = self.next(help)? {
            match given.option()?.as_str() {
                "json" => json = true,
                other => return Err(unknown(other)),
            }
        }
        Ok(Ok(command(json)))
    }

    fn enroll(&mut self) -> Result<Wanted, lexopt::Error> {
        let (mut collector, mut token, mut tag, mut replace) = (None, None, None, false);
        while let Some(given) = self.next(help::ENROLL)? {
            match given.option()?.as_str() {
                "collector" => collector = Some(self.parser.value()?.parse()?),
                "token" => token = Some(TokenSource::Text(self.parser.value()?.string()?)),
                "token-file" => token = Some(TokenSource::File(self.parser.value()?.into())),
                "tag" => tag = Some(self.parser.value()?.parse()?),
                "replace" => replace = true,
                other => return Err(unknown(other)),
            }
        }
        let no_token = || "enroll needs --token TOKEN, given by an administrator".into();
        let with = |token| Command::Enroll(EnrollArgs { collector, token, tag, replace });
        Ok(token.map(with).ok_or_else(no_token))
    }

    fn tag(&mut self) -> Result<Wanted, lexopt::Error> {
        let mut tag = TagArgs::Print;
        while let Some(given) = self.next(help::TAG)? {
            tag = match (given, tag) {
                (Given::Option(name), TagArgs::Print) if name == "clear" => TagArgs::Clear,
                (Given::Word(text), TagArgs::Print) => TagArgs::Set(text.parse()?),
                (other, _) => return Err(other.unexpected()),
            };
        }
        Ok(Ok(Command::Tag(tag)))
    }

    fn ticket(&mut self) -> Result<Wanted, lexopt::Error> {
        let mut wish = TicketWish::default();
        while let Some(given) = self.next(help::TICKET)? {
            let text = match given.option()?.as_str() {
                "summary" => &mut wish.summary,
                "requester" => &mut wish.requester,
                "description" => &mut wish.description,
                "phone" => &mut wish.phone,
                "inventory-number" => &mut wish.inventory_number,
                other => return Err(unknown(other)),
            };
            *text = self.parser.value()?.string()?;
        }
        if wish == TicketWish::default() {
            return Ok(Ok(Command::TicketLink));
        }
        if wish.summary.trim().is_empty() || wish.requester.trim().is_empty() {
            return Ok(Err("a ticket needs both --summary and --requester".into()));
        }
        Ok(Ok(Command::Ticket(wish)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Invocation, String> {
        parse(line.split_whitespace().map(OsString::from)).map_err(|error| error.to_string())
    }

    fn command(line: &str) -> Command {
        parsed(line).unwrap().command
    }

    #[test]
    fn common_options_may_stand_before_and_after_the_command() {
        let before = parsed("--state /s --root /r --config=/c show --json").unwrap();
        assert_eq!(before, parsed("show --config /c --json --root=/r --state /s").unwrap());
        assert_eq!(before.command, Command::Show { json: true });
        assert_eq!(before.places.state, Some("/s".into()));
    }

    #[test]
    fn help_is_given_for_the_command_even_if_the_rest_is_missing() {
        assert_eq!(command("enroll --help"), Command::Help(help::ENROLL));
        assert_eq!(command("ticket -h --summary x"), Command::Help(help::TICKET));
        assert_eq!(command("--help"), Command::Help(help::MAIN));
        assert_eq!(command("--version"), Command::Version);
    }

    #[test]
    fn a_wrong_line_says_what_is_wrong() {
        let refusal = |line| parsed(line).unwrap_err();
        assert!(refusal("").contains("no command"));
        assert!(refusal("repot").contains("`repot`"));
        assert!(refusal("enroll --collector https://c").contains("--token"));
        assert!(refusal("enroll --token t --collector http://c").contains("https://"));
        assert!(refusal("tag To-be-filled-by-O.E.M.").contains("factory placeholder"));
        assert!(refusal("tag A1 A2").contains("A2"));
        assert!(refusal("ticket --summary broken").contains("--requester"));
        assert!(refusal("run --json").contains("json"));
    }

    #[test]
    fn a_tag_is_printed_set_or_cleared() {
        assert_eq!(command("tag"), Command::Tag(TagArgs::Print));
        assert_eq!(command("tag INV-1"), Command::Tag(TagArgs::Set("INV-1".parse().unwrap())));
        assert_eq!(command("tag --clear"), Command::Tag(TagArgs::Clear));
    }

    #[test]
    fn without_words_a_ticket_is_a_link() {
        assert_eq!(command("ticket"), Command::TicketLink);
        assert!(matches!(command("ticket --summary s --requester a@b"), Command::Ticket(_)));
    }
}
