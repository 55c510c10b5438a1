-- Each table twice: from the value to the ids, in their order, and from the id to its values. Both cover.
CREATE INDEX ON bench.c_token (p, code, id) INCLUDE (system);
CREATE INDEX ON bench.c_token (id, p) INCLUDE (code, system);
CREATE INDEX ON bench.c_reference (p, target, id);
CREATE INDEX ON bench.c_reference (id, p) INCLUDE (target);
CREATE INDEX ON bench.c_date (p, low DESC, id) INCLUDE (high);
CREATE INDEX ON bench.c_date (id, p) INCLUDE (low, high);
CREATE INDEX ON bench.c_quantity (p, value, id) INCLUDE (code, system);
CREATE INDEX ON bench.c_quantity (id, p) INCLUDE (value, code, system);
CREATE INDEX ON bench.c_string (p, normal, id) INCLUDE (exact);
CREATE INDEX ON bench.c_string (id, p) INCLUDE (normal, exact);
CREATE INDEX ON bench.c_string USING gin (normal gin_trgm_ops);
CREATE INDEX ON bench.c_uri (p, uri, id);
CREATE INDEX ON bench.c_uri (id, p) INCLUDE (uri);
