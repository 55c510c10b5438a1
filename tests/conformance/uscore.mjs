// Every search of the US Core matrices on values that the data holds: each hit matches and each known match is found.
//   PSQL="psql -h /tmp -d db" node tests/conformance/uscore.mjs [--keep]      --keep: the lake is loaded already
// One test is one search of one profile and version, with all its spellings: comparators, several values, id and Type/id, code and
// system|code; further tests are the includes, reverse includes and chains of a profile.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { answersOf, difference, load } from './oracle/asked.mjs';
import { cmp, Definitions } from './oracle/definitions.mjs';
import { included, Lake, write } from './oracle/lake.mjs';
import { cache, dataJson, definitions, packageResources, tarLines } from './oracle/package.mjs';
import { main } from './oracle/psql.mjs';
import { hash } from './oracle/queries.mjs';

const VERSIONS = ['3.1.1', '6.1.0', '8.0.0'];
const EXAMPLES_PER_SEARCH = 3;
const file = (version) => `uscore/us_core_${version.replaceAll('.', '')}.tgz`;

/** Examples of the packages, and Synthea's patients, who conform to US Core 3.1.1. A later version's example takes the place of an earlier. */
function resources() {
  const all = tarLines('data/small.tgz');
  for (const version of VERSIONS) all.push(...packageResources(file(version), /^package\/example\/[^/]*\.json$/));
  const whole = all.filter((r) => r.resourceType && r.id && r.resourceType !== 'Bundle');
  const merged = [...new Map(whole.map((r) => [`${r.resourceType}/${r.id}`, r])).values()];
  return [...merged, ...made(merged)];
}

/** What none of the data holds: a PractitionerRole with all that is asked of it, and a Provenance of each type without one. */
function made(all) {
  const reference = (type, n = 0) => ({ reference: `${type}/${all.filter((r) => r.resourceType === type).sort((a, b) => hash(a.id) - hash(b.id))[n].id}` });
  const role = {
    resourceType: 'PractitionerRole', id: 'made-role', practitioner: reference('Practitioner'), endpoint: [{ reference: 'Endpoint/made-endpoint' }],
    specialty: [{ coding: [{ system: 'http://nucc.org/provider-taxonomy', code: '208D00000X', display: 'General Practice Physician' }] }],
  };
  const endpoint = {
    resourceType: 'Endpoint', id: 'made-endpoint', status: 'active', address: 'https://example.org/endpoint', payloadType: [{ text: 'any' }],
    connectionType: { system: 'http://terminology.hl7.org/CodeSystem/endpoint-connection-type', code: 'hl7-fhir-rest' },
  };
  const team = { resourceType: 'CareTeam', id: 'made-team', status: 'active', subject: reference('Patient'), participant: [{ member: { reference: 'PractitionerRole/made-role' } }] };
  const dispense = {
    resourceType: 'MedicationDispense', id: 'made-dispense', status: 'completed', subject: reference('Patient'), medicationReference: reference('Medication'),
  };
  const targets = new Set(all.filter((r) => r.resourceType === 'Provenance').flatMap((p) => p.target.map((t) => t.reference.split('/')[0])));
  const bare = [...new Set(all.map((r) => r.resourceType))].filter((type) => !targets.has(type));
  const provenance = {
    resourceType: 'Provenance', id: 'made-provenance', target: bare.map((type) => reference(type)), recorded: '2024-01-01T00:00:00Z',
    agent: [{ who: reference('Organization') }],
  };
  return [role, endpoint, team, dispense, provenance];
}

/** US Core's own search parameters: those that R4 does not have. */
function ownParameters(known) {
  const own = new Map();
  for (const version of VERSIONS) {
    for (const p of packageResources(file(version), /\/SearchParameter-[^/]*\.json$/)) {
      if (p.base.some((type) => !known.has(`${type} ${p.code}`))) own.set(p.id, p);
    }
  }
  return [...own.values()];
}

// --- terms from the values of a resource -----------------------------------------------------------------------------

