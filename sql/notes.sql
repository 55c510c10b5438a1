-- The texts of resources, and what they say.

CREATE FUNCTION fhir.resource_texts(resource jsonb)
    RETURNS TABLE (path text, content_type text, language text, text text, problem text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 3 AS 'MODULE_PATHNAME', 'fhir_resource_texts';
COMMENT ON FUNCTION fhir.resource_texts(jsonb) IS
    'the texts that a resource carries: attachments (plain text, HTML, RTF, PDF), narratives, notes, and strings that say something clinical, also of contained resources. path is FHIRPath; content_type what it was before it became text; language what the attachment or the resource states; problem why a text is not there, or not all of it';

CREATE FUNCTION fhir.resource_entities(resource jsonb, categories text[] DEFAULT NULL, min_score real DEFAULT 0)
    RETURNS TABLE (path text, id integer, category text, type text, text text, "begin" integer, "end" integer, section text, score real,
                   certainty text, temporality text, subject text, conditionality text, value text, attributes jsonb, concepts jsonb,
                   origin text)
    LANGUAGE c STABLE PARALLEL SAFE COST 10000 ROWS 50 AS 'MODULE_PATHNAME', 'fhir_resource_entities';
COMMENT ON FUNCTION fhir.resource_entities(jsonb, text[], real) IS
    'what the texts of a resource say: the path of the text (see fhir.resource_texts) and the columns of fhir.detect_entities, whose begin and end count code points of that text. Relative times are reckoned from the date of the attachment or note, or else of the resource. Texts in languages other than English are left out';

CREATE FUNCTION fhir.enrich(resource jsonb, form text DEFAULT 'fhirlake', categories text[] DEFAULT NULL, min_score real DEFAULT 0.5)
    RETURNS jsonb
    LANGUAGE c STABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fhir_enrich';
COMMENT ON FUNCTION fhir.enrich(jsonb, text, text[], real) IS
    'the resource with what its texts say in one extension, all else unchanged; an earlier extension of the same form is replaced. form fhirlake is the extension http://fhirlake.org/fhir/StructureDefinition/findings, which names the engine and the version of the lexicon; healthlake the tree that Amazon HealthLake appends. A resource without text, or whose type has no extensions (Bundle, Binary, Parameters), comes back as it is';
