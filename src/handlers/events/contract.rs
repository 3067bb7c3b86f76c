//! The events as the contract describes them: each word of the list with its payload. They are sent and read elsewhere.

use utoipa::ToSchema;
use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder, PathItem};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{KnownFormat, Schema, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{
    AllOfBuilder, Content, ObjectBuilder, OneOf, OpenApi, PathsBuilder, Ref, RefOr, Required,
    ResponseBuilder,
};

use crate::domain::event::{Event, EventId, MOST_DATA, VERSION};

/// The schema of what every event has.
const ENVELOPE: &str = "EventEnvelope";

/// Adds the list to a document, under `webhooks`, and the schemas that the payloads name.
pub fn describe(document: &mut OpenApi) {
    let mut paths = PathsBuilder::new();
    for ((word, summary), data) in Event::KINDS.iter().zip(payloads()) {
        let item = PathItem::new(HttpMethod::Post, operation(word, summary, data));
        paths = paths.path(*word, item);
    }
    document.webhooks = Some(paths.build());
    let mut named = Vec::new();
    Event::schemas(&mut named);
    let components = document.components.get_or_insert_default();
    let schemas = &mut components.schemas;
    schemas.insert(ENVELOPE.to_owned(), envelope());
    for (name, schema) in named {
        schemas.entry(name).or_insert(schema);
    }
}

/// The schema of each payload, in the order of the list; what it says is said of its event already.
fn payloads() -> Vec<RefOr<Schema>> {
    let mut payloads = match <Event as utoipa::PartialSchema>::schema() {
        RefOr::T(Schema::OneOf(OneOf { items, .. })) => items,
        other => vec![other],
    };
    for payload in &mut payloads {
        if let RefOr::T(Schema::Object(object)) = payload {
            object.description = None;
        }
    }
    payloads
}

fn operation(word: &str, summary: &str, data: RefOr<Schema>) -> Operation {
    let body = RequestBodyBuilder::new()
        .content("application/json", Content::new(Some(event(word, data))))
        .required(Some(Required::True))
        .build();
    OperationBuilder::new()
        .operation_id(Some(format!("on{}", camel(word))))
        .tag("events")
        .summary(Some(summary.trim_end_matches('.')))
        .request_body(Some(body))
        .response("2XX", ResponseBuilder::new().description("Taken"))
        .build()
}

/// An event of this word: what all have, and its own.
fn event(word: &str, data: RefOr<Schema>) -> Schema {
    let own = ObjectBuilder::new()
        .schema_type(SchemaType::AnyValue)
        .property("type", text().enum_values(Some([word])))
        .required("type")
        .property("data", data)
        .required("data");
    AllOfBuilder::new()
        .item(Ref::from_schema_name(ENVELOPE))
        .item(own)
        .into()
}

/// What every event has beside its word and its payload.
fn envelope() -> RefOr<Schema> {
    let number = |what: &str| {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .minimum(Some(1))
            .description(Some(what))
    };
    let moment = text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
    let version = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .enum_values(Some([VERSION]))
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
        .minimum(Some(VERSION))
        .maximum(Some(VERSION));
    let fields: [(&str, RefOr<Schema>); 6] = [
        ("id", <EventId as utoipa::PartialSchema>::schema()),
        ("version", version.into()),
        ("timestamp", moment.into()),
        (
            "sequence",
            number("Its place in the stream, without gaps").into(),
        ),
        (
            "resource",
            text().description(Some("What it happened to")).into(),
        ),
        (
            "resource_sequence",
            number("Its place among the events of the resource, without gaps").into(),
        ),
    ];
    let mut object = ObjectBuilder::new().description(Some(format!(
        "What every event has. `data` has at most {MOST_DATA} bytes; fields may be added to it within a version."
    )));
    for (name, schema) in fields {
        object = object.property(name, schema).required(name);
    }
    object.into()
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// `account.link_sent` as `AccountLinkSent`.
fn camel(word: &str) -> String {
    let parts = word.split(['.', '_']);
    parts
        .map(|part| {
            let (first, rest) = part.split_at(part.len().min(1));
            first.to_uppercase() + rest
        })
        .collect()
}