/** The ways to ask for one value of a parameter: [[what, term]]. */
function spellings(lake, type, code, i, demanded) {
  const pair = lake.parameter(type, code);
  const term = (...alternatives) => ({ term: { kind: pair.kind, code, modifier: '', targets: pair.targets, alternatives } });
  const value = lake.facts(type, code)[i].values.find((v) => usable(pair.kind, v));
  if (!value) return [];
  const other = lake.facts(type, code).flatMap((f) => f.values).find((v) => usable(pair.kind, v) && plain(pair.kind, v) !== plain(pair.kind, value));
  const list = [];
  switch (pair.kind) {
    case 'token':
      list.push(['value', term({ code: value.code })]);
      if (value.system !== undefined) list.push(['system|code', term({ code: value.code, system: value.system })]);
      if (wanted(demanded.multiple_or) && other) list.push(['two values', term({ code: value.code }, { code: other.code })]);
      break;
    case 'reference':
      list.push(['value', term(value.id === undefined || value.canonical ? { url: value.url } : { type: value.type, id: value.id })]);
      if (value.id !== undefined && !value.canonical) list.push(['id alone', term({ id: value.id })]);
      break;
    case 'string':
      list.push(['value', term({ text: value })], ['beginning', term({ text: value.slice(0, 3).trim() })]);
      break;
    case 'date': {
      const text = value.texts[0];
      list.push(['value', term({ prefix: '', text })], ['day', term({ prefix: '', text: text.slice(0, 10) })]);
      for (const [prefix, expectation] of Object.entries(demanded.comparators ?? {})) {
        if (!wanted(expectation)) continue;
        const around = { gt: -1, ge: -1, lt: 1, le: 1 }[prefix] ?? 0;
        const year = String(Number(text.slice(0, 4)) + around);
        list.push([prefix, term({ prefix, text })], [`${prefix}, year`, term({ prefix, text: year })]);
      }
      break;
    }
    default:
      list.push(['value', term({ text: value })]);
  }
  return list;
}

const wanted = (expectation) => expectation === 'SHALL' || expectation === 'SHOULD';
const usable = (kind, v) => (kind === 'token' ? v.code !== undefined && v.code !== '' : kind === 'reference' ? !v.local : kind === 'string' ? v.trim().length > 1 : true);
const plain = (kind, v) => (kind === 'token' ? v.code : JSON.stringify(v, (_, x) => (typeof x === 'bigint' ? String(x) : x)));

// --- the tests -------------------------------------------------------------------------------------------------------

/** Rows of a type, those that claim the profile first. */
function candidates(lake, type, profile) {
  return lake.rows(type).map((row, i) => ({ row, i, claims: (row.meta?.profile ?? []).some((p) => p.split('|')[0] === profile) }))
    .sort((a, b) => b.claims - a.claims || hash(a.row.id) - hash(b.row.id));
}

function* tests(lake) {
  for (const version of VERSIONS) {
    for (const profile of dataJson(`uscore/uscore-searches-v${version}.json`)) {
      const name = profile.profile_url.split('/').at(-1);
      for (const search of profile.searches.filter((s) => wanted(s.expectation))) {
        yield { version, expectation: search.expectation, name: `${name}: ${search.names.join(' + ')}`, queries: [...searchQueries(lake, profile, search)] };
      }
      for (const [what, list] of [['include', profile.include_params], ['revinclude', profile.revincludes]]) {
        for (const rule of list ?? []) yield { version, expectation: `${what}s`, name: `${name}: _${what}=${rule}`, queries: [...includeQueries(lake, profile, what, rule)] };
      }
      for (const [code, definition] of Object.entries(profile.search_definitions)) {
        for (const { chain, expectation } of definition.chain ?? []) {
          if (wanted(expectation)) yield { version, expectation: 'chains', name: `${name}: ${code}.${chain}`, queries: [...chainQueries(lake, profile, code, chain)] };
        }
      }
    }
  }
}

function* searchQueries(lake, profile, search) {
  const type = profile.resource;
  // _lastUpdated is the lake's own; what can be known is that all was stored in this century
  const names = search.names.filter((code) => code !== '_lastUpdated');
  if (names.some((code) => !lake.parameter(type, code))) return yield { q: `${type}?${search.names.join('=…&')}=…`, want: null };
  let taken = 0;
  for (const { i } of candidates(lake, type, profile.profile_url)) {
    const ways = names.map((code) => spellings(lake, type, code, i, profile.search_definitions[code] ?? {}));
    if (ways.some((w) => !w.length)) continue;
    const first = ways.map((w) => w[0][1]);
    const terms = [first, ...ways.flatMap((w, n) => w.slice(1).map(([, term]) => first.map((f, m) => (m === n ? term : f))))];
    for (const and of terms) {
      const ids = [...lake.find(type, { and })];
      if (!search.names.includes('_lastUpdated')) yield rows(type, write({ and }), ids);
      else {
        yield rows(type, `${write({ and })}&_lastUpdated=ge2001-01-01`, ids);
        yield rows(type, `${write({ and })}&_lastUpdated=lt2001-01-01`, []);
        yield rows(type, `${write({ and })}&_lastUpdated=gt2001-01-01&_lastUpdated=le2999`, ids);
      }
    }
    if (++taken === EXAMPLES_PER_SEARCH) return;
  }
}

