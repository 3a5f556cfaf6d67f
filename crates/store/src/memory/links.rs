//! Links and guests.

use async_trait::async_trait;
use call::Person;
use signalling::{GuestId, ShareLinkId, Timestamp};

use super::{MemoryStore, Tables};
use crate::calls::is_live;
use crate::{Guest, Links, Redemption, SecretHash, ShareLink, StoreError};

#[async_trait]
impl Links for MemoryStore {
    async fn create_link(&self, link: &ShareLink, token: &SecretHash) -> Result<(), StoreError> {
        let mut tables = self.tables();
        if !tables.conversations.contains_key(&link.conversation_id) {
            return Err(StoreError::NotFound);
        }
        let mut links = tables.links.values();
        if links.any(|(other, kept)| other.id == link.id || kept == token) {
            return Err(StoreError::Conflict);
        }
        tables.links.insert(link.id, (link.clone(), token.clone()));
        Ok(())
    }

    async fn link(&self, link: &ShareLinkId) -> Result<Option<ShareLink>, StoreError> {
        Ok(self.tables().links.get(link).map(|(link, _)| link.clone()))
    }

    async fn link_by_token(&self, token: &SecretHash) -> Result<Option<ShareLink>, StoreError> {
        let tables = self.tables();
        let found = tables.links.values().find(|(_, kept)| kept == token);
        Ok(found.map(|(link, _)| link.clone()))
    }

    async fn redeem_link(&self, link: &ShareLinkId, now: Timestamp) -> Result<Redemption, StoreError> {
        let mut tables = self.tables();
        let (link, _) = tables.links.get_mut(link).ok_or(StoreError::NotFound)?;
        if let Some(refusal) = link.refusal(now) {
            return Ok(refusal);
        }
        link.current_uses = link.current_uses.saturating_add(1);
        Ok(Redemption::Redeemed(link.clone()))
    }

    async fn deactivate_link(&self, link: &ShareLinkId) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let (link, _) = tables.links.get_mut(link).ok_or(StoreError::NotFound)?;
        link.is_active = false;
        Ok(())
    }

    async fn guests_in_calls(&self, link: &ShareLinkId) -> Result<u32, StoreError> {
        let tables = self.tables();
        let came_by_it = |person| match person {
            Some(Person::Guest(guest)) => tables
                .guests
                .get(&guest)
                .is_some_and(|(guest, _)| guest.share_link_id == *link),
            _ => false,
        };
        let in_live_call = |id| tables.calls.get(id).is_some_and(|row| is_live(row.record.status));
        let seated = tables.participants.values().filter(|row| {
            Tables::holds_seat(row) && came_by_it(row.record.person) && in_live_call(&row.record.call_id)
        });
        Ok(u32::try_from(seated.count()).unwrap_or(u32::MAX))
    }

    async fn create_guest(&self, guest: &Guest, session: &SecretHash) -> Result<(), StoreError> {
        let mut tables = self.tables();
        if !tables.conversations.contains_key(&guest.conversation_id)
            || !tables.links.contains_key(&guest.share_link_id)
        {
            return Err(StoreError::NotFound);
        }
        let mut guests = tables.guests.values();
        if guests.any(|(other, kept)| other.id == guest.id || kept == session) {
            return Err(StoreError::Conflict);
        }
        tables.guests.insert(guest.id, (guest.clone(), session.clone()));
        Ok(())
    }

    async fn guest(&self, guest: &GuestId) -> Result<Option<Guest>, StoreError> {
        Ok(self.tables().guests.get(guest).map(|(guest, _)| guest.clone()))
    }

    async fn guest_by_session(&self, session: &SecretHash) -> Result<Option<Guest>, StoreError> {
        let tables = self.tables();
        let found = tables.guests.values().find(|(_, kept)| kept == session);
        Ok(found.map(|(guest, _)| guest.clone()))
    }

    async fn deactivate_guest(&self, guest: &GuestId) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let (guest, _) = tables.guests.get_mut(guest).ok_or(StoreError::NotFound)?;
        guest.is_active = false;
        Ok(())
    }
}
