//! How a message of ours is known again when it comes back: signed Message-IDs, signed words after the `+` of
//! our own address, and signed words in links.
//!
//! Invariants: nothing read here is trusted without its signature; a signature made for one purpose is worth
//! nothing for another; letters' case never matters, because relays change it. A signature says that we wrote
//! the word, not who sends it now: that is the reader's business.

use std::fmt;

/// Bits of a signature: enough that nobody guesses one by sending mails (80 bits, 16 letters).
const MAC_LETTERS: usize = 16;
/// Letters of 16 bytes.
const ID_LETTERS: usize = 26;
/// Letters of a [`Mark`].
const MARK_LETTERS: usize = 8;
/// Longest word that is looked at: the longest Message-ID line (RFC 5322 §2.1.1).
const WORD_BYTES_MAX: usize = 998;
/// Longest ticket number, event or address part inside a word.
const PART_BYTES_MAX: usize = 48;

/// 16 bytes that name a person or an outgoing mail: a UUID.
pub type Id = [u8; 16];

/// Signs and reads. All collectors of one installation have the same key.
#[derive(Clone)]
pub struct Signer {
    key: [u8; 32],
    domain: String,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.domain)
    }
}

/// Which mail it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageIdentity {
    /// Ticket's number, or another word for mails without ticket: letters, digits, `-` and `_`.
    pub ticket: String,
    /// What happened to the ticket: the event's number and the template, `17-resolved`.
    pub event: String,
    /// To whom.
    pub recipient: Id,
}

/// A Message-ID of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnMessageId {
    /// The beginning of a ticket's thread; no mail carries it, all refer to it.
    Root {
        /// Ticket's number, in the case it came back in.
        ticket: String,
    },
    /// A mail.
    Message(MessageIdentity),
}

/// The first 40 bits of a hash of an [`Id`]: enough to notice that an address was passed on to somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark([u8; 5]);

impl Mark {
    /// The mark of a person.
    pub fn of(id: &Id) -> Self {
        let mut mark = [0; 5];
        blake3::Hasher::new().update(id).finalize_xof().fill(&mut mark);
        Self(mark)
    }
}

/// What stands after the `+` of our address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressToken {
    /// Somebody answers a mail about a ticket.
    Reply {
        /// Ticket's number, in the case it came back in.
        ticket: String,
        /// Whom the mail had been sent to.
        recipient: Mark,
    },
    /// Somebody's server reports on a mail.
    Bounce {
        /// Which one.
        outgoing: Id,
    },
}

/// A choice that a link in a mail offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkClaim {
    /// What the link is for, a fixed word of the program.
    pub purpose: String,
    /// Ticket's number.
    pub ticket: String,
    /// Number of the event that the mail told of.
    pub event_no: i64,
    /// Whom the link was sent to.
    pub recipient: Id,
    /// Second (since 1970) from which it is worth nothing.
    pub until_s: i64,
}

impl Signer {
    /// With 32 secret bytes that all collectors of one installation derive alike; `domain` stands on the right
    /// of every Message-ID.
    pub fn new(key: [u8; 32], domain: &str) -> Self {
        Self { key, domain: domain.to_ascii_lowercase() }
    }

    /// The domain of the Message-IDs.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Names this installation in a header of every mail, so that it recognises its own.
    pub fn instance(&self) -> String {
        self.mac("instance", "")
    }

    /// The Message-ID of a mail, with its angle brackets. The same mail has the same one however often it is sent.
    pub fn message_id(&self, of: &MessageIdentity) -> String {
        let body = format!("{}.{}.{}", of.ticket, of.event, base32(&of.recipient));
        format!("<{body}.{}@{}>", self.mac("message", &body), self.domain)
    }

    /// What all mails of a ticket refer to first.
    pub fn root_id(&self, ticket: &str) -> String {
        format!("<{ticket}.{}@{}>", self.mac("root", ticket), self.domain)
    }

