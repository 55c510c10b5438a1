//! JSON against the server's own.
