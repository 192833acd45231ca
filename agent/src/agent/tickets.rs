//! Tickets from the machine itself: the person who sits at it never has to look for the sticker.

use parc_wire::v1::{OpenTicketRequest, OpenTicketResponse, TicketLinkResponse};
use prost::Message;

use super::{Agent, AgentError};
use crate::random::Random;
use crate::state_dir::TicketRequest;
use crate::tls;
use crate::upload::Session;

/// What a person writes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TicketWish {
    /// One line.
    pub summary: String,
    /// More than a line, may be empty.
    pub description: String,
    /// E-mail address of a person of the organisation.
    pub requester: String,
    /// Another machine's tag; empty means this machine.
    pub inventory_number: String,
    /// Where to call back, may be empty.
    pub phone: String,
}

impl Agent {
    /// A signed address of the portal with this machine filled in.
    pub async fn ticket_link(&self) -> Result<TicketLinkResponse, AgentError> {
        Ok(self.session().await?.ticket_link().await?)
    }

    /// Opens a ticket. Asked for again with the same words before an answer came, it opens no second one.
    pub async fn open_ticket(
        &self,
        wish: &TicketWish,
        random: &mut dyn Random,
    ) -> Result<OpenTicketResponse, AgentError> {
        let _lock = self.dir.lock()?;
        let session = self.session().await?;
        let mut request = OpenTicketRequest {
            summary: wish.summary.clone(),
            description: wish.description.clone(),
            requester: wish.requester.clone(),
            inventory_number: wish.inventory_number.clone(),
            phone: wish.phone.clone(),
            request_id: Vec::new(),
        };
        request.request_id = self.request_id(&request, random)?.to_vec();
        let answer = session.open_ticket(request).await;
        if answer.as_ref().err().is_none_or(|failure| !failure.is_passing()) {
            self.dir.end_ticket()?;
        }
        Ok(answer?)
    }

    fn request_id(
        &self,
        request: &OpenTicketRequest,
        random: &mut dyn Random,
    ) -> Result<[u8; 16], AgentError> {
        let content = blake3::hash(&request.encode_to_vec()).to_hex().to_string();
        if let Some(under_way) = self.dir.ticket()?.filter(|it| it.content == content) {
            return Ok(under_way.request_id);
        }
        let ticket = TicketRequest { request_id: random.id()?, content };
        self.dir.save_ticket(&ticket)?;
        Ok(ticket.request_id)
    }

    async fn session(&self) -> Result<Session, AgentError> {
        let identity = self.own_identity(&self.look())?;
        let address = self.collector(Some(&identity))?;
        Ok(Session::open(&address, tls::enrolled(&identity)?).await?)
    }
}
