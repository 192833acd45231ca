//! Load program.
fn main() {}
