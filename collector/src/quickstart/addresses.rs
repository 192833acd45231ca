//! Where the quickstart listens: as it was told, else where it listened last time, so that bookmarks and
//! agents find it again, else on any free port.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// File of the data folder that holds the addresses of the last start.
const FILE: &str = "addresses.json";

/// Addresses of the two doors.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(super) struct Addresses {
    /// Pages and API.
    pub(super) web: SocketAddr,
    /// Agents.
    pub(super) agents: SocketAddr,
}

impl Addresses {
    /// Addresses that can be listened on now. A file of the last start that makes no sense counts as none.
    pub(super) fn choose(web: SocketAddr, agents: SocketAddr, data: &Path) -> anyhow::Result<Self> {
        let kept = std::fs::read(data.join(FILE)).ok();
        let last = kept.and_then(|it| serde_json::from_slice::<Self>(&it).ok());
        // Held until both are known: the system may not give one port twice.
        let web = bind(web, last.map(|it| it.web))?;
        let agents = bind(agents, last.map(|it| it.agents))?;
        Ok(Self { web: web.local_addr()?, agents: agents.local_addr()? })
    }

    /// Keeps them for the next start.
    pub(super) fn keep(self, data: &Path) -> anyhow::Result<()> {
        let file = data.join(FILE);
        let text = serde_json::to_vec_pretty(&self)?;
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
    }
}

fn bind(wanted: SocketAddr, last: Option<SocketAddr>) -> anyhow::Result<TcpListener> {
    let last = last.filter(|it| it.ip() == wanted.ip());
    let any = SocketAddr::new(wanted.ip(), 0);
    TcpListener::bind(wanted)
        .or_else(|busy| last.map_or(Err(busy), TcpListener::bind))
        .or_else(|_| TcpListener::bind(any))
        .with_context(|| format!("cannot listen on {}", wanted.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_port_gives_way_to_the_one_used_last_time() {
        let data = tempfile::tempdir().expect("folder");
        let busy = TcpListener::bind("127.0.0.1:0").expect("bind");
        let wanted = busy.local_addr().expect("address");
        let first = Addresses::choose(wanted, wanted, data.path()).expect("free ports");
        assert!(first.web != wanted && first.agents != wanted && first.web != first.agents, "{first:?}");
        first.keep(data.path()).expect("kept");
        assert_eq!(Addresses::choose(wanted, wanted, data.path()).expect("the same"), first);
        drop(busy);
        assert_eq!(Addresses::choose(wanted, first.agents, data.path()).expect("free again").web, wanted);
    }
}
