-- What a clinical text says. These functions read no table but the active lexicon.

CREATE FUNCTION fhir.detect_entities(note text, date date DEFAULT NULL, categories text[] DEFAULT NULL, min_score real DEFAULT 0)
    RETURNS TABLE (id integer, category text, type text, text text, "begin" integer, "end" integer, section text, score real,
                   certainty text, temporality text, subject text, conditionality text, value text, attributes jsonb, concepts jsonb,
                   origin text)
    LANGUAGE c STABLE PARALLEL SAFE COST 10000 ROWS 50 AS 'MODULE_PATHNAME', 'fhir_detect_entities';
COMMENT ON FUNCTION fhir.detect_entities(text, date, text[], real) IS
    'what a clinical text says, in the order of the text: category and type with the names of Amazon Comprehend Medical; the words and where they stand (code points, from 0, the end exclusive); the section; score, a probability; certainty (positive, probable, possible, unlikely, negative), temporality (current, past, future), subject (patient, family, other), conditionality (unconditional, hypothetical, conditional); value, where there is a normal form, such as a date in ISO 8601; attributes [{type, text, begin, end, value, score, relation_score}]; concepts [{system, code, display, score}], best first; origin, how it was found. date is when the note was written, for words such as yesterday; categories and min_score leave out others';

CREATE FUNCTION fhir.comprehend(note text, action text) RETURNS jsonb
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fhir_comprehend';
COMMENT ON FUNCTION fhir.comprehend(text, text) IS
    'findings in the shape of an answer of Amazon Comprehend Medical; action is entities, phi, icd10cm, rxnorm or snomedct';

CREATE FUNCTION fhir.detect_entities_v2(note text) RETURNS jsonb
    LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $$ SELECT fhir.comprehend(note, 'entities') $$;
COMMENT ON FUNCTION fhir.detect_entities_v2(text) IS
    'findings as DetectEntitiesV2 of Amazon Comprehend Medical answers: {"Entities": [{Id, BeginOffset, EndOffset, Score, Text, Category, Type, Traits, Attributes}], "UnmappedAttributes", "ModelVersion"}';

CREATE FUNCTION fhir.detect_phi(note text) RETURNS jsonb
    LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $$ SELECT fhir.comprehend(note, 'phi') $$;
COMMENT ON FUNCTION fhir.detect_phi(text) IS 'protected health information as DetectPHI of Amazon Comprehend Medical answers';

CREATE FUNCTION fhir.infer_icd10cm(note text) RETURNS jsonb
    LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $$ SELECT fhir.comprehend(note, 'icd10cm') $$;
COMMENT ON FUNCTION fhir.infer_icd10cm(text) IS
    'conditions as InferICD10CM of Amazon Comprehend Medical answers, each with ICD10CMConcepts [{Code, Description, Score}]';

CREATE FUNCTION fhir.infer_rxnorm(note text) RETURNS jsonb
    LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $$ SELECT fhir.comprehend(note, 'rxnorm') $$;
COMMENT ON FUNCTION fhir.infer_rxnorm(text) IS
    'medications as InferRxNorm of Amazon Comprehend Medical answers; RxNormConcepts is empty until RxNorm is loaded into the lexicon (fhir.load_lexicon), as it is not shipped';

CREATE FUNCTION fhir.infer_snomedct(note text) RETURNS jsonb
    LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $$ SELECT fhir.comprehend(note, 'snomedct') $$;
COMMENT ON FUNCTION fhir.infer_snomedct(text) IS
    'conditions, tests, treatments, procedures and anatomy as InferSNOMEDCT of Amazon Comprehend Medical answers; SNOMEDCTConcepts is empty until SNOMED CT is loaded into the lexicon (fhir.load_lexicon), as it is not shipped';

CREATE FUNCTION fhir.highlight(note text, style text DEFAULT 'html', categories text[] DEFAULT NULL, min_score real DEFAULT 0) RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fhir_highlight';
COMMENT ON FUNCTION fhir.highlight(text, text, text[], real) IS
    'the text with its findings marked: html puts them into <mark class="medical-condition negative" title="…"> and escapes all else, ansi colours them for a terminal and strikes out what is negated';
