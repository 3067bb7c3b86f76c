//! The events as the contract describes them: each word of the list with its payload. They are sent and read elsewhere.

use utoipa::ToSchema;
use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder, PathItem};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{KnownFormat, Schema, SchemaFormat, Type};
use utoipa::openapi::{
    Content, ObjectBuilder, OneOf, OpenApi, PathsBuilder, RefOr, Required, ResponseBuilder,
};

use crate::domain::event::{Event, EventId, MOST_DATA, VERSION};

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
    let schemas = &mut document.components.get_or_insert_default().schemas;
    for (name, schema) in named {
        schemas.entry(name).or_insert(schema);
    }
}

/// The schema of each payload, in the order of the list.
fn payloads() -> Vec<RefOr<Schema>> {
    match <Event as utoipa::PartialSchema>::schema() {
        RefOr::T(Schema::OneOf(OneOf { items, .. })) => items,
        other => vec![other],
    }
}

fn operation(word: &str, summary: &str, data: RefOr<Schema>) -> Operation {
    let body = RequestBodyBuilder::new()
        .description(Some("The event"))
        .content("application/json", Content::new(Some(envelope(word, data))))
        .required(Some(Required::True))
        .build();
    let taken = ResponseBuilder::new().description("Any 2xx says that the event was taken");
    OperationBuilder::new()
        .operation_id(Some(format!("on{}", camel(word))))
        .tag("events")
        .summary(Some(summary.trim_end_matches('.')))
        .description(Some(format!(
            "{summary} `data` has at most {MOST_DATA} bytes; fields may be added to it within a version."
        )))
        .securities(Some([]))
        .request_body(Some(body))
        .response("2XX", taken)
        .build()
}

fn envelope(word: &str, data: RefOr<Schema>) -> Schema {
    let text = || ObjectBuilder::new().schema_type(Type::String);
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
        .enum_values(Some([VERSION]));
    let fields: [(&str, RefOr<Schema>); 8] = [
        ("id", <EventId as utoipa::PartialSchema>::schema()),
        ("type", text().enum_values(Some([word])).into()),
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
        ("data", data),
    ];
    let mut object = ObjectBuilder::new();
    for (name, schema) in fields {
        object = object.property(name, schema).required(name);
    }
    object.into()
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
