// Searches of a lake with what is expected of each: {test, kind: 'rows' | 'pages', q, check(answer) → '' or what is wrong}.
import { readFileSync } from 'node:fs';
import { cmp } from './definitions.mjs';
import { write } from './lake.mjs';
import { copyIn, psql } from './psql.mjs';
import { candidates, hash } from './queries.mjs';

const SAMPLE = 14;

export class Asked {
  constructor(lake) {
    this.lake = lake;
    this.queries = [];
    this.seen = new Set();
    this.made = new Map();
  }

  /** `may` is an error that is as right as an answer. */
  ask(test, kind, q, check, may) {
    if (this.seen.has(`${kind} ${q}`)) return;
    this.seen.add(`${kind} ${q}`);
    this.queries.push({ test, kind, q, check: (answer) => verdict(answer, check, may) });
  }

  /** A search for a set: `names` are Type/id. */
  names(test, q, names) {
    this.ask(test, 'rows', q, (got) => difference([...names].sort(cmp), got.sort(cmp)));
  }

  /** A search of one type, written from its tree. */
  rows(test, type, node, prefix = '') {
    this.names(test, `${prefix}${type}?${write(node)}`, [...this.lake.find(type, node)].map((id) => `${type}/${id}`));
  }

  /** Pages of matches and what comes along; `check` gets [[mode, name, lastUpdated]] of each. */
  pages(test, q, check) {
    this.ask(test, 'pages', q, check);
  }

  /** Terms of a type's parameters on values of the data, in an order that does not change. Those that hang on a reading are left out. */
  terms(type) {
    if (!this.made.has(type)) {
      const { lake } = this;
      const rows = lake.rows(type).map((row, i) => ({ row, i })).sort((a, b) => hash(a.row.id) - hash(b.row.id)).slice(0, SAMPLE);
      const terms = lake.parametersOf(type).filter((p) => p.code !== '_lastUpdated' && p.kind !== 'special').flatMap((pair) => {
        const sample = rows.map(({ i }) => ({ facts: lake.facts(type, pair.code)[i] }));
        if (!sample.some(({ facts }) => facts.present)) return [];
        const some = candidates(pair, sample).sort((a, b) => hash(JSON.stringify(a.term.alternatives)) - hash(JSON.stringify(b.term.alternatives)));
        return some.slice(0, 5).map(({ term }) => term).filter((term) => !lake.isChoice(type, term));
      });
      this.made.set(type, terms.sort((a, b) => hash(write({ term: a }) + type) - hash(write({ term: b }) + type)));
    }
    return this.made.get(type);
  }

  /** Some of them: first those that find something, one of each parameter before a second. `salt` picks others. */
  some(type, n, salt = '') {
    const turn = new Map();
    const order = this.terms(type).map((term) => {
      const nth = (turn.get(term.code) ?? 0) + 1;
      turn.set(term.code, nth);
      return { term, nth, h: hash(salt + term.code) };
    });
    return order.sort((a, b) => a.nth - b.nth || a.h - b.h).slice(0, n).map(({ term }) => ({ term }));
  }

  /** Every [type, code, target] by which resources of the lake point at others. */
  edges() {
    if (!this.allEdges) {
      const { lake } = this;
      this.allEdges = lake.types.flatMap((type) =>
        lake.parametersOf(type).filter((p) => p.kind === 'reference').flatMap(({ code }) => {
          const targets = new Set(lake.links(type, code).filter(([, target, id]) => lake.byName.has(`${target}/${id}`)).map(([, target]) => target));
          return [...targets].sort().map((target) => ({ type, code, target }));
        }),
      );
    }
    return this.allEdges;
  }
}

function verdict(answer, check, may) {
  if (!answer) return 'no answer';
  if (answer.error) return may?.test(answer.error) ? '' : answer.error;
  return check(answer.answer);
}

/** '' or how two sorted lists of names differ. */
export function difference(want, got) {
  if (JSON.stringify(want) === JSON.stringify(got)) return '';
  const [w, g] = [new Set(want), new Set(got)];
  const show = (names) => `${names.slice(0, 3).join(' ')}${names.length > 3 ? ` … (${names.length})` : ''}`;
  const missing = want.filter((name) => !g.has(name));
  const extra = got.filter((name) => !w.has(name));
  const twice = got.length > g.size ? `; ${got.length - g.size} twice` : '';
  return `expected ${want.length}, got ${got.length}${missing.length ? `; missing ${show(missing)}` : ''}${extra.length ? `; too many ${show(extra)}` : ''}${twice}`;
}

/** Makes a lake of these resources; returns those that are valid, and so are in it. */
export function load(name, resources) {
  const script = `SET client_min_messages = warning;
SELECT fhir.drop_lake('${name}', true) WHERE '${name}' IN (SELECT lake FROM fhir.lakes());
SELECT fhir.create_lake('${name}');
SET fhir.lake = '${name}';
CREATE TEMP TABLE loading (type text, doc jsonb);
${copyIn('loading', resources.map((r) => [r.resourceType, JSON.stringify(r)]))}
DO $$
DECLARE
  t text;
BEGIN
  FOR t IN SELECT DISTINCT type FROM loading LOOP
    EXECUTE format('INSERT INTO %s (resource) SELECT doc FROM loading WHERE type = %L AND fhir.is_valid(doc)', fhir.table_of(t), t);
  END LOOP;
END $$;
ANALYZE;
SELECT json_build_object('rejected', type || '/' || (doc->>'id')) FROM loading WHERE NOT fhir.is_valid(doc);
`;
  const rejected = new Set(psql(script, name).map((line) => line.rejected));
  if (rejected.size) console.log(`not valid, so not in the lake: ${[...rejected].join(' ')}`);
  return resources.filter((r) => !rejected.has(`${r.resourceType}/${r.id}`));
}

/** Asks the lake and returns the answers, in order. */
export function answersOf(name, queries) {
  const [before, after] = readFileSync(new URL('../chains.sql', import.meta.url), 'utf8').split('-- queries\n');
  const script = `SET fhir.lake = '${name}';\n${before}${copyIn('pg_temp.query', queries.map(({ kind, q }, n) => [String(n), kind, q]))}${after}`;
  return psql(script, name).filter((a) => a.n !== undefined);
}
