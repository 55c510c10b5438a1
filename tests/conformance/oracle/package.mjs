// Where the material comes from: the official R4 package and its examples, and fhirpath.js from npm.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

export const FHIRPATH = 'fhirpath@5.2.2';
export const root = fileURLToPath(new URL('../../../', import.meta.url));
export const cache = join(root, 'target', 'oracle');
export const data = process.env.FHIRLAKE_DATA ?? join(root, '..', 'shared', 'data');

/** A reason to skip, told in one line. */
export class Skip extends Error {}

/** The files of a .tgz: yields [name, text]. */
export function* tarFiles(path) {
  const bytes = gunzipSync(readFileSync(path));
  const text = (at, length) => bytes.toString('utf8', at, at + length).replace(/\0.*$/s, '');
  let longName = null;
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0; ) {
    const size = parseInt(text(at + 124, 12).trim() || '0', 8);
    const kind = String.fromCharCode(bytes[at + 156]);
    const body = at + 512;
    if (kind === 'L') longName = text(body, size);
    else if (kind === 'x') longName = /\d+ path=(.*)\n/.exec(text(body, size))?.[1] ?? null;
    else {
      const prefix = text(at + 345, 155);
      const name = longName ?? (prefix ? `${prefix}/` : '') + text(at, 100);
      longName = null;
      if (kind === '0' || kind === '\0') yield [name, bytes.toString('utf8', body, body + size)];
    }
    at = body + Math.ceil(size / 512) * 512;
  }
}

function dataFile(name) {
  const path = join(data, name);
  if (!existsSync(path)) throw new Skip(`${name} is not in the data folder (set FHIRLAKE_DATA)`);
  return path;
}

/** The definitions of the R4 package, by resource type. */
export function definitions() {
  const wanted = /\/(SearchParameter|StructureDefinition|ValueSet|CodeSystem|CompartmentDefinition)-[^/]*\.json$/;
  const byType = { SearchParameter: [], StructureDefinition: [], ValueSet: [], CodeSystem: [], CompartmentDefinition: [] };
  for (const [name, text] of tarFiles(dataFile('r4/hl7.fhir.r4.core.tgz'))) {
    const type = wanted.exec(name)?.[1];
    if (type) byType[type].push(JSON.parse(text));
  }
  return byType;
}

/** The example resources, in file order. */
export function examples() {
  const text = gunzipSync(readFileSync(dataFile('r4/r4-examples.ndjson.gz'))).toString('utf8');
  return text.split('\n').filter(Boolean).map((line) => JSON.parse(line));
}

/** The resources of an .ndjson.xz of the data folder. */
export function xzLines(name) {
  const text = execFileSync('xz', ['-dc', dataFile(name)], { maxBuffer: 1 << 30 }).toString('utf8');
  return text.split('\n').filter(Boolean).map((line) => JSON.parse(line));
}

/** The resources of the .ndjson files in a .tgz of the data folder. */
export function tarLines(name) {
  return [...tarFiles(dataFile(name))].flatMap(([, text]) => text.split('\n').filter(Boolean).map((line) => JSON.parse(line)));
}

/** The resources of a FHIR package in the data folder: of the named types, or its examples. */
export function packageResources(name, wanted) {
  return [...tarFiles(dataFile(name))].filter(([path]) => wanted.test(path)).map(([, text]) => JSON.parse(text));
}

/** A JSON file of the data folder. */
export const dataJson = (name) => JSON.parse(readFileSync(dataFile(name), 'utf8'));

/** fhirpath.js and its R4 model, installed into the cache on first use. */
export function fhirpath() {
  const require = createRequire(join(cache, 'package.json'));
  if (!existsSync(join(cache, 'node_modules', 'fhirpath'))) {
    mkdirSync(cache, { recursive: true });
    try {
      execFileSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', cache, FHIRPATH], { stdio: 'pipe' });
    } catch (error) {
      throw new Skip(`npm could not install ${FHIRPATH} (${String(error.message).split('\n')[0]})`);
    }
  }
  // ucum-lhc comes with fhirpath.js
  return { engine: require('fhirpath'), model: require('fhirpath/fhir-context/r4'), ucum: require('@lhncbc/ucum-lhc').UcumLhcUtils.getInstance() };
}
