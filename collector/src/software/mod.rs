//! Titles and installations.
