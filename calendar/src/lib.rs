//! Service hours, French holidays and the clocks of a service level. Pure: no input, output or clock of its own.
