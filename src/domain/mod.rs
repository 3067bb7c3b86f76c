//! The rules of the programme: facts in, decision out, "now" is an argument. No input or output.

pub mod access;
pub mod account;
pub mod account_change;
pub mod actor;
pub mod applicant_token;
pub mod calendar;
pub mod card;
pub mod check_digits;
pub mod document;
pub mod event;
pub mod file;
pub mod file_name;
pub mod invoice;
pub mod job;
pub mod language;
pub mod legacy_migration;
pub mod mail;
pub mod media_type;
pub mod member_number;
pub mod membership;
pub mod model;
pub mod money;
pub mod password;
pub mod permissions;
pub mod personal_data;
pub mod points;
pub mod product;
pub mod product_details;
pub mod product_list;
pub mod review;
pub mod session;
mod text;
pub mod values;
pub mod work_item;

pub(crate) use text::text_column;
