//! The rules of the programme: facts in, decision out, "now" is an argument. No input or output.
