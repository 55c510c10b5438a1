-- The objects of the extension, a line for all that an upgrade could get wrong about one.
WITH member AS (
    SELECT d.classid, d.objid, i.type, i.identity
    FROM pg_depend d, LATERAL pg_identify_object(d.classid, d.objid, 0) i
    WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'fhirlake')
)
SELECT line FROM (
    SELECT format('%s %s: %s', type, identity, coalesce(obj_description(objid, classid::regclass::text), 'no comment')) AS line FROM member
    UNION ALL SELECT format('%s %s: %s, rights %s, strict %s, support %s', type, identity, regexp_replace(pg_get_functiondef(p.oid), '\s+', ' ', 'g'), p.proacl, p.proisstrict, p.prosupport)
        FROM member JOIN pg_proc p ON p.oid = objid WHERE classid = 'pg_proc'::regclass
    UNION ALL SELECT format('%s %s: %s %s %s %s %s %s %s %s base %s not null %s default %s rights %s', type, identity, t.typtype, t.typlen, t.typalign, t.typstorage,
            t.typinput, t.typoutput, t.typreceive, t.typsend, format_type(t.typbasetype, t.typtypmod), t.typnotnull, t.typdefault, t.typacl)
        FROM member JOIN pg_type t ON t.oid = objid WHERE classid = 'pg_type'::regclass
    UNION ALL SELECT format('%s %s: constraint %s %s', type, identity, c.conname, pg_get_constraintdef(c.oid))
        FROM member JOIN pg_constraint c ON c.contypid = objid WHERE classid = 'pg_type'::regclass
    UNION ALL SELECT format('%s %s: %s restrict %s join %s commutator %s negator %s', type, identity, o.oprcode, o.oprrest, o.oprjoin, o.oprcom::regoper, o.oprnegate::regoper)
        FROM member JOIN pg_operator o ON o.oid = objid WHERE classid = 'pg_operator'::regclass
    UNION ALL SELECT format('%s %s: %s for %s default %s keys %s', type, identity, o.opcmethod, o.opcintype::regtype, o.opcdefault, o.opckeytype::regtype)
        FROM member JOIN pg_opclass o ON o.oid = objid WHERE classid = 'pg_opclass'::regclass
    UNION ALL SELECT format('%s %s: operator %s %s', type, identity, a.amopstrategy, a.amopopr::regoperator)
        FROM member JOIN pg_amop a ON a.amopfamily = objid WHERE classid = 'pg_opfamily'::regclass
    UNION ALL SELECT format('%s %s: function %s %s', type, identity, a.amprocnum, a.amproc::regprocedure)
        FROM member JOIN pg_amproc a ON a.amprocfamily = objid WHERE classid = 'pg_opfamily'::regclass
    UNION ALL SELECT format('%s %s: %s by %s %s', type, identity, c.castcontext, c.castfunc::regprocedure, c.castmethod)
        FROM member JOIN pg_cast c ON c.oid = objid WHERE classid = 'pg_cast'::regclass
    UNION ALL SELECT format('schema %s: %s, rights %s', nspname, obj_description(oid, 'pg_namespace'), nspacl) FROM pg_namespace WHERE nspname = 'fhir'
    UNION ALL SELECT format('extension: version %s, schema %s, relocatable %s', extversion, extnamespace::regnamespace, extrelocatable) FROM pg_extension WHERE extname = 'fhirlake'
) l ORDER BY line COLLATE "C";
