-- Findings in notes, kept in a lake: what was read with which lexicon, what was found, and what a reviewer says of it.
-- A lake reads notes when they are written, when it is asked to, or never.

-- Pieces -------------------------------------------------------------------------------------------------------------------

CREATE FUNCTION fhir.entity_keys(text text, concepts jsonb) RETURNS fhir.keys
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_entity_keys';
COMMENT ON FUNCTION fhir.entity_keys(text, jsonb) IS
    'what a finding can be found by: its words as $string, its codes and their displays as $token';

CREATE FUNCTION fhir.entity_codes(concepts jsonb) RETURNS text[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_entity_codes';
COMMENT ON FUNCTION fhir.entity_codes(jsonb) IS 'the codes of a finding as system|code, best first';

CREATE FUNCTION fhir.keep_entities_sql(lake text, source text) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_keep_entities_sql';
COMMENT ON FUNCTION fhir.keep_entities_sql(text, text) IS
    'the statement that reads the notes of the rows (compartment, type, id, version, resource) of a query and keeps what it finds; its parameters are min_score, categories and certainty';

CREATE FUNCTION fhir.restate_entities_sql(lake text, condition text) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_restate_entities_sql';
COMMENT ON FUNCTION fhir.restate_entities_sql(text, text) IS
    'the statement that says anew which findings x of a lake are current, rejected or old';

CREATE FUNCTION fhir.read_note() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'fhir_read_note';
COMMENT ON FUNCTION fhir.read_note() IS
    'AFTER INSERT OR UPDATE trigger of a lake, made by fhir.set_notes: reads the notes in what is written, as the owner of the table';

CREATE FUNCTION fhir.heed_review() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'fhir_heed_review';
COMMENT ON FUNCTION fhir.heed_review() IS
    'AFTER INSERT OR UPDATE OR DELETE trigger on entity_review of a lake: what is rejected is no longer found';

CREATE FUNCTION fhir.check_review() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    entity text := quote_ident(TG_TABLE_SCHEMA) || '.entity';
    home text;
BEGIN
    -- As a verdict changes what all find, it takes that the writer sees the finding; that it is at home there, too, is not for the writer to say.
    IF row_security_active(entity) THEN
        EXECUTE format('SELECT e.compartment FROM %s e WHERE e.type = $1 AND e.id = $2 AND e.path = $3 AND e.first = $4 AND e.last = $5
            AND e.category = $6 AND e.kind = $7 ORDER BY e.version DESC LIMIT 1', entity)
            INTO home USING NEW.type, NEW.id, NEW.path, NEW.first, NEW.last, NEW.category, NEW.kind;
        IF home IS NULL THEN
            RAISE EXCEPTION '%/% has no such finding', NEW.type, NEW.id
                USING ERRCODE = 'insufficient_privilege', HINT = 'fhir.review_entity takes findings that you may read.';
        END IF;
        NEW.compartment := home;
    END IF;
    RETURN NEW;
END
$function$;
COMMENT ON FUNCTION fhir.check_review() IS
    'BEFORE INSERT OR UPDATE trigger on entity_review of a lake: where policies apply, only findings that the writer sees can be judged';

CREATE FUNCTION fhir.create_entities(name text) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    lake text := quote_ident(name);
    is_old boolean := EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass(lake || '.entity') AND a.attname = 'code' AND NOT a.attisdropped);
BEGIN
    IF is_old THEN
        -- What others have put there since 0.1.0 stays, under a lexicon of that name.
        EXECUTE format($$
            ALTER TABLE %1$s.entity
                ADD version bigint, ADD lexicon text COLLATE "C", ADD number integer, ADD kind text, ADD section text, ADD score real,
                ADD certainty text, ADD temporality text, ADD subject text, ADD conditionality text, ADD value text,
                ADD concepts jsonb, ADD codes text[], ADD origin text, ADD status text, ADD search fhir.keys;
            ALTER TABLE %1$s.entity DROP CONSTRAINT entity_pkey;
            DROP INDEX IF EXISTS %1$s.entity_code;
            UPDATE %1$s.entity e SET version = coalesce(r.version, 0), lexicon = 'before 0.2.0', number = r.number, kind = upper(e.category),
                section = '', score = 1, certainty = 'positive', temporality = 'current', subject = 'patient',
                conditionality = 'unconditional', concepts = r.concepts, codes = fhir.entity_codes(r.concepts), origin = 'term',
                status = CASE WHEN r.version IS NULL THEN 'old' ELSE 'current' END,
                search = fhir.entity_keys(e.text, r.concepts)
            FROM (SELECT x.ctid AS place, t.version, row_number() OVER (PARTITION BY x.type, x.id ORDER BY x.path, x.first, x.last, x.category)::integer AS number,
                      CASE WHEN x.code IS NULL THEN '[]'::jsonb
                          ELSE jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('system', x.system, 'code', x.code))) END AS concepts
                  FROM %1$s.entity x LEFT JOIN %1$s.resource t ON t.type = x.type AND t.id = x.id) r
            WHERE e.ctid = r.place;
            ALTER TABLE %1$s.entity DROP system, DROP code, ALTER attributes SET DEFAULT '[]', ALTER version SET NOT NULL, ALTER lexicon SET NOT NULL, ALTER number SET NOT NULL,
                ALTER kind SET NOT NULL, ALTER section SET NOT NULL, ALTER score SET NOT NULL, ALTER certainty SET NOT NULL,
                ALTER temporality SET NOT NULL, ALTER subject SET NOT NULL, ALTER conditionality SET NOT NULL,
                ALTER concepts SET NOT NULL, ALTER codes SET NOT NULL, ALTER origin SET NOT NULL, ALTER status SET NOT NULL,
                ALTER search SET NOT NULL,
                ADD CONSTRAINT entity_status_check CHECK (status IN ('current', 'rejected', 'old')),
                ADD PRIMARY KEY (type, id, version, lexicon, number)$$, lake);
    ELSE
        EXECUTE format($$
            CREATE TABLE %1$s.entity (
                compartment    text      COLLATE "C" NOT NULL,
                type           text      NOT NULL,
                id             text      COLLATE "C" NOT NULL,
                version        bigint    NOT NULL,
                lexicon        text      COLLATE "C" NOT NULL,
                number         integer   NOT NULL,
                path           text      NOT NULL,
                first          integer   NOT NULL,
                last           integer   NOT NULL,
                text           text      NOT NULL,
                category       text      NOT NULL,
                kind           text      NOT NULL,
                section        text      NOT NULL,
                score          real      NOT NULL,
                certainty      text      NOT NULL,
                temporality    text      NOT NULL,
                subject        text      NOT NULL,
                conditionality text      NOT NULL,
                value          text,
                attributes     jsonb     NOT NULL DEFAULT '[]',
                concepts       jsonb     NOT NULL,
                codes          text[]    NOT NULL,
                origin         text      NOT NULL,
                status         text      NOT NULL CHECK (status IN ('current', 'rejected', 'old')),
                search         fhir.keys NOT NULL,
                PRIMARY KEY (type, id, version, lexicon, number)
            );
            CREATE INDEX entity_compartment ON %1$s.entity (compartment)$$, lake);
    END IF;
    EXECUTE format($$
        ALTER TABLE %1$s.entity ALTER search SET STORAGE main;
        CREATE INDEX entity_search ON %1$s.entity USING gin (search) WITH (fastupdate = off);
        CREATE INDEX entity_kind ON %1$s.entity (kind, certainty);
        COMMENT ON TABLE %1$s.entity IS
            'findings in the text of resources: where they stand, what they are, and how they are meant. Those count that are current and of the version that the resource has';
        COMMENT ON COLUMN %1$s.entity.version IS 'the version of the resource that was read';
        COMMENT ON COLUMN %1$s.entity.lexicon IS 'version of the lexicon that it was read with';
        COMMENT ON COLUMN %1$s.entity.number IS 'its place among the findings of that reading, from 1';
        COMMENT ON COLUMN %1$s.entity.path IS 'the element that has the text';
        COMMENT ON COLUMN %1$s.entity.first IS 'characters of the text before it';
        COMMENT ON COLUMN %1$s.entity.last IS 'characters of the text up to its end';
        COMMENT ON COLUMN %1$s.entity.category IS 'MEDICAL_CONDITION, MEDICATION, TEST_TREATMENT_PROCEDURE, ANATOMY, TIME_EXPRESSION, PROTECTED_HEALTH_INFORMATION or BEHAVIORAL_ENVIRONMENTAL_SOCIAL';
        COMMENT ON COLUMN %1$s.entity.kind IS 'a more exact kind, such as DX_NAME, GENERIC_NAME or TEST_NAME';
        COMMENT ON COLUMN %1$s.entity.score IS 'how probable it is that the text says this';
        COMMENT ON COLUMN %1$s.entity.certainty IS 'positive, probable, possible, unlikely or negative';
        COMMENT ON COLUMN %1$s.entity.temporality IS 'current, past or future';
        COMMENT ON COLUMN %1$s.entity.subject IS 'patient, family or other';
        COMMENT ON COLUMN %1$s.entity.conditionality IS 'unconditional, hypothetical or conditional';
        COMMENT ON COLUMN %1$s.entity.value IS 'a normal form, such as an ISO date';
        COMMENT ON COLUMN %1$s.entity.attributes IS 'what belongs to it, such as dose or result: [{type, text, begin, end, value, score, relation_score}]';
        COMMENT ON COLUMN %1$s.entity.concepts IS 'what it may mean, best first: [{system, code, display, score}]';
        COMMENT ON COLUMN %1$s.entity.codes IS 'its concepts as system|code';
        COMMENT ON COLUMN %1$s.entity.status IS 'current; rejected by a reviewer; old, as the version was read again with another lexicon';
        COMMENT ON COLUMN %1$s.entity.search IS 'what it is found by: its codes as $token, its words as $string';

        CREATE TABLE %1$s.entity_run (
            compartment text        COLLATE "C" NOT NULL,
            type        text        NOT NULL,
            id          text        COLLATE "C" NOT NULL,
            version     bigint      NOT NULL,
            lexicon     text        COLLATE "C" NOT NULL,
            min_score   real        NOT NULL,
            found       integer     NOT NULL,
            is_current  boolean     NOT NULL DEFAULT true,
            at          timestamptz NOT NULL DEFAULT clock_timestamp(),
            PRIMARY KEY (type, id, version, lexicon)
        );
        CREATE INDEX entity_run_compartment ON %1$s.entity_run (compartment);
        COMMENT ON TABLE %1$s.entity_run IS 'which version of which resource was read with which lexicon: what is not here was not read';
        COMMENT ON COLUMN %1$s.entity_run.found IS 'how many findings it had';
        COMMENT ON COLUMN %1$s.entity_run.is_current IS 'the newest reading of that version';

        CREATE TABLE %1$s.entity_review (
            compartment text        COLLATE "C" NOT NULL,
            type        text        NOT NULL,
            id          text        COLLATE "C" NOT NULL,
            path        text        NOT NULL,
            first       integer     NOT NULL,
            last        integer     NOT NULL,
            category    text        NOT NULL,
            kind        text        NOT NULL,
            text        text        NOT NULL,
            codes       text[]      NOT NULL,
            version     bigint      NOT NULL,
            lexicon     text        NOT NULL,
            verdict     text        NOT NULL CHECK (verdict IN ('accept', 'reject')),
            note        text,
            by          name        NOT NULL DEFAULT CURRENT_USER,
            at          timestamptz NOT NULL DEFAULT clock_timestamp(),
            PRIMARY KEY (type, id, path, first, last, category, kind)
        );
        CREATE INDEX entity_review_compartment ON %1$s.entity_review (compartment);
        CREATE TRIGGER check_review BEFORE INSERT OR UPDATE ON %1$s.entity_review
            FOR EACH ROW EXECUTE FUNCTION fhir.check_review();
        CREATE TRIGGER zz_heed_review AFTER INSERT OR UPDATE OR DELETE ON %1$s.entity_review
            FOR EACH ROW EXECUTE FUNCTION fhir.heed_review();
        COMMENT ON TABLE %1$s.entity_review IS
            'what reviewers say of findings. It holds for the same words with the same meaning at the same place, whatever lexicon finds them';
        COMMENT ON COLUMN %1$s.entity_review.version IS 'the version that the reviewer saw';
        COMMENT ON COLUMN %1$s.entity_review.lexicon IS 'the lexicon whose finding the reviewer saw'$$, lake);
    IF is_old THEN
        EXECUTE format($$
            INSERT INTO %1$s.entity_run (compartment, type, id, version, lexicon, min_score, found, is_current)
            SELECT min(e.compartment), e.type, e.id, e.version, e.lexicon, 0, count(*), bool_and(e.status = 'current') FROM %1$s.entity e GROUP BY 2, 3, 4, 5$$, lake);
    END IF;
