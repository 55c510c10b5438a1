// Times validators of npm on the same lines, parsed already: `ajv` with the official JSON Schema, and `fhir` with its own definitions.
//   node peers.mjs FOLDER_OF_NODE_MODULES SCHEMA.json NAME=FILE.ndjson…
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const [folder, schemaFile, ...files] = process.argv.slice(2)
const require = createRequire(`${folder}/`)
const Ajv = require('ajv')
const { Fhir } = require('fhir')

const official = JSON.parse(readFileSync(schemaFile, 'utf8'))
const ajv = new Ajv({ strict: false, allErrors: false, discriminator: false, logger: false })
ajv.addMetaSchema(require('ajv/dist/refs/json-schema-draft-06.json'))
const { discriminator, ...schema } = official
schema.$id = 'http://example.org/fhir'
delete schema.id
ajv.addSchema(schema)
const compiled = new Map()
const byType = type => {
  if (!compiled.has(type)) compiled.set(type, ajv.compile({ $ref: `http://example.org/fhir#/definitions/${type}` }))
  return compiled.get(type)
}
const fhir = new Fhir()

const ways = {
  'ajv, by type': r => byType(r.resourceType)(r),
  'npm fhir': r => fhir.validate(r).valid,
}

for (const argument of files) {
  const [data, file] = argument.split('=')
  const resources = readFileSync(file, 'utf8').split('\n').filter(l => l.trim()).map(l => JSON.parse(l))
  for (const [way, valid] of Object.entries(ways)) {
    const some = way === 'npm fhir' ? resources.filter((_, i) => i % 10 === 0) : resources
    let best = Infinity, right = 0
    const attempt = r => { try { return valid(r) } catch { return false } }
    for (let round = 0; round < 5 && best < 20e9; round++) {
      const start = process.hrtime.bigint()
      right = 0
      for (const r of some) if (attempt(r)) right++
      best = Math.min(best, Number(process.hrtime.bigint() - start))
    }
    console.log([data, way, some.length, (best / 1e3 / some.length).toFixed(3), right].join('\t'))
  }
}
