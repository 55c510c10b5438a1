// The examples that https://hl7.org/fhir/R4/search.html gives, and the edges where a mistake in the oracle would hide.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matches } from './evaluate.mjs';
import { branches, Extractor, pointsAt, rewrite } from './extract.mjs';
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
  const [, prefix, rest] = /^(eq|ne|gt|lt|ge|le|sa|eb|ap|)([-\d].*)$/.exec(text);
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

test(':contains, :text, :of-type, :identifier', () => {
  const part = (value, text) => finds('string', 'string', value, { text }, 'contains');
  yes(part('Evelyn', 'eve'), part('Severine', 'EVE'), part('Bénévole', 'nevo'));
  no(part('Eva', 'eve'));
  const concept = { text: 'Heart rate', coding: [{ system: 'http://loinc.org', code: '8867-4', display: 'Pulse' }] };
  const by = (text) => finds('token', 'CodeableConcept', concept, { text }, 'text');
  yes(by('heart'), by('PULSE'), by('Heart rate'));
  no(by('rate'), by('8867-4'));
  const mrn = { system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' };
  const identifier = { type: { coding: [mrn] }, system: 'http://acme.org', value: '446053' };
  yes(finds('token', 'Identifier', identifier, { ...mrn, value: '446053' }, 'of-type'));
  no(finds('token', 'Identifier', identifier, { ...mrn, value: '44605' }, 'of-type'), finds('token', 'Identifier', identifier, { ...mrn, code: 'SS', value: '446053' }, 'of-type'));
  const subject = { identifier: { system: 'http://acme.org/fhir/identifier/mrn', value: '123456' } };
  yes(finds('reference', 'Reference', subject, { system: 'http://acme.org/fhir/identifier/mrn', code: '123456' }, 'identifier'));
  no(finds('reference', 'Reference', subject, { system: 'http://acme.org', code: '123456' }, 'identifier'), finds('reference', 'Reference', subject, { id: '123456' }));
});

test('uris above and below', () => {
  const by = (value, text, modifier) => finds('uri', 'uri', value, { text }, modifier);
  yes(by('http://acme.org/fhir/ValueSet/123', 'http://acme.org/fhir/', 'below'), by('http://acme.org/fhir/ValueSet/123', 'http://acme.org/fhir', 'below'));
  yes(by('http://acme.org/fhir/ValueSet/123', 'http://acme.org/fhir/ValueSet/123/_history/5', 'above'));
  no(by('http://acme.org/fhir2', 'http://acme.org/fhir', 'below'), by('http://acme.org/fhir/ValueSet/12', 'http://acme.org/fhir/ValueSet/123', 'above'));
});

test('ap is a tenth to either side; of a date, a tenth of its distance from now', () => {
  yes(number(110, 'ap100'), number(90, 'ap100'), number(-95, 'ap-100'));
  no(number(110.1, 'ap100'), number(89, 'ap100'));
  const clock = Date.parse('2020-01-01');
  const at = (value, text) => {
    const found = facts({ kind: 'date' }, [{ type: 'date', value, path: '' }], {}, definitions);
    return matches({ kind: 'date', modifier: '', clock, alternatives: [{ prefix: 'ap', text }] }, found);
  };
  yes(at('1999-06-01', '2000'), at('2001-06', '2000'), at('2019-12-30', '2019-12-30'));
  no(at('1996', '2000'), at('2004', '2000'), at('2019-12-20', '2019-12-30'));
});

test('units of UCUM are converted', () => {
  const system = 'http://unitsofmeasure.org';
  const by = (value, code, alternative) => quantity({ value, system, code }, { system, ...alternative });
  yes(by(5400, 'mg', { number: '5.4', code: 'g' }), by(37, 'Cel', { number: '98.6', code: '[degF]' }), by(1, 'kg', { prefix: 'gt', number: '2', code: '[lb_av]' }));
  no(by(5400, 'mg', { number: '5.5', code: 'g' }), by(1, 'm', { number: '1', code: 'kg' }), quantity({ value: 5400, system, code: 'mg' }, { number: '5.4', unit: 'g' }));
});

test('a composite is found within one element', () => {
  const pair = {
    kind: 'composite', type: 'Observation', expression: 'Observation.component',
    components: [{ kind: 'token', expression: 'code', targets: [] }, { kind: 'quantity', expression: 'value.as(Quantity)', targets: [] }],
  };
  const component = (code, value) => ({ code: { coding: [{ system: 'http://loinc.org', code }] }, valueQuantity: { value } });
  const resource = { resourceType: 'Observation', component: [component('8480-6', 107), component('8462-4', 60)] };
  const extractor = new Extractor();
  const found = facts(pair, extractor.nodes(pair.expression, resource), resource, definitions, extractor);
  const by = (code, prefix, value) =>
    matches({ kind: 'composite', modifier: '', components: pair.components, alternatives: [{ parts: [{ code }, { prefix, number: value }] }] }, found);
  yes(by('8480-6', '', '107'), by('8462-4', 'lt', '80'));
  no(by('8480-6', '', '60'), by('8462-4', 'gt', '100'));
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
