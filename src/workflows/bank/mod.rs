//! Bank statements: taking files in, matching their lines with invoices, and what people decide on those that wait. What banks write is read by `domain::bank`.

mod by_hand;
mod clues;
mod importing;
mod matching;
mod naming;
mod pages;
mod placed;
mod proving;
mod reading;
mod refunding;
mod reversing;
mod rows;
mod spreadsheet;
mod wanted;

pub use by_hand::{bring_back, dismiss, match_by_hand, take_match_back};
pub use importing::{
    Begun, Imported, NewLine, Plan, begin, count_seen, finish, forget_broken, forget_left,
    known_file, rehearse, take_in,
};
pub use matching::work;
pub use proving::release;
pub use reading::{Contents, Surveyed, read_lines, survey};
pub use wanted::{WantedMatch, WantedPlacing};
