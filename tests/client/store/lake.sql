-- What fhir.create_lake makes, a line for each part. The lake is :lake.
WITH relation AS (SELECT c.*, c.oid::regclass::text AS name FROM pg_class c WHERE c.relnamespace = (:'lake')::regnamespace)
SELECT line FROM (
    SELECT format('schema %s: %s, rights %s', nspname, obj_description(oid, 'pg_namespace'), nspacl) AS line FROM pg_namespace WHERE nspname = :'lake'
    UNION ALL SELECT format('%s: kind %s, options %s, security %s %s, rights %s, partition %s, identity %s, %s', name, relkind, reloptions, relrowsecurity, relforcerowsecurity, relacl,
            pg_get_expr(relpartbound, oid), relreplident, obj_description(oid, 'pg_class')) FROM relation
    UNION ALL SELECT format('%s.%s: %s %s not null %s default %s identity %s storage %s compression %s statistics %s, %s', r.name, a.attname, format_type(a.atttypid, a.atttypmod), a.attcollation::regcollation, a.attnotnull,
            pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attstorage, a.attcompression, a.attstattarget, col_description(r.oid, a.attnum))
        FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
        WHERE r.relkind IN ('r', 'p')
    UNION ALL SELECT format('index %s valid %s', pg_get_indexdef(i.indexrelid), i.indisvalid) FROM relation r JOIN pg_index i ON i.indrelid = r.oid
    UNION ALL SELECT format('%s: constraint %s %s', r.name, c.conname, pg_get_constraintdef(c.oid)) FROM relation r JOIN pg_constraint c ON c.conrelid = r.oid
    UNION ALL SELECT format('%s, enabled %s', pg_get_triggerdef(t.oid), t.tgenabled) FROM relation r JOIN pg_trigger t ON t.tgrelid = r.oid
        WHERE NOT t.tgisinternal
    UNION ALL SELECT format('%s: policy %s %s %s %s', r.name, p.polname, p.polcmd, pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) FROM relation r JOIN pg_policy p ON p.polrelid = r.oid
) l ORDER BY line COLLATE "C";
