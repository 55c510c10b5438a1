// Nodes of one resource → what a search of the parameter's type compares with. Each fact may carry `choice`,
// the name of a reading of the text that README.md explains.
import { dateRange, decimal } from './values.mjs';

/**
 * {present, values, texts, identifiers}: present decides :missing, texts `:text` of tokens, identifiers `:identifier` of references,
 * values everything else.
 */
export function facts(pair, nodes, resource, definitions, extractor) {
  const found = nodes.map(unwrap);
  if (pair.kind === 'composite') {
    const values = found.map((node) => composite(pair, node, resource, definitions, extractor)).filter((value) => value.parts.every((p) => p.length));
    return { present: nodes.length > 0, values };
  }
  const make = MAKERS[pair.kind];
  const all = { present: nodes.length > 0, values: found.flatMap((node) => make(node, resource, definitions)) };
  if (pair.kind === 'token') all.texts = found.flatMap(texts).filter((text) => typeof text === 'string');
  if (pair.kind === 'reference') all.identifiers = found.flatMap(({ value }) => value.identifier?.value ? [value.identifier] : []);
  return all;
}

/** One element's values for each part. */
function composite(pair, node, resource, definitions, extractor) {
  const parts = pair.components.map(({ kind, expression }) =>
    extractor.below(node, expression, resource).map(unwrap).flatMap((inner) => MAKERS[kind](inner, resource, definitions)),
  );
  return { parts };
}

/** 3.1.1.4.10 on :text: CodeableConcept.text, Coding.display or Identifier.type.text. */
function texts({ type, value }) {
  switch (type) {
    case 'CodeableConcept':
      return [value.text, ...(value.coding ?? []).map((c) => c.display)];
    case 'Coding':
      return [value.display];
    case 'Identifier':
      return [value.type?.text];
    default:
      return [];
  }
}

/** An expression that ends at an extension means the extension's value. */
function unwrap(node) {
  if (node.type !== 'Extension') return node;
  const key = Object.keys(node.value).find((k) => k.startsWith('value'));
  if (!key) return node;
  const type = key.slice(5);
  return { type: typeof node.value[key] === 'object' ? type : type[0].toLowerCase() + type.slice(1), value: node.value[key], path: '' };
}

const MAKERS = { token, string, reference, date, number, quantity, uri, special };

// 3.1.1.4.10
function token({ type, value, path }, resource, definitions) {
  switch (type) {
    case 'Coding':
      return [{ system: value.system, code: value.code, piped: true }];
    case 'CodeableConcept':
      return (value.coding ?? []).map((c) => ({ system: c.system, code: c.code, piped: true }));
    case 'Identifier':
      return [{ system: value.system, code: value.value, piped: true, types: value.type?.coding ?? [] }];
    case 'ContactPoint':
      return value.value === undefined ? [] : [{ code: value.value }];
    case 'code': {
      const system = definitions.implicitSystem(path, value);
      return [{ code: value, system, implicit: true }];
    }
    case 'boolean':
    case 'Boolean':
      return [{ code: String(value) }];
    case 'string':
    case 'markdown':
      return [{ code: value, anyCase: true }];
    case 'id':
    case 'String':
    case 'uri':
    case 'url':
    case 'canonical':
    case 'oid':
    case 'uuid':
      return [{ code: value }];
    default:
      return [];
  }
}

// 3.1.1.4.8
const NAME_PARTS = ['text', 'family', 'given', 'prefix', 'suffix'];
const ADDRESS_PARTS = ['text', 'line', 'city', 'district', 'state', 'postalCode', 'country'];
function string({ type, value }) {
  const parts = type === 'HumanName' ? NAME_PARTS : type === 'Address' ? ADDRESS_PARTS : null;
  if (parts) return parts.flatMap((p) => value[p] ?? []).filter((v) => typeof v === 'string');
  return typeof value === 'string' ? [value] : [];
}

// 3.1.1.4.9
function uri({ value }) {
  return typeof value === 'string' ? [value] : [];
}

