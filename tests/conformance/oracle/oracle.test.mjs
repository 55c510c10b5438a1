// The examples that https://hl7.org/fhir/R4/search.html gives, and the edges where a mistake in the oracle would hide.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matches } from './evaluate.mjs';
import { branches, pointsAt, rewrite } from './extract.mjs';
import { facts } from './facts.mjs';
import { spell } from './queries.mjs';

const definitions = { implicitSystem: () => 'http://hl7.org/fhir/administrative-gender' };

/** Does the query value find a resource whose only value is `value` of `type`? */
function finds(kind, type, value, alternative, modifier = '', targets = []) {
  const found = facts({ kind }, [{ type, value, path: '' }], {}, definitions);
  return matches({ kind, modifier, targets, alternatives: [alternative] }, found);
}
const date = (type, value, text) => {
  const [, prefix, rest] = /^(eq|ne|gt|lt|ge|le|sa|eb|)(\d.*)$/.exec(text);
  return finds('date', type, value, { prefix, text: rest });
};
const number = (value, text) => {
  const [, prefix, rest] = /^(eq|ne|gt|lt|ge|le|sa|eb|)([-\d].*)$/.exec(text);
  return finds('number', 'decimal', value, { prefix, number: rest });
};
const quantity = (value, alternative, type = 'Quantity') => finds('quantity', type, value, { prefix: '', ...alternative });
const yes = (...results) => assert.deepEqual(results, results.map(() => true));
const no = (...results) => assert.deepEqual(results, results.map(() => false));

test('the table of date prefixes in 3.1.1.4.7', () => {
  yes(date('dateTime', '2013-01-14T00:00:00', 'eq2013-01-14'), date('dateTime', '2013-01-14T10:00:00', 'eq2013-01-14'));
  no(date('dateTime', '2013-01-15T00:00:00', 'eq2013-01-14'));
  yes(date('dateTime', '2013-01-15T00:00:00', 'ne2013-01-14'));
  no(date('dateTime', '2013-01-14T00:00:00', 'ne2013-01-14'), date('dateTime', '2013-01-14T10:00:00', 'ne2013-01-14'));
  yes(date('date', '2013-01-14', 'lt2013-01-14T10:00'), date('date', '2013-01-14', 'gt2013-01-14T10:00'));
  const from = (start) => ['Period', { start }];
  const until = (end) => ['Period', { end }];
  yes(date(...from('2013-01-21'), 'ge2013-03-14'), date(...from('2013-01-21'), 'le2013-03-14'));
  yes(date(...from('2013-03-15'), 'sa2013-03-14'));
  no(date(...from('2013-01-21'), 'sa2013-03-14'), date(...until('2013-01-21'), 'sa2013-03-14'));
  no(date(...from('2013-03-15'), 'eb2013-03-14'), date(...from('2013-01-21'), 'eb2013-03-14'));
  yes(date(...until('2013-01-21'), 'eb2013-03-14'));
});

test('partial dates, zones and instants', () => {
  yes(date('date', '2000', '2000'), date('date', '2000-04', '2000'), date('date', '2000-12-31', 'eq2000'));
  no(date('date', '2000', '2000-04'), date('date', '2001', 'gt2001'), date('date', '2001', 'lt2001'));
  yes(date('date', '2001', 'gt2001-06'), date('date', '2001', 'lt2001-06'), date('date', '2001', 'ge2001'));
  yes(date('dateTime', '2015-02-07T00:30:00+02:00', '2015-02-06'), date('dateTime', '2015-02-07T13:28:17Z', '2015-02-07T14:28:17+01:00'));
  yes(date('instant', '2015-02-07T13:28:17.239Z', '2015-02-07T13:28:17Z'), date('instant', '2015-02-07T13:28:17Z', 'sa2015-02-06'));
  no(date('instant', '2015-02-08T00:00:00Z', '2015-02-07'), date('instant', '2015-02-08T00:00:00Z', 'lt2015-02-08'));
  yes(date('instant', '2015-02-08T00:00:00Z', 'gt2015-02-07'));
});

test('a timing is its outer limits', () => {
  const timing = (value, text) => date('Timing', value, text);
  yes(timing({ repeat: { boundsPeriod: { start: '2013-01-31', end: '2013-03-24' } } }, 'ge2013-02-01'));
  no(timing({ repeat: { boundsPeriod: { start: '2013-01-31', end: '2013-03-24' } } }, '2013-02-01'));
  yes(timing({ event: ['2013-01-01', '2013-02-01'] }, '2013'), timing({ event: ['2013-01-01', '2013-02-01'] }, 'gt2013-01'));
  no(timing({ repeat: { frequency: 1 } }, 'gt2013'), timing({ repeat: { frequency: 1 } }, 'ne2013'));
});

test('the table of numbers in 3.1.1.4.6', () => {
  yes(number(99.5, '100'), number(100.49, '100'), number(99.995, '100.00'), number(100, 'le100'), number(100, 'ge100'));
  no(number(100.5, '100'), number(100.005, '100.00'), number(100, 'lt100'), number(100, 'gt100'), number(100.2, 'ne100'));
  yes(number(100.5, 'ne100'), number(100.0001, 'gt100'), number(100.0001, 'sa100'), number(99.9, 'eb100'));
  yes(number(0.0054, '5.40e-3'), number(0.005395, '5.40e-3'), number(-1, '-1'), number(1e-7, '1.0e-7'), number(2, '2.0'));
  no(number(0.005405, '5.40e-3'), number(2, '2.5'));
});