const rows = (type, text, ids) => ({ kind: 'rows', q: `${type}?${text}`, want: ids.map((id) => `${type}/${id}`).sort(cmp) });

function* includeQueries(lake, profile, what, written) {
  const type = profile.resource;
  const [source, code, target] = written.split(':');
  const rule = { type: source, code, target, reverse: what === 'revinclude', iterate: false };
  let taken = 0;
  for (const { row } of candidates(lake, type, profile.profile_url)) {
    const along = included(lake, [rule], [`${type}/${row.id}`]);
    if (!along.size) continue;
    yield { kind: 'pages', q: `${type}?_id=${row.id}&_${what}=${written}`, want: [`match ${type}/${row.id}`, ...[...along].map((name) => `include ${name}`)].sort(cmp) };
    if (++taken === EXAMPLES_PER_SEARCH) return;
  }
}

function* chainQueries(lake, profile, code, chain) {
  const type = profile.resource;
  for (const [, target, id] of lake.links(type, code).slice(0, EXAMPLES_PER_SEARCH)) {
    const at = lake.rows(target).findIndex((r) => r.id === id);
    if (at < 0 || !lake.parameter(target, chain)) continue;
    for (const [, inner] of spellings(lake, target, chain, at, {})) {
      for (const named of [undefined, target]) {
        const node = { chain: code, named, inner };
        yield rows(type, write(node), [...lake.find(type, node)]);
      }
    }
  }
}

/** '' or what is wrong with one answer. */
function problem({ kind, want }, answer) {
  if (want === null) return 'no such search parameter';
  if (!answer) return 'no answer';
  if (answer.error) return answer.error;
  const got = kind === 'rows' ? answer.answer : answer.answer.flat().map(([mode, name]) => `${mode} ${name}`);
  return difference(want, got.sort(cmp));
}

function run(args) {
  const defs = new Definitions(definitions());
  const own = ownParameters(new Set(defs.pairs().map((p) => `${p.type} ${p.code}`)));
  defs.searchParameters.push(...own);
  const rowsOf = args.includes('--keep') ? resources() : load('uscore', [...resources(), ...own]).filter((r) => r.resourceType !== 'SearchParameter');
  const lake = new Lake(defs, rowsOf);
  const all = [...tests(lake)];
  const queries = [...new Map(all.flatMap((t) => t.queries).filter((q) => q.want).map((q) => [q.q, q])).values()];
  const started = Date.now();
  const answers = answersOf('uscore', queries);
  const byQuery = new Map(queries.map(({ q }, n) => [q, answers[n]]));
  console.log(`${rowsOf.length} resources, ${own.length} search parameters of US Core, ${queries.length} searches, ${((Date.now() - started) / 1000).toFixed(1)} s`);
  return report(all, byQuery);
}

function report(all, byQuery) {
  let [passed, failed, skipped] = [0, 0, 0];
  const wrong = [];
  for (const version of VERSIONS) {
    const parts = [];
    const without = [];
    for (const expectation of ['SHALL', 'SHOULD', 'includes', 'revincludes', 'chains']) {
      const some = all.filter((t) => t.version === version && t.expectation === expectation);
      const known = some.filter((t) => t.queries.length);
      without.push(...some.filter((t) => !t.queries.length).map((t) => `${expectation} ${t.name}`));
      const bad = known.filter((t) => {
        const problems = t.queries.map((q) => ({ q: q.q, what: problem(q, byQuery.get(q.q)) })).filter((p) => p.what);
        if (problems.length) wrong.push({ version, test: t.name, problems });
        return problems.length;
      });
      passed += known.length - bad.length;
      failed += bad.length;
      skipped += some.length - known.length;
      if (some.length) parts.push(`${expectation} ${known.length - bad.length}/${some.length}`);
    }
    console.log(`US Core ${version}: ${parts.join(', ')}${without.length ? `; ${without.length} without a value in the data:` : ''}`);
    for (const name of without) console.log(`  skip: ${name}`);
  }
  for (const { version, test, problems } of wrong.slice(0, 40)) {
    console.log(`\n  ${version} ${test}: ${problems.length} wrong`);
    for (const { q, what } of problems.slice(0, 2)) console.log(`    ${q}\n      ${what}`);
  }
  writeFileSync(join(cache, 'uscore-differences.ndjson'), wrong.map((w) => `${JSON.stringify(w)}\n`).join(''));
  console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
  return failed ? 1 : 0;
}

main(run);
