-- Question: does what stands in schema fhir leave the names of the server alone, where fhir is on the search_path?
\set VERBOSITY terse
SET search_path = public, fhir;
CREATE TABLE people (name text);
INSERT INTO people VALUES ('Patient'), ('Group');
SELECT count(name), count(DISTINCT name) FROM people;
SELECT count(name) OVER (), name FROM people ORDER BY 2;
SELECT version() LIKE 'PostgreSQL %' AS is_the_servers, translate(name, 'Pa', 'pA') FROM people;
-- Of functions with one name and the same arguments the server's goes first. One of ours with other arguments could be taken instead,
-- for a call with as many of them.
SELECT p.oid::regprocedure AS ours, q.oid::regprocedure AS servers
FROM pg_proc p JOIN pg_proc q USING (proname)
CROSS JOIN LATERAL generate_series(p.pronargs::int - p.pronargdefaults, p.pronargs::int) n (n)
WHERE p.pronamespace = 'fhir'::regnamespace AND q.pronamespace = 'pg_catalog'::regnamespace
  AND n.n >= q.pronargs - q.pronargdefaults AND (n.n <= q.pronargs OR q.provariadic <> 0)
  AND (q.provariadic <> 0 OR (p.proargtypes::oid[])[0:n.n - 1] IS DISTINCT FROM (q.proargtypes::oid[])[0:n.n - 1]);
SELECT o.oid::regoperator FROM pg_operator o JOIN pg_operator q USING (oprname)
WHERE o.oprnamespace = 'fhir'::regnamespace AND q.oprnamespace = 'pg_catalog'::regnamespace;
SELECT t.oid::regtype FROM pg_type t JOIN pg_type u USING (typname)
WHERE t.typnamespace = 'fhir'::regnamespace AND u.typnamespace = 'pg_catalog'::regnamespace;
DROP TABLE people;
