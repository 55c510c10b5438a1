-- Operations of FHIR, https://hl7.org/fhir/R4/operations.html, on the current lake, with the rights of the caller.

-- $meta: https://hl7.org/fhir/R4/resource-operations.html ---------------------------------------------------------------

-- Bodies without quotes are read when they are made, so that no search_path changes what they mean.
CREATE FUNCTION fhir.meta_key(label jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE pg_catalog.jsonb_typeof(label)
        WHEN 'object' THEN pg_catalog.jsonb_build_array(label -> 'system', label -> 'code')::text
        ELSE label::text END;
COMMENT ON FUNCTION fhir.meta_key(jsonb) IS
    'what a profile, tag or security label is the same by: the url, or system and code; version and display do not count';

CREATE FUNCTION fhir.meta_labels(kept jsonb, changed jsonb, remove boolean) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (
        WITH listed AS (
            SELECT false AS is_new, k.label, k.n FROM pg_catalog.jsonb_array_elements(coalesce(kept, '[]')) WITH ORDINALITY k (label, n)
            UNION ALL
            SELECT true, c.label, c.n FROM pg_catalog.jsonb_array_elements(coalesce(changed, '[]')) WITH ORDINALITY c (label, n)
        ), first AS (
            SELECT l.label, l.is_new, l.n, pg_catalog.row_number() OVER (PARTITION BY fhir.meta_key(l.label) ORDER BY l.is_new, l.n) AS nth,
                pg_catalog.bool_or(l.is_new) OVER (PARTITION BY fhir.meta_key(l.label)) AS is_named
            FROM listed l
        )
        SELECT coalesce(pg_catalog.jsonb_agg(f.label ORDER BY f.is_new, f.n)
            FILTER (WHERE CASE WHEN remove THEN NOT f.is_named ELSE NOT f.is_new OR f.nth = 1 END), '[]')
        FROM first f);
COMMENT ON FUNCTION fhir.meta_labels(jsonb, jsonb, boolean) IS
    'a list of profiles, tags or security labels with others added to it or, with remove, taken from it; what is there stays as it is';

CREATE FUNCTION fhir.meta_checked(meta jsonb) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    list text;
    wanted text;
BEGIN
    IF meta IS NULL OR jsonb_typeof(meta) <> 'object' THEN
        RAISE EXCEPTION 'no Meta came along' USING ERRCODE = '22023',
            HINT = 'It is an object with the profile, security and tag to add or to delete.';
    END IF;
    FOREACH list IN ARRAY ARRAY['profile', 'security', 'tag'] LOOP
        wanted := CASE list WHEN 'profile' THEN 'string' ELSE 'object' END;
        IF meta ? list AND (jsonb_typeof(meta -> list) <> 'array'
                OR EXISTS (SELECT FROM jsonb_array_elements(CASE jsonb_typeof(meta -> list) WHEN 'array' THEN meta -> list ELSE '[]' END) l
                    WHERE jsonb_typeof(l) <> wanted)) THEN
            RAISE EXCEPTION 'meta.% is not a list of %', list, CASE list WHEN 'profile' THEN 'urls' ELSE 'Codings' END
                USING ERRCODE = '22023', HINT = 'https://hl7.org/fhir/R4/resource.html#Meta';
        END IF;
    END LOOP;
    RETURN meta;
END
$function$;
COMMENT ON FUNCTION fhir.meta_checked(jsonb) IS 'a Meta whose profile, security and tag are lists as they should be; raises 22023 for another';

CREATE FUNCTION fhir.meta(type text DEFAULT NULL, id text DEFAULT NULL) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000
    AS $function$
DECLARE
    place text;
    found jsonb;
BEGIN
    IF id IS NOT NULL THEN
        IF type IS NULL THEN
            RAISE EXCEPTION 'an id without a type' USING ERRCODE = '22023', HINT = 'fhir.meta(type, id), fhir.meta(type) or fhir.meta().';
        END IF;
        RETURN fhir.read(type, id) OPERATOR(pg_catalog.->) 'meta';
    END IF;
    place := CASE WHEN type IS NULL THEN pg_catalog.format('%I.resource', fhir.current_lake()) ELSE fhir.table_of(type) END;
    -- The distinct values come from the keys; of each of them one resource is read, for what the keys do not hold.
    EXECUTE pg_catalog.format($q$
        WITH named AS (
            SELECT k.parameter, k.value, (pg_catalog.array_agg(r.type))[1] AS type, (pg_catalog.array_agg(r.id))[1] AS id
            FROM (
                SELECT s.type, s.id, s.search FROM %1$s s
                WHERE s.search OPERATOR(fhir.|=) '_tag:missing=false'::fhir.query
                   OR s.search OPERATOR(fhir.|=) '_security:missing=false'::fhir.query
                   OR s.search OPERATOR(fhir.|=) '_profile:missing=false'::fhir.query
            ) r CROSS JOIN LATERAL fhir.show_keys(r.search) k
            WHERE k.parameter OPERATOR(pg_catalog.=) ANY (ARRAY['_tag', '_security', '_profile'])
            GROUP BY k.parameter, k.value
        ), one AS (
            SELECT DISTINCT n.type, n.id FROM named n
        ), labels AS (
            SELECT DISTINCT ON (l.list, fhir.meta_key(v.label)) l.list, v.label
            FROM one o
            JOIN %1$s s ON s.type OPERATOR(pg_catalog.=) o.type AND s.id OPERATOR(pg_catalog.=) o.id
            CROSS JOIN (VALUES ('profile'), ('security'), ('tag')) l (list)
            CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(
                s.resource OPERATOR(pg_catalog.->) 'meta' OPERATOR(pg_catalog.->) l.list) v (label)
            ORDER BY l.list, fhir.meta_key(v.label), v.label
        ), lists AS (
            SELECT l.list, pg_catalog.jsonb_agg(l.label ORDER BY l.label) AS labels FROM labels l GROUP BY l.list
        )
        SELECT coalesce(pg_catalog.jsonb_object_agg(l.list, l.labels), '{}') FROM lists l$q$, place) INTO found;
    RETURN found;
END
$function$;
COMMENT ON FUNCTION fhir.meta(text, text) IS
    'the meta of a resource; or, of a type or of the whole lake, all profiles, tags and security labels in use. The latter reads the keys of every resource that has one of them, and a few resources';

CREATE FUNCTION fhir.meta_changed(type text, id text, meta jsonb, remove boolean) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000
    AS $function$
DECLARE
    stored jsonb;
    patch jsonb;
    tries integer := 0;
BEGIN
    meta := fhir.meta_checked(meta);
    IF type IS NULL OR id IS NULL THEN
        RAISE EXCEPTION 'no resource is named' USING ERRCODE = '22023', HINT = 'Give its type and id.';
    END IF;
    LOOP
        stored := fhir.read(type, id) OPERATOR(pg_catalog.->) 'meta';
        -- only the lists that change
        patch := (
            SELECT pg_catalog.jsonb_object_agg(l.list, CASE WHEN l.labels OPERATOR(pg_catalog.=) '[]' THEN 'null' ELSE l.labels END)
            FROM (
                SELECT k.list, stored OPERATOR(pg_catalog.->) k.list AS kept,
                    fhir.meta_labels(stored OPERATOR(pg_catalog.->) k.list, meta OPERATOR(pg_catalog.->) k.list, remove) AS labels
                FROM (VALUES ('profile'), ('security'), ('tag')) k (list)
            ) l
            WHERE l.labels OPERATOR(pg_catalog.<>) coalesce(l.kept, '[]'));
        IF patch IS NULL THEN
            RETURN stored;
        END IF;
        BEGIN
            stored := fhir.patch(type, id, pg_catalog.jsonb_build_object('meta', patch),
                stored OPERATOR(pg_catalog.->>) 'versionId', 'merge-patch');
            RETURN stored OPERATOR(pg_catalog.->) 'meta';
        EXCEPTION WHEN SQLSTATE 'FH412' OR SQLSTATE 'FH409' THEN
            -- another writer came first: once more, on what it wrote
            tries := tries OPERATOR(pg_catalog.+) 1;
            IF tries OPERATOR(pg_catalog.>=) 10 THEN
                RAISE;
            END IF;
        END;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION fhir.meta_changed(text, text, jsonb, boolean) IS 'what fhir.meta_add and, with remove, fhir.meta_delete do';

CREATE FUNCTION fhir.meta_add(type text, id text, meta jsonb) RETURNS jsonb
    LANGUAGE sql VOLATILE PARALLEL UNSAFE COST 1000
    RETURN fhir.meta_changed(type, id, meta, false);
COMMENT ON FUNCTION fhir.meta_add(text, text, jsonb) IS
    'adds the profiles, tags and security labels of a Meta to a resource, and returns its meta. What it has already makes no new version';

CREATE FUNCTION fhir.meta_delete(type text, id text, meta jsonb) RETURNS jsonb
    LANGUAGE sql VOLATILE PARALLEL UNSAFE COST 1000
    RETURN fhir.meta_changed(type, id, meta, true);
COMMENT ON FUNCTION fhir.meta_delete(text, text, jsonb) IS
    'takes the profiles, tags and security labels of a Meta from a resource, and returns its meta. What it does not have makes no new version';

CREATE FUNCTION fhir.meta_parameters(meta jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN coalesce(meta, '{}') = '{}' THEN '{"resourceType": "Parameters"}'::jsonb
        ELSE pg_catalog.jsonb_build_object('resourceType', 'Parameters', 'parameter',
            pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object('name', 'return', 'valueMeta', meta))) END;
COMMENT ON FUNCTION fhir.meta_parameters(jsonb) IS 'a Meta as a server returns it; FHIR has no empty Meta, so for none the Parameters are empty';

-- Observation/$lastn: https://hl7.org/fhir/R4/observation-operation-lastn.html -------------------------------------------

CREATE FUNCTION fhir.lastn_keys(code jsonb) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(
        (SELECT pg_catalog.array_agg(DISTINCT pg_catalog.jsonb_build_array(c -> 'system', c -> 'code')::text)
            FROM pg_catalog.jsonb_array_elements(CASE pg_catalog.jsonb_typeof(code -> 'coding') WHEN 'array' THEN code -> 'coding' ELSE '[]' END) c
            WHERE c ? 'code'),
        ARRAY[coalesce(code ->> 'text', '')]);
COMMENT ON FUNCTION fhir.lastn_keys(jsonb) IS
    'what a CodeableConcept is grouped by: system and code of each of its codings, or of one without codings the text';

CREATE FUNCTION fhir.lastn_groups(keys text[]) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    parent jsonb := '{}';
    root text;
    roots text[];
    least text;
    one jsonb;
    key text;
    named text;
BEGIN
    -- each element: the keys of one concept, as a JSON array. Keys of one concept have one root.
    FOREACH key IN ARRAY keys LOOP
        one := key::jsonb;
        CONTINUE WHEN jsonb_array_length(one) < 2;
        roots := '{}';
        FOR root IN SELECT jsonb_array_elements_text(one) LOOP
            WHILE parent ? root LOOP
                root := parent ->> root;
            END LOOP;
            roots := roots || root;
        END LOOP;
        SELECT min(r COLLATE "C") INTO least FROM unnest(roots) r;
        FOREACH root IN ARRAY roots LOOP
            IF root <> least THEN
                parent := parent || jsonb_build_object(root, least);
            END IF;
        END LOOP;
    END LOOP;
    -- now straight to the root
    FOR named IN SELECT jsonb_object_keys(parent) LOOP
        root := named;
        WHILE parent ? root LOOP
            root := parent ->> root;
        END LOOP;
        parent := parent || jsonb_build_object(named, root);
    END LOOP;
    RETURN parent;
END
$function$;
COMMENT ON FUNCTION fhir.lastn_groups(text[]) IS
    'from sets of keys, each a JSON array, which keys belong to the group of another one because a concept has both: transitive';

CREATE FUNCTION fhir.lastn_search(search text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    names text[];
BEGIN
    search := regexp_replace(coalesce(search, ''), '^/?(Observation)?(/\$lastn)?\??', '');
    names := ARRAY(SELECT split_part(split_part(split_part(p, '=', 1), ':', 1), '.', 1) FROM unnest(string_to_array(search, '&')) p);
    IF NOT names && ARRAY['patient', 'subject'] THEN
        RAISE EXCEPTION 'the search names no subject' USING ERRCODE = '22023', HINT = 'Give patient=… or subject=….';
    END IF;
    -- code, combo-code, component-code, code-value-concept …
    IF NOT EXISTS (SELECT FROM unnest(names) n WHERE n = 'category' OR n ~ '(^|-)code(-|$)') THEN
        RAISE EXCEPTION 'the search names neither a category nor a code' USING ERRCODE = '22023', HINT = 'Give category=… or code=….';
    END IF;
    RETURN 'Observation?' || search;
END
$function$;
COMMENT ON FUNCTION fhir.lastn_search(text) IS
    'the search of $lastn; raises 22023 where it has no patient or subject, or neither category nor code';

CREATE FUNCTION fhir.lastn_rows(search text, max integer DEFAULT 1)
    RETURNS TABLE ("group" integer, effective timestamptz, id text, version bigint, last_updated timestamptz, resource jsonb)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 10000 ROWS 50
    -- the statement of a search is written for people, without qualified operators
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    most CONSTANT integer := 100000;
    statement text := fhir.search_rows_sql(fhir.lastn_search(search));
    ids text[];
    starts timestamptz[];
    written timestamptz[];
    keys text[];
    parent jsonb;
BEGIN
    IF max IS NULL OR max OPERATOR(pg_catalog.<) 1 THEN
        RAISE EXCEPTION 'max is not a positive number' USING ERRCODE = '22023', HINT = 'It is how many observations of each code are wanted.';
    END IF;
    EXECUTE pg_catalog.format($q$
        SELECT pg_catalog.array_agg(f.id), pg_catalog.array_agg(f.starts), pg_catalog.array_agg(f.last_updated), pg_catalog.array_agg(f.keys)
        FROM (
            SELECT r.id, fhir.occurred(r.resource) AS starts, r.last_updated,
                pg_catalog.to_jsonb(fhir.lastn_keys(r.resource OPERATOR(pg_catalog.->) 'code'))::text AS keys
            FROM (%s) r LIMIT %s
        ) f$q$, statement, most OPERATOR(pg_catalog.+) 1) INTO ids, starts, written, keys;
    IF pg_catalog.cardinality(ids) OPERATOR(pg_catalog.>) most THEN
        RAISE EXCEPTION 'the search finds more than % observations', most USING ERRCODE = '54000', HINT = 'Narrow it, by date for example.';
    END IF;
    parent := fhir.lastn_groups(ARRAY(SELECT DISTINCT k FROM pg_catalog.unnest(keys) k));
    RETURN QUERY EXECUTE pg_catalog.format($q$
        WITH found AS (
            SELECT f.id, f.starts, f.written, coalesce($5 OPERATOR(pg_catalog.->>) k.key, k.key) AS root
            FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3), pg_catalog.unnest($4)) f (id, starts, written, keys)
            CROSS JOIN LATERAL (SELECT f.keys::pg_catalog.jsonb OPERATOR(pg_catalog.->>) 0 AS key) k
        ), ranked AS (
            -- equal times are a tie; of what has no time the last written comes first
            SELECT f.*, pg_catalog.rank() OVER (PARTITION BY f.root ORDER BY f.starts DESC,
                    CASE WHEN f.starts OPERATOR(pg_catalog.=) '-infinity' THEN f.written END DESC,
                    CASE WHEN f.starts OPERATOR(pg_catalog.=) '-infinity' THEN f.id END) AS nth,
                pg_catalog.max(f.starts) OVER (PARTITION BY f.root) AS newest
            FROM found f
        ), numbered AS (
            SELECT r.*, pg_catalog.dense_rank() OVER (ORDER BY r.newest DESC, r.root)::integer AS number FROM ranked r
            WHERE r.nth OPERATOR(pg_catalog.<=) $6
        )
        SELECT n.number, n.starts, o.id, o.version, o.last_updated, o.resource
        FROM numbered n JOIN %s o ON o.id OPERATOR(pg_catalog.=) n.id
        ORDER BY n.number, n.nth, o.id$q$, fhir.table_of('Observation')) USING ids, starts, written, keys, parent, max;
