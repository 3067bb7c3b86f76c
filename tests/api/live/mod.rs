//! What live mode demands, and what holds of every answer, file and cursor.

mod check;
mod cursors;
mod files;
mod headers;
mod ownership;
mod prefixes;
