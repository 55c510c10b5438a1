// Asks a lake of Synthea patients for chains, _has, includes, orders, pages, lists, compartments, several types and _filter, and compares
// with a slow evaluator over the same resources (oracle/lake.mjs).
//   PSQL="psql -h /tmp -d db" node tests/conformance/chains.mjs [--keep] [--all] [regular expression over test names]
// --keep: the lake is loaded already; --all: all patients and more queries. What is asked is the same in every run.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { answersOf, Asked, load } from './oracle/asked.mjs';
import { chainQueries } from './oracle/chain-queries.mjs';
import { Definitions } from './oracle/definitions.mjs';
import { Lake } from './oracle/lake.mjs';
import { cache, definitions, tarLines, xzLines } from './oracle/package.mjs';
import { main } from './oracle/psql.mjs';
import { pageQueries } from './oracle/page-queries.mjs';
import { hash } from './oracle/queries.mjs';

const PATIENTS = 24;
const SHOWN = 25;

/** The resources of some Synthea patients with all that is shared, those of small.tgz, and Lists made here. */
function resources(all) {
  const synthea = xzLines('data/synthea-100.ndjson.xz');
  const small = tarLines('data/small.tgz');
  const patients = synthea.filter((r) => r.resourceType === 'Patient').sort((a, b) => hash(a.id) - hash(b.id));
  const chosen = new Set(patients.slice(0, all ? patients.length : PATIENTS).map((p) => `Patient/${p.id}`));
  const taken = synthea.filter((r) => {
    if (r.resourceType === 'Patient') return chosen.has(`Patient/${r.id}`);
    const subject = (r.subject ?? r.patient)?.reference;
    return subject === undefined || chosen.has(subject);
  });
  const merged = new Map([...taken, ...small].map((r) => [`${r.resourceType}/${r.id}`, r]));
  const names = [...merged.keys()].sort((a, b) => hash(a) - hash(b));
  const list = (id, items) => ({ resourceType: 'List', id, status: 'current', mode: 'working', ...(items.length && { entry: items.map((reference) => ({ item: { reference } })) }) });
  const of = (type, n) => names.filter((name) => name.startsWith(`${type}/`)).slice(0, n);
  const lists = [
    list('patients', of('Patient', 7)),
    list('mixed', [...of('Patient', 3), ...of('Condition', 9), ...of('Observation', 40)]),
    list('gone', ['Patient/not-there', ...of('Patient', 1)]),
    list('none', []),
  ];
  for (const l of lists) merged.set(`List/${l.id}`, l);
  return [...merged.values()];
}

function run(args) {
  const only = args.find((a) => !a.startsWith('--'));
  const all = args.includes('--all');
  const rows = args.includes('--keep') ? resources(all) : load('chains', resources(all));
  const lake = new Lake(new Definitions(definitions()), rows);
  const asked = new Asked(lake);
  chainQueries(asked, all);
  pageQueries(asked, all);
  const queries = asked.queries.filter((q) => !only || new RegExp(only).test(q.test));
  const started = Date.now();
  const answers = answersOf('chains', queries);
  const wrong = queries.map((query, n) => ({ ...query, n, ...answers[n], difference: query.check(answers[n]) })).filter((q) => q.difference);
  return report(rows, queries, answers, wrong, Date.now() - started);
}

function report(rows, queries, answers, wrong, ms) {
  console.log(`${rows.length} resources, ${queries.length} searches, ${(ms / 1000).toFixed(1)} s; ${queries.length - wrong.length} equal`);
  const tests = new Map();
  for (const [n, { test }] of queries.entries()) {
    const t = tests.get(test) ?? { total: 0, failed: 0, ms: [] };
    t.total++;
    t.ms.push(answers[n]?.ms ?? 0);
    tests.set(test, t);
  }
  for (const { test } of wrong) tests.get(test).failed++;
  for (const [test, t] of [...tests].sort()) {
    const sorted = t.ms.sort((a, b) => a - b);
    console.log(`  ${test.padEnd(34)} ${t.total} searches, ${t.total - t.failed} equal; median ${sorted[sorted.length >> 1].toFixed(1)} ms, most ${sorted.at(-1).toFixed(0)} ms`);
  }
  const errors = new Map();
  for (const { error } of wrong) if (error) errors.set(error, (errors.get(error) ?? 0) + 1);
  for (const [error, n] of [...errors].sort((a, b) => b[1] - a[1]).slice(0, SHOWN)) console.log(`  ${String(n).padStart(6)}  ${error}`);
  const shown = new Map();
  for (const w of wrong.sort((a, b) => a.q.length - b.q.length)) {
    const n = (shown.get(w.test) ?? 0) + 1;
    shown.set(w.test, n);
    if (n <= 3) console.log(`\n  ${w.q}   [${w.test}]\n    ${w.difference}`);
  }
  writeFileSync(join(cache, 'chains-differences.ndjson'), wrong.map(({ test, q, difference }) => `${JSON.stringify({ test, q, difference })}\n`).join(''));
  const failed = new Set(wrong.map((w) => w.test)).size;
  console.log(`\n${tests.size - failed} passed, ${failed} failed, 0 skipped`);
  return failed ? 1 : 0;
}

main(run);
