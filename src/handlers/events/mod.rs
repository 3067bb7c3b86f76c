//! What happened: the feed that systems poll, and one event by its id. What can happen is described in `contract`.

mod contract;

use actix_web::get;
use actix_web::web::{Data, Path};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::actor::{ActorView, Reader};
use super::answer::Answer;
use super::extract::Params;
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::auth::Anywhere;
use crate::domain::access::AnywhereAccess;
use crate::domain::event::EventId;
use crate::domain::feed::read_types;
use crate::domain::permissions::EventsRead;
use crate::error::{Error, Result};
use crate::repository::events::FoundEvent;
use crate::types::Instant;
use crate::workflows::feed::{self, PageAsked};

pub use contract::describe;

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(
            list_events,
            Callers::anywhere(EventsRead),
            RateLimit::PerCaller,
        )
        .service(
            read_event,
            Callers::anywhere(EventsRead),
            RateLimit::PerCaller,
        );
}

/// Names one event in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct EventPath {
    /// The event.
    #[param(example = "evt_00000000000070008000000000000001")]
    event_id: EventId,
}

/// Which events to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EventsParams {
    /// The `next_cursor` of the page before; 0, or without it, the oldest come first.
    #[param(minimum = 0, nullable = false)]
    after: Option<i64>,
    /// Only those of these types, each named by itself: `types=product.ended&types=points.*`; `*` are all.
    #[serde(default)]
    #[param(required = false, max_items = 50)]
    types: Vec<String>,
    /// Only those of the thing with this id.
    #[param(
        min_length = 1,
        max_length = 64,
        pattern = "^[!-~]+$",
        nullable = false
    )]
    resource: Option<String>,
    /// How many the page holds at most.
    #[param(minimum = 1, maximum = 500, default = 100, nullable = false)]
    limit: Option<i64>,
}

/// One event.
#[derive(Serialize, ToSchema)]
struct EventView {
    id: EventId,
    /// Its word; the contract lists all of them under `webhooks`.
    #[schema(example = "product.registered")]
    r#type: String,
    #[schema(minimum = 1, maximum = 1)]
    version: i64,
    timestamp: Instant,
    /// Its place in its stream, from 1 without gaps.
    #[schema(minimum = 1)]
    sequence: i64,
    /// What it happened to.
    resource: String,
    /// Its place among the events of the resource, from 1 without gaps.
    #[schema(minimum = 1)]
    resource_sequence: i64,
    /// Who did it; of others than its own users and dealers an account learns the kind alone.
    actor: ActorView,
    /// For administrators: its place among all events.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    position: Option<i64>,
    /// For administrators: whose history it is part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    stream: Option<String>,
    /// For administrators: why, in the words of whoever did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<String>,
    /// Its payload, as it was written.
    #[schema(value_type = Object)]
    data: Verbatim,
}

/// Stands where the payload comes in, byte for byte.
struct Verbatim;

impl Serialize for Verbatim {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

/// A page of events.
#[derive(Serialize, ToSchema)]
struct EventPage {
    items: Vec<EventView>,
    /// Where the next page begins, also when there is none yet: poll again with it.
    #[schema(example = "1042")]
    next_cursor: String,
    /// The number of the newest event.
    #[schema(minimum = 0, example = 1042)]
    last_sequence: i64,
}

/// An event as this reader sees it.
fn told(found: FoundEvent, access: &AnywhereAccess) -> Result<String> {
    let reader = match access {
        AnywhereAccess::Staff(_) => Reader::Staff,
        AnywhereAccess::Account(_) | AnywhereAccess::Partner(_) => {
            Reader::Account(found.own_user.into_iter().collect())
        }
    };
    let is_all = matches!(access, AnywhereAccess::Staff(_));
    let event = found.event;
    let view = EventView {
        id: event.id,
        r#type: event.r#type,
        version: event.version,
        timestamp: event.created_at,
        sequence: event.stream_seq,
        resource: event.resource,
        resource_sequence: event.resource_seq,
        actor: ActorView::of(&event.actor, &reader),
        position: is_all.then_some(event.position),
        stream: is_all.then_some(event.stream),
        reason: found.reason.filter(|_| is_all),
        data: Verbatim,
    };
    let text = serde_json::to_string(&view)?;
    let before = text.strip_suffix("null}");
    let before = before.ok_or_else(|| Error::internal("writing an event")("no payload"))?;
    Ok(format!("{before}{}}}", event.data))
}

/// Read what happened
///
/// The feed that a system polls, oldest first: each event once, without gaps. Users read what happened to their account, administrators all of it by
/// `position`. Ask again with `next_cursor`, which is never null and passes over types that were not asked for. 410 `events_expired` where
/// what follows `after` is more than 90 days old: go on with the `oldest` that the answer names, less one.
#[utoipa::path(
    tag = "events",
    operation_id = "listEvents",
    security(("bearer" = []), ("partner" = ["webhooks"])),
    params(EventsParams),
    responses((status = 200, description = "The events", body = EventPage))
)]
#[get("/events")]
async fn list_events(
    service: Data<Service>,
    reader: Anywhere<EventsRead>,
    params: Params<EventsParams>,
) -> Result<Answer> {
    let context = service.context();
    let asked = PageAsked {
        after: params.0.after,
        types: read_types(&params.0.types).map_err(Error::invalid)?,
        resource: params.0.resource,
        limit: params.0.limit.unwrap_or(100),
    };
    let (access, reader) = (reader.access.clone(), reader.access);
    let page = service
        .db
        .fetch(move |conn| feed::page(conn, &context, &access, &asked))
        .await?;
    let items = page.events.into_iter().map(|found| told(found, &reader));
    let items: Vec<String> = items.collect::<Result<_>>()?;
    Ok(Answer::ok_text(format!(
        r#"{{"items":[{}],"next_cursor":"{}","last_sequence":{}}}"#,
        items.join(","),
        page.next,
        page.last
    )))
}

/// Read an event
///
/// One of the caller's feed, whatever its age.
#[utoipa::path(
    tag = "events",
    operation_id = "readEvent",
    security(("bearer" = []), ("partner" = ["webhooks"])),
    params(EventPath),
    responses((status = 200, description = "The event", body = EventView))
)]
#[get("/events/{event_id}")]
async fn read_event(
    service: Data<Service>,
    reader: Anywhere<EventsRead>,
    path: Path<EventPath>,
) -> Result<Answer> {
    let (access, reader) = (reader.access.clone(), reader.access);
    let found = service
        .db
        .fetch(move |conn| feed::find(conn, &access, path.event_id))
        .await?;
    Ok(Answer::ok_text(told(found, &reader)?))
}
