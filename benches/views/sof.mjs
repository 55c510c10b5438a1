// The rows of a ViewDefinition by sof-js, the reference implementation of SQL on FHIR v2.
//
//   node sof.mjs SOF_JS_FOLDER VIEW.json FILE.ndjson [ROWS]
//
// Prints how many rows, seconds, peak memory, how often each column has a value, and its first rows.
import { createReadStream, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { resolve } from 'node:path'

const [folder, view, file, most] = process.argv.slice(2)
const { evaluate } = await import(resolve(folder, 'src/index.js'))
const columns = JSON.parse(readFileSync(view, 'utf8')).select[0].column.map((column) => column.name)
const definition = JSON.parse(readFileSync(view, 'utf8'))
const counts = Object.fromEntries(columns.map((name) => [name, 0]))
const first = []
let rows = 0
let read = 0
let batch = []

// evaluate() checks the definition each time that it is called, so it is called with many resources
function flush() {
  for (const row of evaluate(definition, batch)) {
    rows += 1
    if (first.length < 1000) first.push(row)
    for (const name of columns) if (row[name] != null) counts[name] += 1
  }
  batch = []
}

const begin = process.hrtime.bigint()
for await (const line of createInterface({ input: createReadStream(file) })) {
  if (most && read >= Number(most)) break
  read += 1
  batch.push(JSON.parse(line))
  if (batch.length >= 1000) flush()
}
if (batch.length) flush()
const seconds = Number(process.hrtime.bigint() - begin) / 1e9
console.log(JSON.stringify({ rows, seconds, rss: process.resourceUsage().maxRSS, counts, first }))