test('quantities: units, comparators, ranges, money', () => {
  const mg = { value: 5.4, unit: 'milligram', system: 'http://unitsofmeasure.org', code: 'mg' };
  yes(quantity(mg, { number: '5.4', system: mg.system, code: 'mg' }), quantity(mg, { number: '5.4', unit: 'mg' }));
  yes(quantity(mg, { number: '5.4', unit: 'milligram' }), quantity(mg, { number: '5.4' }), quantity(mg, { number: '5' }));
  no(quantity(mg, { number: '5.4', system: mg.system, code: 'g' }), quantity(mg, { number: '5.5' }));
  const below = { value: 5, comparator: '<' };
  yes(quantity(below, { prefix: 'lt', number: '5' }), quantity(below, { prefix: 'gt', number: '4' }), quantity(below, { prefix: 'eb', number: '5' }));
  no(quantity(below, { number: '5' }), quantity(below, { prefix: 'ge', number: '5' }), quantity(below, { prefix: 'sa', number: '1' }));
  const range = { low: { value: 2 }, high: { value: 4 } };
  yes(quantity(range, { prefix: 'gt', number: '3' }, 'Range'), quantity(range, { prefix: 'ge', number: '4' }, 'Range'));
  yes(quantity(range, { prefix: 'eb', number: '5' }, 'Range'), quantity(range, { prefix: 'ne', number: '3' }, 'Range'));
  no(quantity(range, { prefix: 'gt', number: '4' }, 'Range'), quantity(range, { prefix: 'sa', number: '2' }, 'Range'));
  yes(quantity({ value: 7, currency: 'EUR' }, { number: '7', unit: 'EUR' }, 'Money'));
});

test('strings start, without case and accents; :exact is the whole value', () => {
  const name = { family: 'Carreño Quiñones', given: ['Eve'], use: 'official' };
  const by = (text, modifier) => finds('string', 'HumanName', name, { text }, modifier);
  yes(by('carreno'), by('CARREÑO Q'), by('ev'), by('Eve', 'exact'));
  no(by('quinones'), by('official'), by('eve', 'exact'), by('Ev', 'exact'));
  yes(finds('string', 'string', 'Straße', { text: 'STRASSE' }));
});

test('tokens: the four forms, :not, and what has no system', () => {
  const coding = { system: 'http://loinc.org', code: '1-8' };
  const by = (alternative, modifier, value = coding) => finds('token', 'Coding', value, alternative, modifier);
  yes(by({ code: '1-8' }), by({ code: '1-8', system: 'http://loinc.org' }), by({ system: 'http://loinc.org' }));
  no(by({ code: '1-8', system: null }), by({ code: '1-8' }, 'not'), by({ code: '1-8', system: 'http://loinc.or' }));
  yes(by({ code: '1-8', system: null }, '', { code: '1-8' }), by({ code: '2' }, 'not'));
  yes(finds('token', 'code', 'male', { code: 'male', system: 'http://hl7.org/fhir/administrative-gender' }));
  yes(finds('token', 'string', 'Watcher', { code: 'WATCHER' }), finds('token', 'boolean', true, { code: 'true' }));
  no(finds('token', 'code', 'male', { code: 'MALE' }), finds('token', 'string', 'é', { code: 'e' }));
});

test('references: id, Type/id, url, canonical versions', () => {
  const by = (reference, alternative) => finds('reference', 'Reference', { reference }, alternative, '', ['Patient']);
  yes(by('Patient/23', { id: '23' }), by('Patient/23', { type: 'Patient', id: '23' }), by('Patient/23/_history/1', { id: '23' }));
  no(by('Group/23', { id: '23' }), by('#23', { id: '23' }), by('http://x/Patient/23', { type: 'Patient', id: '23' }));
  yes(by('http://x/Patient/23', { url: 'http://x/Patient/23' }));
  const canonical = (value, alternative) => finds('reference', 'canonical', value, alternative);
  yes(canonical('http://a|1', { url: 'http://a' }), canonical('http://a|1', { url: 'http://a', version: '1' }));
  no(canonical('http://a', { url: 'http://a', version: '1' }), canonical('http://a|2', { url: 'http://a', version: '1' }));
});

test(':missing', () => {
  const absent = facts({ kind: 'token' }, [], {}, definitions);
  const term = (text) => ({ kind: 'token', modifier: 'missing', alternatives: [{ text }] });
  yes(matches(term('true'), absent));
  no(matches(term('false'), absent));
});

test('expressions', () => {
  assert.equal(rewrite('(Observation.value as Quantity) | Condition.onset.as(Age)'), 'Observation.value.ofType(Quantity) | Condition.onset.ofType(Age)');
  assert.deepEqual(branches("A.b.where(c = 'x' | (d)) | E.f"), ["A.b.where(c = 'x' | (d))", 'E.f']);
  yes(pointsAt({ reference: 'Patient/1' }, 'Patient', {}), pointsAt({ reference: 'https://x/fhir/Patient/1/_history/2' }, 'Patient', {}));
  yes(pointsAt({ type: 'Patient', identifier: {} }, 'Patient', {}), pointsAt({ reference: '#p' }, 'Patient', { contained: [{ resourceType: 'Patient', id: 'p' }] }));
  no(pointsAt({ reference: 'Group/1' }, 'Patient', {}), pointsAt({ reference: 'urn:uuid:1' }, 'Patient', {}));
});

test('values are escaped, then percent-encoded', () => {
  const term = { kind: 'string', code: 'name', modifier: '', alternatives: [{ text: 'a,b|c$d\\e & 100%+#=é' }, { text: 'x' }] };
  assert.equal(spell(term), 'name=a%5C,b%5C|c%5C%24d%5C%5Ce%20%26%20100%25%2B%23%3D%C3%A9,x');
});
