// Writes target/oracle/expected.ndjson: one query a line with the resources it must find.
//   node tests/conformance/oracle/expected.mjs
import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cmp, Definitions } from './definitions.mjs';
import { matches, READINGS } from './evaluate.mjs';
import { Extractor } from './extract.mjs';
import { facts } from './facts.mjs';
import { cache, definitions, examples, Skip } from './package.mjs';
import { candidates, hash, spell } from './queries.mjs';

export const EXPECTED = join(cache, 'expected.ndjson');
const AND_PER_TYPE = 60;

/** `Type/id`; `-` stands for a missing id. Two examples share their id, so answers are lists, not sets. */
const name = (resource) => `${resource.resourceType}/${resource.id ?? '-'}`;

/** Yields {q, ids, test, kind, modifier, label, choice?}. */
export function* expected() {
  const defs = new Definitions(definitions());
  const resources = new Map();
  for (const r of examples()) resources.set(r.resourceType, [...(resources.get(r.resourceType) ?? []), r]);
  const extractor = new Extractor();
  let type = null;
  let ofType = [];
  for (const pair of defs.pairs()) {
    if (pair.type !== type) {
      yield* ands(type, ofType);
      [type, ofType] = [pair.type, []];
    }
    const rows = (resources.get(pair.type) ?? []).map((resource) => ({
      name: name(resource),
      facts: facts(pair, extractor.nodes(pair.expression, resource), resource, defs, extractor),
    }));
    const terms = candidates(pair, rows);
    ofType.push({ pair, rows, terms });
    for (const { term, label } of terms) {
      const ids = answer(rows, (row) => matches(term, row.facts));
      const line = {
        q: `${pair.type}?${spell(term)}`,
        ids,
        test: `${pair.type}.${pair.code}`,
        kind: pair.kind,
        modifier: term.modifier || term.alternatives[0].prefix || '',
        label,
      };
      const choice = READINGS[pair.kind].find((reading) => differs(rows, term, reading));
      if (choice === 'ucum-unsure') continue;
      if (choice) line.choice = choice;
      yield line;
    }
  }
  yield* ands(type, ofType);
}

function differs(rows, term, reading) {
  return rows.some((row) => matches(term, row.facts) !== matches(term, row.facts, reading));
}

function answer(rows, test) {
  return rows.filter(test).map((row) => row.name).sort(cmp);
}

/** Pairs of terms of one type: of every two parameters some that find a resource together and one that finds none, and two values of one. */
function* ands(type, ofType) {
  const made = new Set();
  const line = (a, b) => {
    const q = `${type}?${spell(a.term)}&${spell(b.term)}`;
    if (made.has(q)) return [];
    made.add(q);
    const ids = a.rows.filter((_, n) => a.hits[n] && b.hits[n]).map((row) => row.name).sort(cmp);
    const modifier = [a.term.modifier, b.term.modifier].filter(Boolean).join(' ');
    return [{ q, ids, test: `${type}.and`, kind: 'and', modifier, label: ids.length ? 'and' : 'and, none' }];
  };
  const together = (a) => (b) => a !== b && b.hits.some((hit, n) => hit && a.hits[n]);
  const pools = ofType.filter(({ pair }) => !pair.code.startsWith('_')).map(findingTerms).filter((pool) => pool.length);
  for (const pool of pools) {
    const partner = pool.slice(1).find(together(pool[0]));
    if (partner) yield* line(pool[0], partner);
  }
  const couples = pools.flatMap((a, i) => pools.slice(i + 1).map((b) => [a, b]));
  couples.sort(([a, b], [c, d]) => hash(spell(a[0].term) + spell(b[0].term)) - hash(spell(c[0].term) + spell(d[0].term)));
  for (const [first, second] of couples) {
    if (made.size >= AND_PER_TYPE) return;
    for (const a of first.slice(0, 2)) {
      const hit = second.find(together(a));
      if (hit) yield* line(a, hit);
    }
    const miss = second.find((b) => !together(first[0])(b));
    if (miss) yield* line(first[0], miss);
  }
}

/** Some terms of a parameter that find something, with and without modifiers, and what they find. */
function findingTerms({ rows, terms }) {
  const mixed = terms.filter(({ term }) => term.modifier !== 'missing' && !differs(rows, term, 'ucum-unsure')).sort((a, b) => hash(spell(a.term)) - hash(spell(b.term)));
  const found = [];
  for (const { term } of mixed) {
    const hits = rows.map((row) => matches(term, row.facts));
    if (hits.includes(true)) found.push({ term, rows, hits });
    if (found.length === 8) break;
  }
  return found;
}

/** Writes the file and returns its lines. */
export function write() {
  mkdirSync(cache, { recursive: true });
  const lines = [...expected()];
  const file = createWriteStream(EXPECTED);
  for (const line of lines) file.write(`${JSON.stringify(line)}\n`);
  file.end();
  return lines;
}

function report(lines) {
  const count = (key) => {
    const counts = new Map();
    for (const line of lines) counts.set(key(line), (counts.get(key(line)) ?? 0) + 1);
    return [...counts].sort((a, b) => cmp(a[0], b[0])).map(([k, n]) => `  ${k}: ${n}`).join('\n');
  };
  console.log(`${lines.length} queries, ${new Set(lines.map((l) => l.test)).size} tests, ${lines.filter((l) => l.ids.length).length} with answers → ${EXPECTED}`);
  console.log(`by parameter type\n${count((l) => l.kind)}`);
  console.log(`by parameter type and modifier or prefix\n${count((l) => `${l.kind} ${l.modifier || '(none)'}`)}`);
  console.log(`hanging on a choice (README.md)\n${count((l) => l.choice ?? '(none)')}`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    report(write());
  } catch (error) {
    if (!(error instanceof Skip)) throw error;
    console.log(`skipped: ${error.message}`);
  }
}
