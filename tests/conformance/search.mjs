// Asks the database every query of the oracle and prints how far the answers agree.
//   PSQL="psql -h /tmp -d lake" node tests/conformance/search.mjs [--load] [--all] [regular expression over test names]
// Without --all two thirds of the queries are asked, the same ones in every run. One test is one (type, parameter) pair; it passes when all its queries agree, by index and by scan.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { write } from './oracle/expected.mjs';
import { cache, examples } from './oracle/package.mjs';
import { copyIn, main, psql } from './oracle/psql.mjs';
import { hash } from './oracle/queries.mjs';

const SHOWN = 20;

function script(lines, load) {
  const [before, after] = readFileSync(new URL('./search.sql', import.meta.url), 'utf8').split('-- queries\n');
  const table = load
    ? `DROP TABLE IF EXISTS examples;\nCREATE TABLE examples (doc jsonb NOT NULL);\n${copyIn('examples', examples().map((r) => [JSON.stringify(r)]))}`
    : '';
  return table + before + copyIn('pg_temp.query', lines.map((line, n) => [String(n), line.q])) + after;
}

/** What is wrong with an answer: '' when nothing is. */
function verdict(line, answer) {
  if (!answer) return 'no answer';
  if (answer.error) return answer.error;
  const want = JSON.stringify(line.ids);
  const wrong = [];
  if (JSON.stringify(answer.index) !== want) wrong.push('by index');
  if (JSON.stringify(answer.scan) !== want) wrong.push('by scan');
  return wrong.join(' and ');
}

function table(title, rows) {
  console.log(`\n${title}`);
  for (const [key, { total, equal }] of [...rows].sort()) console.log(`  ${key.padEnd(24)} ${total} queries, ${equal} equal`);
}

function tally(lines, key) {
  const rows = new Map();
  for (const line of lines) {
    const row = rows.get(key(line)) ?? { total: 0, equal: 0 };
    row.total++;
    if (!line.wrong) row.equal++;
    rows.set(key(line), row);
  }
  return rows;
}

function difference(line, answer) {
  const list = (ids) => (ids.length ? ids.slice(0, 12).join(' ') + (ids.length > 12 ? ` … (${ids.length})` : '') : '(none)');
  console.log(`\n  ${line.q}   [${line.test}, ${line.label}${line.choice ? `, choice ${line.choice}` : ''}] ${line.wrong}`);
  console.log(`    oracle: ${list(line.ids)}`);
  if (!answer || answer.error) return;
  console.log(`    index:  ${list(answer.index)}`);
  if (JSON.stringify(answer.scan) !== JSON.stringify(answer.index)) console.log(`    scan:   ${list(answer.scan)}`);
}

/** Differences, one of each test before a second of any, so that the first twenty tell most. */
function spread(lines) {
  const seen = new Map();
  const turn = (line) => (seen.set(line.test, (seen.get(line.test) ?? 0) + 1), seen.get(line.test));
  return lines.map((line) => ({ line, turn: turn(line) })).sort((a, b) => a.turn - b.turn).map((x) => x.line);
}

function run(args) {
  const load = args.includes('--load');
  const only = args.find((a) => !a.startsWith('--'));
  const asked = (line) => args.includes('--all') || line.choice || hash(line.q) % 3 > 0;
  const lines = write().filter((line) => asked(line) && (!only || new RegExp(only).test(line.test)));
  const started = Date.now();
  const [about, ...answers] = psql(script(lines, load), 'search');
  const byNumber = new Map(answers.map((a) => [a.n, a]));
  lines.forEach((line, n) => (line.wrong = verdict(line, byNumber.get(n))));
  lines.forEach((line, n) => (line.error = byNumber.get(n)?.error ?? undefined));
  const known = JSON.parse(readFileSync(new URL('known-differences.json', import.meta.url)));
  const byText = new Map(lines.map((line) => [line.q, line]));
  for (const [q, reason] of Object.entries(known)) {
    const line = byText.get(q);
    if (!line) continue;
    if (line.wrong) console.log(`known difference: ${q}: ${reason}`);
    // one that is gone must leave the list
    line.wrong = !line.wrong;
  }
  // what is refused as not supported is a skip, told in one line
  const refused = new Map();
  for (const line of lines.filter((l) => l.error?.startsWith('0A000'))) {
    refused.set(line.error, [...(refused.get(line.error) ?? []), line]);
    line.wrong = '';
    line.refused = true;
  }
  for (const [error, some] of refused) console.log(`skip: ${some.length} queries are refused: ${error}`);
  const wrong = lines.filter((line) => line.wrong);

  console.log(`${about.examples} examples, ${((Date.now() - started) / 1000).toFixed(1)} s; plan by index: ${about.plan}`);
  console.log(`${lines.length} queries, ${lines.length - wrong.length} equal`);
  table('by parameter type', tally(lines, (l) => l.kind));
  table('by parameter type and modifier or prefix', tally(lines, (l) => `${l.kind} ${l.modifier || '(none)'}`));
  table('by choice the text leaves open (README.md)', tally(lines, (l) => l.choice ?? '(none)'));
  const errors = tally(lines.filter((l) => l.error), (l) => l.error);
  if (errors.size) {
    console.log('\nerrors');
    const most = [...errors].sort((a, b) => b[1].total - a[1].total).slice(0, SHOWN);
    for (const [message, { total }] of most) console.log(`  ${String(total).padStart(6)}  ${message}`);
  }
  if (wrong.length) {
    const byNumberOf = new Map(lines.map((line, n) => [line, byNumber.get(n)]));
    console.log(`\nfirst differences (all in target/oracle/differences.ndjson)`);
    spread(wrong).slice(0, SHOWN).forEach((line) => difference(line, byNumberOf.get(line)));
    const all = wrong.map((line) => JSON.stringify({ ...line, answer: byNumberOf.get(line) }));
    writeFileSync(join(cache, 'differences.ndjson'), `${all.join('\n')}\n`);
  }
  const tests = new Set(lines.map((l) => l.test));
  const failed = new Set(wrong.map((l) => l.test));
  const skipped = new Set(lines.filter((l) => l.refused && !failed.has(l.test)).map((l) => l.test));
  console.log(`\n${tests.size - failed.size - skipped.size} passed, ${failed.size} failed, ${skipped.size} skipped`);
  return failed.size ? 1 : 0;
}

main(run);
