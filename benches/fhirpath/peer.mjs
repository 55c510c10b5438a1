// Times fhirpath.js on the expressions of a file, each compiled once: one JSON line for each, with µs for a resource that is parsed
// already (us) and for one that has to be parsed first, as it lies in a file or comes from a database (us_with_parse).
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
  (byType[resource.resourceType] ??= []).push({ resource, line });
}
for (const line of readFileSync(file, 'utf8').split('\n')) {
  const [group, type, expression] = line.split('\t');
  const documents = byType[type];
  if (!expression || !documents) continue;
  const compiled = fhirpath.compile(expression, model);
  let items = 0, failed = 0;
  const round = (parse) => {
    items = failed = 0;
    for (const { resource, line } of documents) {
      const document = parse ? JSON.parse(line) : resource;
      try {
        items += compiled(document, { resource: document }).length;
      } catch {
        failed++;
      }
    }
  };
  const once = (parse) => {
    const begin = process.hrtime.bigint();
    round(parse);
    return Number(process.hrtime.bigint() - begin) / 1e9;
  };
  const best = (parse) => {
    let least = once(parse);
    const rounds = Math.min(Math.max(Math.floor(0.5 / least), 3), 50);
    for (let i = 0; i < rounds; i++) least = Math.min(least, once(parse));
    return (least * 1e6) / documents.length;
  };
  console.log(JSON.stringify({ group, type, expression, resources: documents.length, us: best(false), us_with_parse: best(true), items, failed }));
}