END
$function$;
COMMENT ON FUNCTION fhir.lastn_rows(text, integer) IS
    'what fhir.lastn gives, as rows: the group with the newest first, in it the newest first. effective: where the clinical time begins, -infinity if it does not say';

CREATE FUNCTION fhir.lastn(search text, max integer DEFAULT 1) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 10000
    AS $function$
DECLARE
    entries jsonb;
    link jsonb := pg_catalog.jsonb_build_object('relation', 'self', 'url', pg_catalog.concat('Observation/$lastn?max=', max, '&',
        pg_catalog.substr(fhir.lastn_search(search), 13)));
BEGIN
    entries := (
        SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('resource', r.resource, 'search', '{"mode": "match"}'::pg_catalog.jsonb) ORDER BY r.nth)
        FROM fhir.lastn_rows(search, max) WITH ORDINALITY r ("group", effective, id, version, last_updated, resource, nth));
    RETURN pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('resourceType', 'Bundle', 'type', 'searchset',
        'total', coalesce(pg_catalog.jsonb_array_length(entries), 0), 'link', pg_catalog.jsonb_build_array(link)))
        OPERATOR(pg_catalog.||) CASE WHEN entries IS NULL THEN '{}' ELSE pg_catalog.jsonb_build_object('entry', entries) END;
