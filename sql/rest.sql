-- The RESTful API, https://hl7.org/fhir/R4/http.html, on the current lake, with the rights of the caller.

CREATE FUNCTION fhir.bundle(bundle jsonb, prefer text DEFAULT NULL) RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 10000 AS 'MODULE_PATHNAME', 'fhir_bundle';
COMMENT ON FUNCTION fhir.bundle(jsonb, text) IS
    'processes a Bundle of type batch or transaction and returns the Bundle of answers. An entry of a batch that fails is answered with an OperationOutcome; of a transaction, it raises. prefer: return=minimal (default) or return=representation';

CREATE FUNCTION fhir.rest(method text, url text, headers jsonb DEFAULT '{}', body text DEFAULT NULL,
        OUT status integer, OUT answer_headers jsonb, OUT answer jsonb) RETURNS SETOF record
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 10000 ROWS 1 AS 'MODULE_PATHNAME', 'fhir_rest';
COMMENT ON FUNCTION fhir.rest(text, text, jsonb, text) IS
    'answers one request of the RESTful API: its status, headers and body. The address may be whole or relative; what stands before the first resource type is the base of the links in the answer. A request that fails changes nothing and is answered with an OperationOutcome';

CREATE FUNCTION fhir.capability_statement(base text DEFAULT '') RETURNS jsonb
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fhir_capability_statement';
COMMENT ON FUNCTION fhir.capability_statement(text) IS
    'the CapabilityStatement of a lake: interactions, search parameters and operations of every type, as they are supported';