// 3.1.1.4.12
const RELATIVE = /^([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/;
function reference({ type, value }) {
  if (value.resourceType) {
    return value.id ? [{ type: value.resourceType, id: value.id, choice: 'inline-resource' }] : [];
  }
  if (type === 'Reference') {
    if (typeof value.reference !== 'string') return [];
    return [pointer(value.reference)];
  }
  if (typeof value !== 'string') return [];
  const [url, version] = value.split('|');
  return [{ ...pointer(url), url, version, canonical: true }];
}

function pointer(text) {
  const m = RELATIVE.exec(text);
  if (m) return { type: m[1], id: m[2], url: text, versioned: text.includes('/_history/') };
  return { url: text, local: text.startsWith('#') };
}

// 3.1.1.4.7: an open end is null, i.e. infinite
function date({ type, value }) {
  switch (type) {
    case 'date':
    case 'dateTime': {
      const range = dateRange(value);
      return range ? [{ ...range, texts: [value] }] : [];
    }
    case 'instant': {
      const range = dateRange(value);
      return range ? [{ lo: range.lo, hi: range.lo, point: true, texts: [value] }] : [];
    }
    case 'Period': {
      const lo = value.start && dateRange(value.start);
      const hi = value.end && dateRange(value.end);
      if (!lo && !hi) return [];
      return [{ lo: lo ? lo.lo : null, hi: hi ? hi.hi : null, texts: [value.start, value.end].filter(Boolean) }];
    }
    case 'Timing':
      return timing(value);
    default:
      return [];
  }
}

/** The outer limits of event[] and repeat.boundsPeriod; rules alone say nothing about when. */
function timing(value) {
  const texts = [...(value.event ?? [])];
  const ranges = texts.map(dateRange).filter(Boolean);
  const bounds = value.repeat?.boundsPeriod;
  if (bounds) {
    const [period] = date({ type: 'Period', value: bounds });
    if (period) {
      ranges.push(period);
      texts.push(...period.texts);
    }
  }
  if (!ranges.length) return [];
  const lo = ranges.some((r) => r.lo === null) ? null : ranges.map((r) => r.lo).reduce((a, b) => (b < a ? b : a));
  const hi = ranges.some((r) => r.hi === null) ? null : ranges.map((r) => r.hi).reduce((a, b) => (b > a ? b : a));
  return [{ lo, hi, texts, choice: 'timing' }];
}

// 3.1.1.4.6: the value stored is exact; an end of null is infinite, `open` ends are not part of the interval
function number({ value }) {
  const exact = decimal(value);
  return exact ? [{ lo: exact, hi: exact, text: String(value) }] : [];
}

// 3.1.1.4.11
const CURRENCY = 'urn:iso:std:iso:4217';
function quantity({ type, value }) {
  if (type === 'Range') {
    const lo = value.low?.value === undefined ? null : decimal(value.low.value);
    const hi = value.high?.value === undefined ? null : decimal(value.high.value);
    if (!lo && !hi) return [];
    const units = [value.low, value.high].filter(Boolean);
    return [{ lo, hi, units, text: String((value.low ?? value.high).value), choice: 'range' }];
  }
  if (type === 'Money') {
    if (value.value === undefined) return [];
    const exact = decimal(value.value);
    return [{ lo: exact, hi: exact, text: String(value.value), units: [{ system: CURRENCY, code: value.currency }], choice: 'money' }];
  }
  if (type === 'SampledData' || value?.value === undefined) return [];
  const exact = decimal(value.value);
  const fact = { lo: exact, hi: exact, text: String(value.value), units: [value] };
  switch (value.comparator) {
    case '<':
      return [{ ...fact, lo: null, hiOpen: true, choice: 'comparator' }];
    case '<=':
      return [{ ...fact, lo: null, choice: 'comparator' }];
    case '>':
      return [{ ...fact, hi: null, loOpen: true, choice: 'comparator' }];
    case '>=':
      return [{ ...fact, hi: null, choice: 'comparator' }];
    default:
      return [fact];
  }
}

// 3.1.1.1 of Location: a point on WGS84
function special({ value }) {
  return typeof value?.latitude === 'number' && typeof value.longitude === 'number' ? [{ lat: value.latitude, lon: value.longitude }] : [];
}