END
$function$;
COMMENT ON FUNCTION fhir.lastn(text, integer) IS
    'Observation/$lastn as a Bundle: of what a search finds, the last max of each code, more where the last of them have the same time. The search names a patient or subject, and a category or code: patient=p1&category=vital-signs';

-- Composition/$document: https://hl7.org/fhir/R4/composition-operation-document.html -------------------------------------

CREATE FUNCTION fhir.graph_members(focus text, graph text, most integer) RETURNS TABLE (type text, id text)
    LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED COST 100000 ROWS 20
    AS $function$
#variable_conflict use_variable
DECLARE
    lake text := pg_catalog.quote_ident(fhir.current_lake());
    home text;
    definition jsonb;
    -- resources whose links are still to be followed
    names text[] := ARRAY[focus];
    links jsonb[];
    seen jsonb := '{}';
    at integer := 1;
    resource jsonb;
    link jsonb;
    target jsonb;
    rule jsonb;
    name text;
    path text;
    targets text[];
    count integer := 0;
    holds boolean;
    followed integer;
BEGIN
    EXECUTE pg_catalog.format($q$
        SELECT g.resource FROM %s.graphdefinition g
        WHERE g.resource OPERATOR(pg_catalog.->>) 'url' OPERATOR(pg_catalog.=) pg_catalog.split_part($1, '|', 1)
            AND ($1 OPERATOR(pg_catalog.!~~) '%%|%%' OR g.resource OPERATOR(pg_catalog.->>) 'version' OPERATOR(pg_catalog.=) pg_catalog.split_part($1, '|', 2))
        ORDER BY g.last_updated DESC LIMIT 1$q$, lake) INTO definition USING graph;
    IF definition IS NULL THEN
        RAISE EXCEPTION 'there is no GraphDefinition with that address' USING ERRCODE = 'FH404', HINT = 'It is stored in the lake and named by its url, or url|version.';
    END IF;
    IF definition OPERATOR(pg_catalog.->>) 'start' OPERATOR(pg_catalog.<>) pg_catalog.split_part(focus, '/', 1) THEN
        RAISE EXCEPTION 'the GraphDefinition does not start at a %', pg_catalog.split_part(focus, '/', 1) USING ERRCODE = '22023';
    END IF;
    EXECUTE pg_catalog.format('SELECT r.compartment FROM %s.resource r WHERE r.type OPERATOR(pg_catalog.=) $1 AND r.id OPERATOR(pg_catalog.=) $2', lake)
        INTO home USING pg_catalog.split_part(focus, '/', 1), pg_catalog.split_part(focus, '/', 2);
    links := ARRAY[coalesce(definition OPERATOR(pg_catalog.->) 'link', '[]')];
    WHILE at OPERATOR(pg_catalog.<=) pg_catalog.cardinality(names) LOOP
        EXECUTE pg_catalog.format('SELECT r.resource FROM %s.resource r WHERE r.type OPERATOR(pg_catalog.=) $1 AND r.id OPERATOR(pg_catalog.=) $2', lake)
            INTO resource USING pg_catalog.split_part(names[at], '/', 1), pg_catalog.split_part(names[at], '/', 2);
        FOR link IN SELECT l FROM pg_catalog.jsonb_array_elements(links[at]) l LOOP
            path := link OPERATOR(pg_catalog.->>) 'path';
            followed := 0;
            FOR target IN SELECT t FROM pg_catalog.jsonb_array_elements(coalesce(link OPERATOR(pg_catalog.->) 'target', '[{"type": "Resource"}]')) t LOOP
                IF path IS NOT NULL THEN
                    targets := ARRAY(SELECT r.type OPERATOR(pg_catalog.||) '/' OPERATOR(pg_catalog.||) r.id FROM fhir.references(resource, path) r
                        WHERE target OPERATOR(pg_catalog.->>) 'type' OPERATOR(pg_catalog.=) ANY (ARRAY['Resource', 'DomainResource', r.type]));
                ELSIF target OPERATOR(pg_catalog.->>) 'params' OPERATOR(pg_catalog.~~) '%{ref}%' THEN
                    targets := ARRAY(SELECT r.type OPERATOR(pg_catalog.||) '/' OPERATOR(pg_catalog.||) r.id
                        FROM fhir.search_rows(pg_catalog.concat(target OPERATOR(pg_catalog.->>) 'type', '?',
                            pg_catalog.replace(target OPERATOR(pg_catalog.->>) 'params', '{ref}', names[at]))) r
                        ORDER BY r.type, r.id LIMIT most OPERATOR(pg_catalog.+) 1);
                ELSE
                    RAISE EXCEPTION 'a link of the GraphDefinition has neither a path nor parameters with {ref}' USING ERRCODE = '22023';
                END IF;
                FOREACH name IN ARRAY targets LOOP
                    holds := true;
                    FOR rule IN SELECT c FROM pg_catalog.jsonb_array_elements(coalesce(target OPERATOR(pg_catalog.->) 'compartment', '[]')) c LOOP
                        IF rule OPERATOR(pg_catalog.->>) 'code' OPERATOR(pg_catalog.<>) 'Patient' OR rule OPERATOR(pg_catalog.->>) 'rule' OPERATOR(pg_catalog.=) 'custom' THEN
                            RAISE EXCEPTION 'rules of a GraphDefinition other than of the Patient compartment are not supported' USING ERRCODE = '0A000';
                        END IF;
                        EXECUTE pg_catalog.format($q$
                            SELECT r.search OPERATOR(fhir.|=) fhir.query('_compartment=' OPERATOR(pg_catalog.||) $3) FROM %s.resource r
                            WHERE r.type OPERATOR(pg_catalog.=) $1 AND r.id OPERATOR(pg_catalog.=) $2 AND $3 OPERATOR(pg_catalog.~~) 'Patient/%%'$q$, lake)
                            INTO holds USING pg_catalog.split_part(name, '/', 1), pg_catalog.split_part(name, '/', 2), home;
                        holds := coalesce(holds, false) OPERATOR(pg_catalog.<>) (rule OPERATOR(pg_catalog.->>) 'rule' OPERATOR(pg_catalog.=) 'different');
                        IF NOT holds AND rule OPERATOR(pg_catalog.->>) 'use' OPERATOR(pg_catalog.=) 'requirement' THEN
                            RAISE EXCEPTION '% is not in the compartment that the GraphDefinition requires', name USING ERRCODE = 'FH422';
                        END IF;
                        EXIT WHEN NOT holds;
                    END LOOP;
                    CONTINUE WHEN NOT holds;
                    followed := followed OPERATOR(pg_catalog.+) 1;
                    IF NOT seen OPERATOR(pg_catalog.?) name AND name OPERATOR(pg_catalog.<>) focus THEN
                        type := pg_catalog.split_part(name, '/', 1);
                        id := pg_catalog.split_part(name, '/', 2);
                        RETURN NEXT;
                        seen := seen OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object(name, true);
                        count := count OPERATOR(pg_catalog.+) 1;
                    END IF;
                    IF target OPERATOR(pg_catalog.?) 'link' THEN
                        names := names OPERATOR(pg_catalog.||) name;
                        links := links OPERATOR(pg_catalog.||) (target OPERATOR(pg_catalog.->) 'link');
                    END IF;
                    IF pg_catalog.cardinality(names) OPERATOR(pg_catalog.>) most OR count OPERATOR(pg_catalog.>) most THEN
                        RAISE EXCEPTION 'the GraphDefinition leads to more than % resources', most USING ERRCODE = '54000';
                    END IF;
                END LOOP;
            END LOOP;
            IF followed OPERATOR(pg_catalog.<) coalesce((link OPERATOR(pg_catalog.->>) 'min')::integer, 0)
                OR link OPERATOR(pg_catalog.->>) 'max' OPERATOR(pg_catalog.<>) '*' AND followed OPERATOR(pg_catalog.>) (link OPERATOR(pg_catalog.->>) 'max')::integer THEN
                RAISE EXCEPTION '% has % of what the GraphDefinition wants % to % of', names[at], followed,
                        coalesce(link OPERATOR(pg_catalog.->>) 'min', '0'), coalesce(link OPERATOR(pg_catalog.->>) 'max', '*')
                    USING ERRCODE = 'FH422', DETAIL = pg_catalog.concat('the link ', coalesce(path, link OPERATOR(pg_catalog.->>) 'description'));
            END IF;
        END LOOP;
        at := at OPERATOR(pg_catalog.+) 1;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION fhir.graph_members(text, text, integer) IS
    'the resources that a stored GraphDefinition, named by url or url|version, adds to the one that it starts at, given as Type/id. Raises FH404 if there is none, FH422 where a link has fewer or more than it must or a required compartment differs, 54000 beyond so many';

