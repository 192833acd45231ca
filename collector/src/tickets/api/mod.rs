//! REST of tickets.
