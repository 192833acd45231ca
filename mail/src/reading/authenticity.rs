//! Who really sent it, as far as our own mail server says so (RFC 8601). Only its topmost result counts: anybody can
//! write further ones into a message.

use super::address::domain;
use super::charset;
use super::fold::fold;
use super::header::Headers;

/// What our own server found out about the sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Authenticity {
    /// A check passed for the domain of the sender's address.
    Passed,
    /// The domain says that this is not its mail.
    Failed,
    /// Nobody we trust said anything.
    #[default]
    Unknown,
}

/// Reads the topmost result. `server` is the name our own server writes (RFC 8601 §2.5), empty when it writes none.
pub(crate) fn read(headers: &Headers<'_>, server: &str, sender: &str) -> Authenticity {
    if server.is_empty() || sender.is_empty() || headers.all("from").count() != 1 {
        return Authenticity::Unknown;
    }
    let Some(topmost) = headers.first("authentication-results") else { return Authenticity::Unknown };
    let text = fold(&charset::unlabelled(topmost));
    let mut results = text.split(';').map(str::trim);
    let id = results.next().and_then(|it| it.split_whitespace().next()).unwrap_or_default();
    if id != server.to_lowercase() {
        return Authenticity::Unknown;
    }
    let sender = domain(sender);
    let mut verdict = Authenticity::Unknown;
    for result in results {
        match method(result, sender) {
            Some(("dmarc", "fail" | "reject", _)) => return Authenticity::Failed,
            Some(("dmarc" | "dkim" | "spf", "pass", true)) => verdict = Authenticity::Passed,
            _ => {}
        }
    }
    verdict
}

/// "dkim=pass header.d=x": method, result, and whether it is about the sender's domain.
fn method<'a>(result: &'a str, sender: &str) -> Option<(&'a str, &'a str, bool)> {
    let mut words = result.split_whitespace();
    let (method, outcome) = words.next()?.split_once('=')?;
    let outcome = outcome.split('(').next().unwrap_or_default();
    let aligned = words.filter_map(|it| it.split_once('=')).any(|(property, value)| {
        let value = value.trim_matches('"');
        let named = match (method, property) {
            ("dmarc", "header.from") | ("dkim", "header.d") | ("spf", "smtp.mailfrom") => {
                value.rsplit_once('@').map_or(value, |(_, domain)| domain)
            }
            ("dkim", "header.i") => domain(value),
            _ => "",
        };
        aligned(named, sender)
    });
    Some((method, outcome, aligned))
}

/// The same domain, or one inside the other, but never two under a bare top-level domain.
fn aligned(named: &str, sender: &str) -> bool {
    let inside = |inner: &str, outer: &str| {
        outer.contains('.')
            && inner.strip_suffix(outer).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    !named.is_empty() && (named == sender || inside(named, sender) || inside(sender, named))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(header: &str) -> Authenticity {
        let raw = format!("{header}\nFrom: luc@client.example\n\n");
        let (headers, _) = Headers::split(raw.as_bytes());
        read(&headers, "mx.parc.example", "luc@client.example")
    }

    #[test]
    fn only_our_own_topmost_result_counts() {
        for (header, expected) in [
            (
                "Authentication-Results: mx.parc.example; dmarc=pass header.from=client.example",
                Authenticity::Passed,
            ),
            (
                "Authentication-Results: mx.parc.example 1; dkim=pass (2048) header.d=mail.client.example",
                Authenticity::Passed,
            ),
            (
                "Authentication-Results: mx.parc.example; spf=pass smtp.mailfrom=x@client.example",
                Authenticity::Passed,
            ),
            (
                "Authentication-Results: mx.parc.example; spf=pass smtp.mailfrom=x@evil.example",
                Authenticity::Unknown,
            ),
            ("Authentication-Results: mx.parc.example; dkim=pass header.d=example", Authenticity::Unknown),
            (
                "Authentication-Results: mx.parc.example; dkim=pass header.d=evilclient.example",
                Authenticity::Unknown,
            ),
            (
                "Authentication-Results: mx.parc.example; dmarc=fail header.from=client.example; spf=pass smtp.mailfrom=client.example",
                Authenticity::Failed,
            ),
            (
                "Authentication-Results: mx.evil.example; dmarc=pass header.from=client.example",
                Authenticity::Unknown,
            ),
            (
                "Authentication-Results: mx.evil.example; x=y\nAuthentication-Results: mx.parc.example; dmarc=pass header.from=client.example",
                Authenticity::Unknown,
            ),
            (
                "From: second@client.example\nAuthentication-Results: mx.parc.example; dmarc=pass header.from=client.example",
                Authenticity::Unknown,
            ),
            ("X: y", Authenticity::Unknown),
        ] {
            assert_eq!(verdict(header), expected, "{header}");
        }
    }
}