CREATE FUNCTION fhir.document(id text, persist boolean DEFAULT false, base text DEFAULT '', graph text DEFAULT NULL) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000
    AS $function$
DECLARE
    most CONSTANT integer := 10000;
    composition jsonb;
    types text[];
    ids text[];
    missing text[];
    entries jsonb;
    document jsonb;
    prefix text := CASE WHEN coalesce(base, '') OPERATOR(pg_catalog.=) '' THEN '' ELSE pg_catalog.rtrim(base, '/') OPERATOR(pg_catalog.||) '/' END;
BEGIN
    IF id IS NULL THEN
        RAISE EXCEPTION 'no Composition is named' USING ERRCODE = '22023', HINT = 'Give its id.';
    END IF;
    composition := fhir.read('Composition', id);
    SELECT pg_catalog.array_agg(r.type ORDER BY r.n), pg_catalog.array_agg(r.id ORDER BY r.n) INTO types, ids
        FROM fhir.references(composition) WITH ORDINALITY r (type, id, n)
        WHERE NOT (r.type OPERATOR(pg_catalog.=) 'Composition' AND r.id OPERATOR(pg_catalog.=) document.id);
    IF graph IS NOT NULL THEN
        SELECT types OPERATOR(pg_catalog.||) pg_catalog.array_agg(g.type), ids OPERATOR(pg_catalog.||) pg_catalog.array_agg(g.id) INTO types, ids
            FROM fhir.graph_members('Composition/' OPERATOR(pg_catalog.||) document.id, graph, most) g
            WHERE NOT EXISTS (SELECT FROM ROWS FROM (pg_catalog.unnest(types), pg_catalog.unnest(ids)) k (type, id)
                    WHERE k.type OPERATOR(pg_catalog.=) g.type AND k.id OPERATOR(pg_catalog.=) g.id);
    END IF;
    IF pg_catalog.cardinality(ids) OPERATOR(pg_catalog.>) most THEN
        RAISE EXCEPTION 'the Composition references more than % resources', most USING ERRCODE = '54000';
    END IF;
    EXECUTE pg_catalog.format($q$
        SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('fullUrl', pg_catalog.concat($3, w.type, '/', w.id), 'resource', s.resource) ORDER BY w.n),
            pg_catalog.array_agg(pg_catalog.concat(w.type, '/', w.id) ORDER BY w.n) FILTER (WHERE s.resource IS NULL)
        FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) WITH ORDINALITY w (type, id, n)
        LEFT JOIN LATERAL (SELECT r.resource FROM %I.resource r
            WHERE r.type OPERATOR(pg_catalog.=) w.type AND r.id OPERATOR(pg_catalog.=) w.id) s ON true$q$, fhir.current_lake())
        INTO entries, missing USING types, ids, prefix;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'the Composition references % that % not there', pg_catalog.array_to_string(missing[1:10], ', '),
                CASE WHEN pg_catalog.cardinality(missing) OPERATOR(pg_catalog.=) 1 THEN 'is' ELSE 'are' END
            USING ERRCODE = 'FH404', HINT = 'A document holds all that its Composition references: store it, or take the reference away.';
    END IF;
    document := pg_catalog.jsonb_build_object(
        'resourceType', 'Bundle',
        'type', 'document',
        'identifier', pg_catalog.jsonb_build_object('system', 'urn:ietf:rfc:3986', 'value', 'urn:uuid:' OPERATOR(pg_catalog.||) pg_catalog.gen_random_uuid()::text),
        'timestamp', pg_catalog.to_char(pg_catalog.clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'entry', pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object('fullUrl', pg_catalog.concat(prefix, 'Composition/', id), 'resource', composition))
            OPERATOR(pg_catalog.||) coalesce(entries, '[]'));
    IF persist THEN
        document := fhir.create(document);
    END IF;
    RETURN document;
END
$function$;
COMMENT ON FUNCTION fhir.document(text, boolean, text, text) IS
    'Composition/$document: the Composition and every resource that it references, as a Bundle of type document. persist: stores it, under the id that it then has. base: what stands before the addresses. graph: the canonical address of a GraphDefinition that tells what else it holds. Raises FH404 if one of them is not there; references to other servers stay references';