    /// Reads one word of `In-Reply-To` or `References`; nothing when we did not sign it. The domain may have
    /// changed since.
    pub fn read_message_id(&self, word: &str) -> Option<OwnMessageId> {
        let word = word.trim().trim_start_matches('<').trim_end_matches('>');
        let (local, _) = word.split_once('@').filter(|_| word.len() <= WORD_BYTES_MAX)?;
        let (body, mac) = local.rsplit_once('.')?;
        let parts: Vec<&str> = body.split('.').collect();
        match parts[..] {
            [ticket] if is_part(ticket) && self.fits("root", body, mac) => {
                Some(OwnMessageId::Root { ticket: ticket.to_owned() })
            }
            [ticket, event, recipient] if self.fits("message", body, mac) => {
                let recipient = unbase32(recipient, ID_LETTERS)?.try_into().ok()?;
                let (ticket, event) = (ticket.to_owned(), event.to_ascii_lowercase());
                Some(OwnMessageId::Message(MessageIdentity { ticket, event, recipient }))
            }
            _ => None,
        }
    }

    /// The word that makes an answer find its ticket: at most 55 letters.
    pub fn reply_token(&self, ticket: &str, recipient: &Id) -> String {
        let body = format!("r{}.{}", ticket.to_ascii_lowercase(), base32(&Mark::of(recipient).0));
        format!("{body}.{}", self.mac("reply", &body))
    }

    /// The word that makes a non-delivery report find its mail: 44 letters.
    pub fn bounce_token(&self, outgoing: &Id) -> String {
        let body = format!("b{}", base32(outgoing));
        format!("{body}.{}", self.mac("bounce", &body))
    }

    /// Reads what stands after the `+` of an address; nothing when we did not sign it.
    pub fn read_address_token(&self, token: &str) -> Option<AddressToken> {
        let (body, mac) = token.rsplit_once('.').filter(|_| token.len() <= WORD_BYTES_MAX)?;
        if let Some(rest) = body.strip_prefix(['r', 'R'])
            && self.fits("reply", body, mac)
        {
            let (ticket, mark) = rest.rsplit_once('.')?;
            let mark = unbase32(mark, MARK_LETTERS)?.try_into().ok()?;
            return Some(AddressToken::Reply { ticket: ticket.to_owned(), recipient: Mark(mark) });
        }
        let rest = body.strip_prefix(['b', 'B']).filter(|_| self.fits("bounce", body, mac))?;
        Some(AddressToken::Bounce { outgoing: unbase32(rest, ID_LETTERS)?.try_into().ok()? })
    }

    /// The word that stands in a link.
    pub fn link_token(&self, claim: &LinkClaim) -> String {
        let LinkClaim { purpose, ticket, event_no, recipient, until_s } = claim;
        let body = format!("{purpose}.{ticket}.{event_no}.{}.{until_s}", base32(recipient));
        format!("{body}.{}", self.mac("link", &body))
    }

    /// Reads the word of a link; nothing when we did not sign it, or when its time is over at `now_s`.
    pub fn read_link_token(&self, token: &str, now_s: i64) -> Option<LinkClaim> {
        let (body, mac) = token.rsplit_once('.').filter(|_| token.len() <= WORD_BYTES_MAX)?;
        let parts: Vec<&str> = body.split('.').collect();
        let [purpose, ticket, event_no, recipient, until_s] = parts[..] else { return None };
        if !self.fits("link", body, mac) {
            return None;
        }
        let claim = LinkClaim {
            purpose: purpose.to_owned(),
            ticket: ticket.to_owned(),
            event_no: event_no.parse().ok()?,
            recipient: unbase32(recipient, ID_LETTERS)?.try_into().ok()?,
            until_s: until_s.parse().ok()?,
        };
        (now_s < claim.until_s).then_some(claim)
    }

