//! Stories of tickets with machines.
