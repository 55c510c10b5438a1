-- c: one row for each search value, in a table for each kind of value, as the servers do that generate SQL joins. A parameter
-- of a type is a small number, which is narrower than the hashes and names in use. The values are those that the lake's keys
-- hold, of every parameter of the specification but _id and _lastUpdated, which are columns; without displays.
CREATE TABLE bench.c_parameter (p integer GENERATED ALWAYS AS IDENTITY, type text, name text, PRIMARY KEY (type, name));
CREATE TABLE bench.c_token (p integer NOT NULL, id text COLLATE "C" NOT NULL, code text COLLATE "C" NOT NULL, system text COLLATE "C");
CREATE TABLE bench.c_reference (p integer NOT NULL, id text COLLATE "C" NOT NULL, target text COLLATE "C" NOT NULL);
CREATE TABLE bench.c_date (p integer NOT NULL, id text COLLATE "C" NOT NULL, low timestamptz NOT NULL, high timestamptz NOT NULL);
CREATE TABLE bench.c_quantity (p integer NOT NULL, id text COLLATE "C" NOT NULL, value numeric NOT NULL,
  code text COLLATE "C", system text COLLATE "C");
CREATE TABLE bench.c_string (p integer NOT NULL, id text COLLATE "C" NOT NULL, exact text NOT NULL, normal text COLLATE "C" NOT NULL);
CREATE TABLE bench.c_uri (p integer NOT NULL, id text COLLATE "C" NOT NULL, uri text COLLATE "C" NOT NULL);

CREATE FUNCTION bench.normal(text) RETURNS text IMMUTABLE STRICT PARALLEL SAFE LANGUAGE sql
  AS $$ SELECT lower(public.unaccent('public.unaccent'::regdictionary, $1)) $$;

CREATE UNLOGGED TABLE bench.entry AS
  SELECT r.type AS resource_type, r.id, k.parameter, k.type, k.value
  FROM lake.resource r, fhir.show_keys(r.search) k
  WHERE k.parameter NOT IN ('_id', '_lastUpdated') AND k.type NOT IN ('display', 'of-type', 'identifier', 'present');
INSERT INTO bench.c_parameter (type, name) SELECT DISTINCT resource_type, parameter FROM bench.entry ORDER BY 1, 2;
ANALYZE bench.entry, bench.c_parameter;

INSERT INTO bench.c_token SELECT p, id, split_part(value, '|', 2), nullif(split_part(value, '|', 1), '')
  FROM bench.entry e JOIN bench.c_parameter c ON c.type = e.resource_type AND c.name = e.parameter WHERE e.type IN ('token', 'code');
INSERT INTO bench.c_reference SELECT p, id, value
  FROM bench.entry e JOIN bench.c_parameter c ON c.type = e.resource_type AND c.name = e.parameter WHERE e.type = 'reference';
INSERT INTO bench.c_date SELECT p, id, coalesce(nullif(part[1], ''), '-infinity')::timestamptz, coalesce(nullif(part[2], ''), 'infinity')::timestamptz
  FROM bench.entry e JOIN bench.c_parameter c ON c.type = e.resource_type AND c.name = e.parameter,
    regexp_match(value, '^\[(.*),(.*)\)$') part WHERE e.type = 'date';
INSERT INTO bench.c_quantity SELECT p, id, part[1]::numeric, part[3], part[2]
  FROM bench.entry e JOIN bench.c_parameter c ON c.type = e.resource_type AND c.name = e.parameter,
    regexp_match(value, '^(\S+)(?: ([^|]*)\|(\S*))?') part WHERE e.type IN ('quantity', 'number');
INSERT INTO bench.c_string SELECT p, id, value, bench.normal(value)
  FROM bench.entry e JOIN bench.c_parameter c ON c.type = e.resource_type AND c.name = e.parameter WHERE e.type = 'string';
INSERT INTO bench.c_uri SELECT p, id, value
  FROM bench.entry e JOIN bench.c_parameter c ON c.type = e.resource_type AND c.name = e.parameter WHERE e.type = 'uri';
DROP TABLE bench.entry;