    /// Keyed hash of a purpose and a text, letters folded; 80 bits.
    fn mac(&self, purpose: &str, body: &str) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(purpose.as_bytes()).update(&[0]).update(body.to_ascii_lowercase().as_bytes());
        let mut mac = [0; MAC_LETTERS * 5 / 8];
        hasher.finalize_xof().fill(&mut mac);
        base32(&mac)
    }

    /// Compares without stopping at the first difference.
    fn fits(&self, purpose: &str, body: &str, mac: &str) -> bool {
        let expected = self.mac(purpose, body);
        let given = mac.to_ascii_lowercase();
        expected.len() == given.len()
            && expected.bytes().zip(given.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
    }
}

/// Our address with a word after the `+`: `support@parc.example` becomes `support+word@parc.example`.
pub fn with_token(address: &str, token: &str) -> String {
    match address.rsplit_once('@') {
        Some((local, domain)) => format!("{local}+{token}@{domain}"),
        None => address.to_owned(),
    }
}

/// The word after the `+`, when `address` is `ours` with one. Case never matters.
pub fn token_of<'a>(address: &'a str, ours: &str) -> Option<&'a str> {
    let (local, domain) = address.rsplit_once('@')?;
    let (our_local, our_domain) = ours.rsplit_once('@')?;
    let (name, token) = local.split_once('+')?;
    (name.eq_ignore_ascii_case(our_local) && domain.eq_ignore_ascii_case(our_domain)).then_some(token)
}

/// Whether `address` is `ours`, with or without a word after the `+`.
pub fn is_ours(address: &str, ours: &str) -> bool {
    address.eq_ignore_ascii_case(ours) || token_of(address, ours).is_some()
}

/// Whether a text may be a ticket or an event inside a word.
fn is_part(text: &str) -> bool {
    (1..=PART_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-' || it == b'_')
}

/// Letters of RFC 4648 §6 in lower case, without padding.
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut held, mut bits) = (0_u16, 0_u32);
    for byte in bytes {
        held = (held << 8) | u16::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(LETTERS[usize::from((held >> bits) & 31)]));
        }
    }
    if bits > 0 {
        text.push(char::from(LETTERS[usize::from((held << (5 - bits)) & 31)]));
    }
    text
}

