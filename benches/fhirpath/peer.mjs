// Times fhirpath.js on the expressions of a file, each compiled once, on resources that are parsed already: one JSON line for each.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const [packages, file, resources] = process.argv.slice(2);
const require = createRequire(`${packages}/`);
const fhirpath = require('fhirpath');
const model = require('fhirpath/fhir-context/r4');

const byType = {};
for (const line of readFileSync(resources, 'utf8').split('\n')) {
  if (!line) continue;
  const resource = JSON.parse(line);
  (byType[resource.resourceType] ??= []).push(resource);
}
for (const line of readFileSync(file, 'utf8').split('\n')) {
  const [group, type, expression] = line.split('\t');
  const documents = byType[type];
  if (!expression || !documents) continue;
  const compiled = fhirpath.compile(expression, model);
  let items = 0;
  const round = () => {
    items = 0;
    for (const document of documents) items += compiled(document, { resource: document }).length;
  };
  const once = () => {
    const begin = process.hrtime.bigint();
    round();
    return Number(process.hrtime.bigint() - begin) / 1e9;
  };
  let best = once();
  const rounds = Math.min(Math.max(Math.floor(1 / best), 3), 50);
  for (let i = 0; i < rounds; i++) best = Math.min(best, once());
  console.log(JSON.stringify({ group, type, expression, resources: documents.length, items, us: (best * 1e6) / documents.length }));
}
