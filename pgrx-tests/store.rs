//! The store inside the server.