/// The whole bytes of exactly `letters` letters, in either case.
fn unbase32(text: &str, letters: usize) -> Option<Vec<u8>> {
    if text.len() != letters {
        return None;
    }
    let mut bytes = Vec::with_capacity(letters * 5 / 8);
    let (mut held, mut bits) = (0_u16, 0_u32);
    for letter in text.bytes() {
        let value = LETTERS.iter().position(|it| *it == letter.to_ascii_lowercase())?;
        held = (held << 5) | u16::try_from(value).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xFF).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OURS: &str = "support@parc.example";

    fn signer() -> Signer {
        Signer::new([7; 32], "Parc.Example")
    }

    fn message() -> MessageIdentity {
        MessageIdentity { ticket: "I202611_0042".into(), event: "17-resolved".into(), recipient: [9; 16] }
    }

    #[test]
    fn a_message_id_names_ticket_event_and_recipient_and_nobody_else_can_make_one() {
        let id = signer().message_id(&message());
        assert!(id.starts_with("<I202611_0042.17-resolved.") && id.ends_with("@parc.example>"), "{id}");
        assert_eq!(signer().read_message_id(&id), Some(OwnMessageId::Message(message())));
        assert_eq!(Signer::new([8; 32], "parc.example").read_message_id(&id), None, "another installation");
        let forged = id.replace("0042", "0043");
        assert_eq!(signer().read_message_id(&forged), None);
    }

    #[test]
    fn a_ticket_has_one_root_that_is_no_message() {
        let root = signer().root_id("I202611_0042");
        assert_eq!(root, signer().root_id("I202611_0042"));
        assert_eq!(
            signer().read_message_id(&root),
            Some(OwnMessageId::Root { ticket: "I202611_0042".into() })
        );
    }

    #[test]
    fn a_relay_that_folds_case_or_a_new_domain_changes_nothing() {
        let id = signer().message_id(&message()).to_ascii_lowercase();
        assert!(
            matches!(signer().read_message_id(&id), Some(OwnMessageId::Message(it)) if it.ticket == "i202611_0042")
        );
        let moved = Signer::new([7; 32], "new.example");
        assert!(moved.read_message_id(&signer().root_id("I202611_0042")).is_some());
        let token = signer().reply_token("I202611_0042", &[9; 16]).to_ascii_uppercase();
        assert!(signer().read_address_token(&token).is_some());
    }

    #[test]
    fn an_answer_finds_its_ticket_and_knows_whom_the_mail_was_for() {
        let token = signer().reply_token("I202611_0042", &[9; 16]);
        let address = with_token(OURS, &token);
        assert!(address.split('@').next().is_some_and(|it| it.len() <= 64), "RFC 5321 local part: {address}");
        let found = token_of(&address, "Support@PARC.example").and_then(|it| signer().read_address_token(it));
        let recipient = Mark::of(&[9; 16]);
        assert_eq!(found, Some(AddressToken::Reply { ticket: "i202611_0042".into(), recipient }));
        assert_ne!(recipient, Mark::of(&[10; 16]));
    }

    #[test]
    fn a_report_finds_its_mail_and_is_no_answer() {
        let token = signer().bounce_token(&[3; 16]);
        assert_eq!(signer().read_address_token(&token), Some(AddressToken::Bounce { outgoing: [3; 16] }));
        let turned = format!("r{}", &token[1..]);
        assert_eq!(signer().read_address_token(&turned), None);
    }

    #[test]
    fn a_strangers_address_carries_no_word_of_ours() {
        assert_eq!(token_of("support+word@evil.example", OURS), None);
        assert_eq!(token_of("supporter+word@parc.example", OURS), None);
        assert_eq!(token_of(OURS, OURS), None);
        assert!(is_ours("SUPPORT@parc.example", OURS) && is_ours("support+x@parc.example", OURS));
        assert!(!is_ours("x@parc.example", OURS));
    }

    #[test]
    fn a_link_is_worth_something_until_its_second_and_for_its_purpose() {
        let claim = LinkClaim {
            purpose: "resolved".into(),
            ticket: "I202611_0042".into(),
            event_no: 17,
            recipient: [9; 16],
            until_s: 1_000,
        };
        let token = signer().link_token(&claim);
        assert_eq!(signer().read_link_token(&token, 999), Some(claim));
        assert_eq!(signer().read_link_token(&token, 1_000), None);
        assert_eq!(signer().read_link_token(&token.replace(".17.", ".18."), 999), None);
        assert_eq!(signer().read_link_token(&token.replace(".1000.", ".9000."), 999), None);
    }

    proptest! {
        #[test]
        fn any_id_survives_its_letters(id in any::<[u8; 16]>()) {
            let token = signer().bounce_token(&id);
            prop_assert_eq!(signer().read_address_token(&token), Some(AddressToken::Bounce { outgoing: id }));
        }

        #[test]
        fn garbage_is_nothing_and_breaks_nothing(text in "\\PC{0,120}") {
            prop_assert_eq!(signer().read_message_id(&text), None);
            prop_assert_eq!(signer().read_address_token(&text), None);
            prop_assert_eq!(signer().read_link_token(&text, 0), None);
        }

        #[test]
        fn one_changed_letter_of_a_token_is_noticed(at in 0_usize..44, letter in "[a-z2-7.]") {
            let token = signer().bounce_token(&[3; 16]);
            let mut changed = token.clone();
            changed.replace_range(at..=at, &letter);
            if changed != token {
                prop_assert_eq!(signer().read_address_token(&changed), None);
            }
        }
    }
}
