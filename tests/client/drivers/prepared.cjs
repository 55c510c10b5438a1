// Prepared statements with parameters from node-postgres. The argument is a file of searches and the ids they must find.
const { Client } = require('pg');
const { readFileSync } = require('node:fs');

const rows = { name: 'rows', text: 'SELECT id FROM lake.observation WHERE search OPERATOR(fhir.|=) $1 ORDER BY id' };
const bundle = { name: 'bundle', text: 'SELECT fhir.search($1) AS bundle' };

function check(what, expected, found) {
  const same = expected.length === found.length && expected.every((id, at) => id === found[at]);
  console.log(same ? 'ok' : `FAILED: ${what}: ${expected.length} expected, ${found.length} found`);
}

async function main(file) {
  const client = new Client();
  await client.connect();
  const cases = readFileSync(file, 'utf8').trimEnd().split('\n').map((line) => line.split('\t'));
  for (const [at, [search, ids]] of cases.entries()) {
    const expected = ids ? ids.split(',') : [];
    const found = await client.query({ ...rows, values: [search] });
    check(`execution ${at + 1}, ${search}`, expected, found.rows.map((row) => row.id));
    const page = await client.query({ ...bundle, values: [`Observation?${search}&_sort=_id&_count=10000`] });
    check(`fhir.search, execution ${at + 1}, ${search}`, expected, (page.rows[0].bundle.entry ?? []).map((entry) => entry.resource.id));
  }
  const told = (await client.query("SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE name = 'rows'")).rows[0];
  const plan = (await client.query("EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE rows('code=one')")).rows[0]['QUERY PLAN'][0];
  console.log(`${require('pg/package.json').version}: ${told.custom_plans} custom and ${told.generic_plans} generic plans; `
    + `then planning ${plan['Planning Time'].toFixed(2)} ms, execution ${plan['Execution Time'].toFixed(2)} ms`);
  await client.end();
}

main(process.argv[2]).catch((error) => { console.error(error); process.exit(1); });
