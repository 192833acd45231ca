//! REST of tickets with machines.
