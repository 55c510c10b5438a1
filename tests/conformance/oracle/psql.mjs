// Sends SQL to the database that PSQL names and reads the JSON lines that come back.
import { execFileSync } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cache, Skip } from './package.mjs';

const copyText = (text) => text.replace(/[\\\t\n\r]/g, (c) => ({ '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' })[c]);

/** A COPY of rows of text. */
export const copyIn = (into, rows) => `COPY ${into} FROM STDIN;\n${rows.map((row) => row.map(copyText).join('\t')).join('\n')}\n\\.\n`;

/** Runs a script; `name` names its files in target/oracle/. */
export function psql(script, name) {
  if (!process.env.PSQL) throw new Skip('PSQL is not set (for instance PSQL="psql -h /tmp -d lake")');
  mkdirSync(cache, { recursive: true });
  const input = join(cache, `${name}-run.sql`);
  const output = join(cache, `${name}-run.out`);
  writeFileSync(input, script);
  execFileSync('sh', ['-c', `${process.env.PSQL} -X -q -A -t -v ON_ERROR_STOP=1`], {
    stdio: [openSync(input, 'r'), openSync(output, 'w'), 'inherit'],
    env: { ...process.env, PGCLIENTENCODING: 'UTF8' },
  });
  return readFileSync(output, 'utf8').split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
}

/** Runs a test program: what it lacks is a skip, psql's failure a failure. */
export function main(run) {
  try {
    process.exitCode = run(process.argv.slice(2));
  } catch (error) {
    if (error instanceof Skip) {
      console.log(`skipped: ${error.message}`);
      console.log('0 passed, 0 failed, 1 skipped');
    } else if (error.stdio || error.status !== undefined) {
      console.log(`psql ended with status ${error.status}`);
      console.log('0 passed, 1 failed, 0 skipped');
      process.exitCode = 1;
    } else {
      throw error;
    }
  }
}