END
$function$;
COMMENT ON FUNCTION fhir.create_entities(text) IS
    'makes the tables of findings in a lake, or brings that of 0.1.0 to the form of now; fhir.create_lake and fhir.upgrade_lake call it';

-- What a lake reads ----------------------------------------------------------------------------------------------------------
-- The policy is a trigger on each table, as with validation: part of every dump, changed by the owner alone. Reading on demand is the
-- same trigger, disabled.

CREATE FUNCTION fhir.note_types() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT '{ClinicalImpression,Communication,Composition,DiagnosticReport,DocumentReference,QuestionnaireResponse}'::text[] $$;
COMMENT ON FUNCTION fhir.note_types() IS 'the resource types that fhir.set_notes takes for notes where none are named';

CREATE FUNCTION fhir.notes(lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (type text, mode text, min_score real, categories text[], certainty text[])
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 10
    SET search_path = pg_catalog, pg_temp
    AS $function$
BEGIN
    IF to_regclass(quote_ident(lake) || '.resource') IS NULL THEN
        RAISE EXCEPTION 'there is no lake "%"', lake
            USING ERRCODE = 'invalid_schema_name', HINT = 'SELECT * FROM fhir.lakes() lists them.';
    END IF;
    RETURN QUERY
        SELECT r.type, CASE t.tgenabled WHEN 'D' THEN 'on-demand' ELSE 'on-write' END, a.words[1]::real,
               CASE WHEN a.words[2] <> '*' THEN a.words[2]::text[] END, CASE WHEN a.words[3] <> '*' THEN a.words[3]::text[] END
        FROM fhir.resource_types() r(type)
        JOIN pg_trigger t ON t.tgrelid = to_regclass(quote_ident(lake) || '.' || quote_ident(lower(r.type)))
            AND t.tgfoid = 'fhir.read_note()'::regprocedure
        -- the arguments, each with a zero behind it
        CROSS JOIN LATERAL (SELECT array_agg(convert_from(decode(w.word, 'hex'), 'UTF8') ORDER BY w.place)
            FROM regexp_split_to_table(regexp_replace(encode(t.tgargs, 'hex'), '(..)', '\1 ', 'g'), '00 ') WITH ORDINALITY w(word, place)
            WHERE w.word <> '') a(words)
        ORDER BY r.type;
END
$function$;
COMMENT ON FUNCTION fhir.notes(text) IS
    'the resource types whose notes a lake reads: mode on-write or on-demand, and which findings it keeps. NULL stands for all';

CREATE FUNCTION fhir.set_notes(mode text, types text[] DEFAULT NULL, min_score real DEFAULT 0.5, categories text[] DEFAULT NULL,
        certainty text[] DEFAULT NULL, lake text DEFAULT fhir.current_lake()) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET client_min_messages = warning
    AS $function$
DECLARE
    one text;
    partition text;
BEGIN
    IF mode IS NULL OR mode NOT IN ('off', 'on-write', 'on-demand') THEN
        RAISE EXCEPTION 'notes cannot be read "%"', mode
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is off, on-write or on-demand.';
    END IF;
    IF lake IS NULL OR to_regclass(quote_ident(lake) || '.resource') IS NULL THEN
        RAISE EXCEPTION 'there is no lake "%"', lake
            USING ERRCODE = 'invalid_schema_name', HINT = 'SELECT * FROM fhir.lakes() lists them.';
    END IF;
    IF to_regclass(quote_ident(lake) || '.entity_run') IS NULL THEN
        RAISE EXCEPTION 'lake "%" was made by an older version', lake
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'ALTER EXTENSION fhirlake UPDATE, then SELECT fhir.upgrade_lake() adds what is missing.';
    END IF;
    IF min_score IS NULL OR NOT min_score BETWEEN 0 AND 1 THEN
        RAISE EXCEPTION 'a score is from 0 to 1' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT c INTO one FROM unnest(categories) c WHERE c IS NULL OR c NOT IN ('MEDICAL_CONDITION', 'MEDICATION', 'TEST_TREATMENT_PROCEDURE',
        'ANATOMY', 'TIME_EXPRESSION', 'PROTECTED_HEALTH_INFORMATION', 'BEHAVIORAL_ENVIRONMENTAL_SOCIAL') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'findings have no category "%"', one
            USING ERRCODE = 'invalid_parameter_value', HINT = 'MEDICAL_CONDITION, MEDICATION, TEST_TREATMENT_PROCEDURE, ANATOMY, TIME_EXPRESSION, PROTECTED_HEALTH_INFORMATION, BEHAVIORAL_ENVIRONMENTAL_SOCIAL';
    END IF;
    SELECT c INTO one FROM unnest(certainty) c WHERE c IS NULL OR c NOT IN ('positive', 'probable', 'possible', 'unlikely', 'negative') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'findings have no certainty "%"', one
            USING ERRCODE = 'invalid_parameter_value', HINT = 'positive, probable, possible, unlikely, negative';
    END IF;
    SELECT t INTO one FROM unnest(types) t WHERE t IS NULL OR NOT EXISTS (SELECT FROM fhir.resource_types() r(name) WHERE r.name = t) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'there is no resource type "%"', one
            USING ERRCODE = 'invalid_parameter_value', HINT = 'SELECT fhir.resource_types() lists the types of FHIR R4.';
    END IF;
    FOR one IN SELECT r.name FROM fhir.resource_types() r(name)
               WHERE r.name = ANY (coalesce(types, CASE WHEN mode = 'off' THEN ARRAY[r.name] ELSE fhir.note_types() END)) LOOP
        partition := quote_ident(lake) || '.' || quote_ident(lower(one));
        EXECUTE format('DROP TRIGGER IF EXISTS zz_notes ON %s', partition);
        IF mode <> 'off' THEN
            -- behind the keeper, as triggers of one kind fire in the order of their names
            EXECUTE format('CREATE TRIGGER zz_notes AFTER INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION fhir.read_note(%L, %L, %L)',
                partition, min_score, coalesce(categories::text, '*'), coalesce(certainty::text, '*'));
        END IF;
        IF mode = 'on-demand' THEN
            EXECUTE format('ALTER TABLE %s DISABLE TRIGGER zz_notes', partition);
        END IF;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION fhir.set_notes(text, text[], real, text[], text[], text) IS
    'sets whether a lake reads the notes in its resources: off, on-write (in the transaction that writes them) or on-demand (fhir.read_notes); of these types, else of fhir.note_types(). Kept are findings of that score at least, and where given of these categories and certainties';

-- Reading ----------------------------------------------------------------------------------------------------------------------

CREATE FUNCTION fhir.read_batch(lake text, type text, after text, batch integer, min_score real, categories text[], certainty text[],
        OUT last text, OUT resources bigint, OUT findings bigint)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000
    SET search_path = pg_catalog, pg_temp
    -- What a policy hides would be left out: then it is an error.
    SET row_security = off
    AS $function$
DECLARE
    partition text := quote_ident(lake) || '.' || quote_ident(lower(type));
    ids text[];
BEGIN
    -- What another session reads now, it has locked.
    EXECUTE format($$
        SELECT coalesce(array_agg(w.id), '{}'), max(w.id) FROM (
            SELECT r.id FROM %s r
            WHERE r.type = $1 AND r.id > $2 AND NOT EXISTS (
                SELECT FROM %I.entity_run n WHERE n.type = r.type AND n.id = r.id AND n.version = r.version AND n.lexicon = fhir.lexicon_version())
            ORDER BY r.id LIMIT $3 FOR NO KEY UPDATE OF r SKIP LOCKED) w$$, partition, lake)
        INTO ids, last USING type, after, batch;
    resources := 0;
    findings := 0;
    IF ids <> '{}' THEN
        EXECUTE fhir.keep_entities_sql(lake, format(
            'SELECT r.compartment, r.type, r.id, r.version, r.resource FROM %s r WHERE r.type OPERATOR(pg_catalog.=) %L AND r.id OPERATOR(pg_catalog.=) ANY ($4)', partition, type))
            INTO resources, findings USING min_score, categories, certainty, ids;
    END IF;
END
$function$;
COMMENT ON FUNCTION fhir.read_batch(text, text, text, integer, real, text[], text[]) IS
    'reads the notes of the next resources behind an id that were not read with the active lexicon and that no other session is reading; last is the id of the last of them, NULL if there were none. fhir.read_notes calls it';

CREATE FUNCTION fhir.read_notes(of_type text DEFAULT NULL, max bigint DEFAULT NULL, batch integer DEFAULT 200, lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (type text, lexicon text, resources bigint, findings bigint)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 6
    SET search_path = pg_catalog, pg_temp
    AS $function$
#variable_conflict use_column
DECLARE
    policy record;
    one record;
    after text;
    began timestamptz := clock_timestamp();
    told timestamptz := began;
    remaining bigint := max;
BEGIN
    IF lake IS NULL OR to_regclass(quote_ident(lake) || '.entity_run') IS NULL THEN
        RAISE EXCEPTION 'there is no lake "%" that notes can be read in', lake
            USING ERRCODE = 'undefined_table', HINT = 'SELECT * FROM fhir.lakes() lists lakes; fhir.upgrade_lake adds what an older one does not have.';
    END IF;
    IF batch IS NULL OR batch < 1 OR max < 1 THEN
        RAISE EXCEPTION 'a batch has at least one resource' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    lexicon := fhir.lexicon_version();
    IF of_type IS NOT NULL AND NOT EXISTS (SELECT FROM fhir.notes(lake) n WHERE n.type = of_type) THEN
        RAISE EXCEPTION 'lake "%" does not read notes of type "%"', lake, of_type
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'fhir.set_notes(''on-demand'', types => …) says which types have notes; fhir.notes() shows them.';
    END IF;
    IF of_type IS NULL AND NOT EXISTS (SELECT FROM fhir.notes(lake)) THEN
        RAISE EXCEPTION 'lake "%" does not read notes', lake
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'fhir.set_notes(''on-demand'') makes it read them when asked.';
    END IF;
    FOR policy IN SELECT * FROM fhir.notes(lake) n WHERE of_type IS NULL OR n.type = of_type LOOP
        type := policy.type;
        resources := 0;
        findings := 0;
        after := '';
        LOOP
            EXIT WHEN remaining <= 0;
            SELECT * INTO one FROM fhir.read_batch(lake, policy.type, after, least(batch, coalesce(remaining, batch))::integer, policy.min_score, policy.categories, policy.certainty);
            EXIT WHEN one.last IS NULL;
            after := one.last;
            resources := resources + one.resources;
            findings := findings + one.findings;
            remaining := remaining - one.resources;
            IF clock_timestamp() > told + interval '5 seconds' THEN
                told := clock_timestamp();
                RAISE NOTICE '%: % resources read, % findings, % a second', type, resources, findings,
                    round(resources / extract(epoch FROM told - began))::bigint;
            END IF;
        END LOOP;
        IF resources > 0 OR of_type IS NOT NULL THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION fhir.read_notes(text, bigint, integer, text) IS
    'reads the notes that were not read with the active lexicon yet, of one type or of all that fhir.set_notes names, in one transaction: at most max resources. Several sessions share the work. For the owner of the lake; CALL fhir.read_all_notes() commits as it goes';

CREATE PROCEDURE fhir.read_all_notes(of_type text DEFAULT NULL, batch integer DEFAULT 500, lake text DEFAULT fhir.current_lake())
    LANGUAGE plpgsql
    AS $procedure$
DECLARE
    policy record;
    one record;
    after text;
    resources bigint;
    findings bigint;
BEGIN
    -- says what is wrong
    PERFORM fhir.read_notes(of_type, 1, 1, lake);
    COMMIT;
    FOR policy IN SELECT * FROM fhir.notes(lake) n WHERE of_type IS NULL OR n.type OPERATOR(pg_catalog.=) of_type LOOP
        after := '';
        resources := 0;
        findings := 0;
        LOOP
            SELECT * INTO one FROM fhir.read_batch(lake, policy.type, after, batch, policy.min_score, policy.categories, policy.certainty);
            EXIT WHEN one.last IS NULL;
            after := one.last;
            resources := resources OPERATOR(pg_catalog.+) one.resources;
            findings := findings OPERATOR(pg_catalog.+) one.findings;
            COMMIT;
            RAISE NOTICE '%: % resources read, % findings', policy.type, resources, findings;
        END LOOP;
    END LOOP;
END
$procedure$;
COMMENT ON PROCEDURE fhir.read_all_notes(text, integer, text) IS
    'as fhir.read_notes, but commits each batch, so that what is read stays read whatever happens; call it again to go on';

CREATE FUNCTION fhir.undo_notes(lexicon text, of_type text DEFAULT NULL, lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (type text, resources bigint, findings bigint, restored bigint)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 ROWS 6
    SET search_path = pg_catalog, pg_temp
    SET row_security = off
    AS $function$
#variable_conflict use_column
DECLARE
    name text := quote_ident(lake);
BEGIN
    IF lexicon IS NULL THEN
        RAISE EXCEPTION 'name the lexicon whose findings are to go' USING ERRCODE = 'null_value_not_allowed', HINT = 'SELECT DISTINCT lexicon FROM lake.entity_run lists them.';
    END IF;
    IF lake IS NULL OR to_regclass(name || '.entity_run') IS NULL THEN
        RAISE EXCEPTION 'there is no lake "%" that notes can be read in', lake
            USING ERRCODE = 'undefined_table', HINT = 'SELECT * FROM fhir.lakes() lists lakes; fhir.upgrade_lake adds what an older one does not have.';
    END IF;
    EXECUTE format('LOCK TABLE %s.entity_run IN SHARE ROW EXCLUSIVE MODE', name);
    FOR type, resources IN EXECUTE format('SELECT n.type, count(*) FROM %s.entity_run n WHERE n.lexicon = $1 AND ($2 IS NULL OR n.type = $2) GROUP BY 1 ORDER BY 1', name)
            USING undo_notes.lexicon, of_type LOOP
        EXECUTE format('DELETE FROM %s.entity e WHERE e.type = $1 AND e.lexicon = $2', name) USING type, undo_notes.lexicon;
        GET DIAGNOSTICS findings = ROW_COUNT;
        EXECUTE format('DELETE FROM %s.entity_run n WHERE n.type = $1 AND n.lexicon = $2', name) USING type, undo_notes.lexicon;
        EXECUTE format($$
            UPDATE %1$s.entity_run n SET is_current = true
            FROM (SELECT DISTINCT ON (o.id, o.version) o.id, o.version, o.lexicon FROM %1$s.entity_run o WHERE o.type = $1
                  ORDER BY o.id, o.version, o.is_current DESC, o.at DESC, o.lexicon) l
            WHERE n.type = $1 AND n.id = l.id AND n.version = l.version AND n.lexicon = l.lexicon AND NOT n.is_current$$, name) USING type;
        GET DIAGNOSTICS restored = ROW_COUNT;
        EXECUTE fhir.restate_entities_sql(lake, format('x.type OPERATOR(pg_catalog.=) %L', type));
        RETURN NEXT;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION fhir.undo_notes(text, text, text) IS
    'removes what was found with a lexicon, and makes what was found before it current again: how many resources, findings, and readings that are current again. For the owner of the lake';

CREATE FUNCTION fhir.entity_diff(of_type text, of_id text, old_lexicon text, new_lexicon text, lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (change text, id text, version bigint, path text, first integer, last integer, text text, category text, differs text[], old jsonb, new jsonb)
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000 ROWS 100
    SET search_path = pg_catalog, pg_temp
    AS $function$
BEGIN
    IF of_type IS NULL OR old_lexicon IS NULL OR new_lexicon IS NULL THEN
        RAISE EXCEPTION 'name a resource type and two lexicons' USING ERRCODE = 'null_value_not_allowed', HINT = 'SELECT DISTINCT type, lexicon FROM lake.entity_run lists them.';
    END IF;
    -- Only versions that both have read: what one has not read, it did not fail to find.
    RETURN QUERY EXECUTE format($$
        WITH both_read AS (
            SELECT o.id, o.version FROM %1$I.entity_run o JOIN %1$I.entity_run n ON n.type = o.type AND n.id = o.id AND n.version = o.version
            WHERE o.type = $1 AND o.lexicon = $3 AND n.lexicon = $4 AND ($2 IS NULL OR o.id = $2)),
        said AS (
            SELECT e.lexicon, e.id, e.version, e.path, e.first, e.last, e.category, e.text,
                   row_number() OVER (PARTITION BY e.lexicon, e.id, e.version, e.path, e.first, e.last, e.category ORDER BY e.number) AS place,
                   jsonb_build_object('type', e.kind, 'codes', e.codes, 'certainty', e.certainty, 'temporality', e.temporality, 'subject', e.subject,
                       'conditionality', e.conditionality, 'section', e.section, 'score', e.score, 'value', e.value, 'attributes', e.attributes) AS what
            FROM %1$I.entity e JOIN both_read b ON b.id = e.id AND b.version = e.version
            WHERE e.type = $1 AND e.lexicon IN ($3, $4)),
        pair AS (
            SELECT coalesce(n.id, o.id) AS id, coalesce(n.version, o.version) AS version, coalesce(n.path, o.path) AS path, coalesce(n.first, o.first) AS first,
                   coalesce(n.last, o.last) AS last, coalesce(n.text, o.text) AS text, coalesce(n.category, o.category) AS category, o.what AS old, n.what AS new
            FROM (SELECT * FROM said WHERE lexicon = $3) o
            FULL JOIN (SELECT * FROM said WHERE lexicon = $4) n ON n.id = o.id AND n.version = o.version AND n.path = o.path AND n.first = o.first
                AND n.last = o.last AND n.category = o.category AND n.place = o.place)
        SELECT CASE WHEN p.old IS NULL THEN 'added' WHEN p.new IS NULL THEN 'removed' ELSE 'changed' END, p.id, p.version, p.path, p.first, p.last, p.text, p.category,
               CASE WHEN p.old IS NOT NULL AND p.new IS NOT NULL
                   THEN ARRAY(SELECT k.key FROM jsonb_each(p.new) k WHERE p.old -> k.key IS DISTINCT FROM k.value ORDER BY 1) END, p.old, p.new
        FROM pair p WHERE p.old IS DISTINCT FROM p.new
        ORDER BY p.id, p.version, p.path, p.first, p.last, p.category$$, lake)
        USING of_type, of_id, old_lexicon, new_lexicon;
END
$function$;
COMMENT ON FUNCTION fhir.entity_diff(text, text, text, text, text) IS
    'what two lexicons find differently in the notes of one resource, or with NULL for its id of all resources of the type: added, removed or changed, and in what. Versions that both have read are compared';

-- Review -----------------------------------------------------------------------------------------------------------------------

CREATE FUNCTION fhir.review_entity(type text, id text, number integer, verdict text, note text DEFAULT NULL, lake text DEFAULT fhir.current_lake())
    RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    made bigint;
BEGIN
    IF verdict IS NULL OR verdict NOT IN ('accept', 'reject') THEN
        RAISE EXCEPTION 'a verdict cannot be "%"', verdict USING ERRCODE = 'invalid_parameter_value', HINT = 'It is accept or reject.';
    END IF;
    EXECUTE format($$
        INSERT INTO %1$I.entity_review AS v (compartment, type, id, path, first, last, category, kind, text, codes, version, lexicon, verdict, note)
        SELECT e.compartment, e.type, e.id, e.path, e.first, e.last, e.category, e.kind, e.text, e.codes, e.version, e.lexicon, $4, $5
        FROM %1$I.entity e JOIN %1$I.resource r ON r.type = e.type AND r.id = e.id AND r.version = e.version
        WHERE e.type = $1 AND e.id = $2 AND e.number = $3 AND e.status <> 'old'
        ON CONFLICT ON CONSTRAINT entity_review_pkey DO UPDATE SET verdict = EXCLUDED.verdict, note = EXCLUDED.note, text = EXCLUDED.text,
            codes = EXCLUDED.codes, version = EXCLUDED.version, lexicon = EXCLUDED.lexicon, by = CURRENT_USER, at = clock_timestamp()$$, lake)
        USING type, id, number, verdict, note;
    GET DIAGNOSTICS made = ROW_COUNT;
    IF made = 0 THEN
        RAISE EXCEPTION '%/% has no finding %', type, id, number
            USING ERRCODE = 'no_data_found', HINT = 'SELECT number, text, category FROM lake.entity WHERE type = … AND id = … AND status <> ''old'' lists them.';
    END IF;
END
$function$;
COMMENT ON FUNCTION fhir.review_entity(text, text, integer, text, text, text) IS
    'keeps what a reviewer says of a current finding, named by its number: accept or reject, with a remark. What is rejected is not found, not derived and not shown, by later lexicons neither. Takes INSERT and UPDATE on entity_review of the lake, which fhir.grant_lake gives with write';

CREATE FUNCTION fhir.entity_feedback(lake text DEFAULT fhir.current_lake(), around integer DEFAULT 60)
    RETURNS TABLE (verdict text, text text, category text, kind text, codes text[], before text, behind text, type text, id text, version bigint,
        path text, first integer, last integer, lexicon text, score real, certainty text, note text, by name, at timestamptz)
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 100000 ROWS 100
    SET search_path = pg_catalog, pg_temp
    AS $function$
BEGIN
    RETURN QUERY EXECUTE format($$
        SELECT v.verdict, v.text, v.category, v.kind, v.codes,
               substr(t.text, greatest(v.first - $1, 0) + 1, least(v.first, $1)), substr(t.text, v.last + 1, $1),
               v.type, v.id, v.version, v.path, v.first, v.last, v.lexicon, e.score, e.certainty, v.note, v.by, v.at
        FROM %1$I.entity_review v
        LEFT JOIN LATERAL (SELECT x.score, x.certainty FROM %1$I.entity x WHERE x.type = v.type AND x.id = v.id AND x.version = v.version
            AND x.lexicon = v.lexicon AND x.path = v.path AND x.first = v.first AND x.last = v.last AND x.category = v.category AND x.kind = v.kind LIMIT 1) e ON true
        LEFT JOIN LATERAL (SELECT r.resource FROM %1$I.resource r WHERE r.type = v.type AND r.id = v.id AND r.version = v.version
            UNION ALL SELECT h.resource FROM %1$I.history h WHERE h.type = v.type AND h.id = v.id AND h.version = v.version) s ON true
        LEFT JOIN LATERAL (SELECT n.text FROM fhir.resource_texts(s.resource) n WHERE n.path = v.path LIMIT 1) t ON true
        ORDER BY v.at, v.type, v.id, v.path, v.first$$, lake) USING around;
END
$function$;
COMMENT ON FUNCTION fhir.entity_feedback(text, integer) IS
    'what reviewers said of findings, each with the characters before and behind it: what a lexicon or a model is trained with';
