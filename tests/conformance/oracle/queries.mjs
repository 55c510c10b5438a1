// Search values made from the values found in the examples, and their spelling in a URL.
import { convert, OTHER, UCUM } from './units.mjs';
import { decimal, withoutAccents } from './values.mjs';

/** `\ , | $` inside a value are escaped; then what has a meaning in a URL is percent-encoded. */
const data = (text) => text.replace(/[\\,|$]/g, '\\$&');
const url = (text) => encodeURIComponent(text).replace(/%(3A|2F|7C|2C|40|3B)/g, decodeURIComponent);

export function spell(term) {
  const modifier = term.modifier ? `:${term.modifier}` : '';
  return `${term.code}${modifier}=${term.alternatives.map((a) => url(spellOne(term, a))).join(',')}`;
}

function spellOne(term, a) {
  if (term.modifier === 'missing' || term.modifier === 'text') return SPELL.string(a);
  if (term.modifier === 'identifier') return SPELL.token(a);
  if (term.modifier === 'of-type') return [a.system, a.code, a.value].map(data).join('|');
  if (term.kind === 'composite') return term.components.map(({ kind }, i) => SPELL[kind](a.parts[i])).join('$');
  return SPELL[term.kind](a);
}

const SPELL = {
  token: (a) => (a.system === undefined ? '' : `${data(a.system ?? '')}|`) + data(a.code ?? ''),
  string: (a) => data(a.text),
  uri: (a) => data(a.text),
  reference: (a) => (a.url !== undefined ? data(a.url) + (a.version !== undefined ? `|${data(a.version)}` : '') : (a.type ? `${a.type}/` : '') + a.id),
  date: (a) => a.prefix + a.text,
  number: (a) => a.prefix + a.number,
  quantity: (a) =>
    a.prefix + a.number + (a.system !== undefined ? `|${data(a.system)}|${data(a.code ?? '')}` : a.unit !== undefined ? `||${data(a.unit)}` : ''),
  special: (a) => a.written,
};

/** A small stable hash, so that what is left out does not depend on the order of the file. */
export function hash(text) {
  let h = 2166136261;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619) >>> 0;
  return h;
}

/** All single-parameter terms of a pair, [{label, term}], de-duplicated by spelling. */
export function candidates(pair, rows) {
  const terms = [];
  const seen = new Set();
  const add = (label, alternative, modifier = '') => {
    const term = { kind: pair.kind, code: pair.code, modifier, targets: pair.targets, components: pair.components, alternatives: [].concat(alternative) };
    const text = spell(term);
    if (seen.has(text) || text.length > 6000) return;
    seen.add(text);
    terms.push({ label, term });
  };
  if (pair.kind !== 'composite') {
    add('missing', { text: 'true' }, 'missing');
    add('missing', { text: 'false' }, 'missing');
  }
  const simple = [];
  const values = rows.flatMap((r) => r.facts.values);
  for (const [i, value] of values.entries()) MAKE[pair.kind](value, add, simple, pair, values[(i + 1) % values.length]);
  for (const text of rows.flatMap((r) => r.facts.texts ?? [])) withText(text, add);
  for (const { system, value } of rows.flatMap((r) => r.facts.identifiers ?? [])) {
    add('identifier', { code: value }, 'identifier');
    add('identifier |value', { system: null, code: value }, 'identifier');
    if (system === undefined) continue;
    add('identifier system|value', { system, code: value }, 'identifier');
    add('identifier other system|value', { system: `${system}x`, code: value }, 'identifier');
  }
  // OR: neighbours in the list of plain values, which seldom come from one resource
  const texts = new Set();
  const distinct = simple.filter((a) => a && !texts.has(JSON.stringify(a)) && texts.add(JSON.stringify(a)));
  for (let i = 0; i + 1 < distinct.length; i += 2) add('or', [distinct[i], distinct.at(-1 - i / 2) ?? distinct[i + 1]]);
  // with a modifier too, a few of each
  const modifier = { token: 'not', string: 'contains', uri: 'below' }[pair.kind];
  if (modifier) for (let i = 0; i + 1 < Math.min(distinct.length, 8); i += 2) add(`${modifier} or`, [distinct[i], distinct[i + 1]], modifier);
  return terms;
}

function withText(text, add) {
  const words = text.trim().split(/\s+/);
  if (words[0] === '') return;
  add('text', { text }, 'text');
  add('text, first word', { text: words[0] }, 'text');
  add('text, upper case', { text: words[0].toUpperCase() }, 'text');
  if (words.length > 1) add('text, last word', { text: words.at(-1) }, 'text');
}

const MAKE = {
  token(value, add, simple) {
    const { code, system } = value;
    for (const type of value.types ?? []) {
      if (code === undefined || type.system === undefined || type.code === undefined) continue;
      add('of-type', { system: type.system, code: type.code, value: code }, 'of-type');
      add('of-type, other type', { system: type.system, code: `${type.code}X`, value: code }, 'of-type');
      add('of-type, other system', { system: `${type.system}x`, code: type.code, value: code }, 'of-type');
      add('of-type, part of the value', { system: type.system, code: type.code, value: code.slice(0, -1) || 'x' }, 'of-type');
    }
    if (code !== undefined && code !== '') {
      simple.push({ code });
      add('code', { code });
      add('not', { code }, 'not');
      if (value.anyCase) add('other case', { code: code.toUpperCase() });
    }
    if (value.implicit) {
      if (system !== undefined) add('implicit system|code', { system, code });
    } else if (value.piped) {
      if (system !== undefined && code !== undefined) {
        add('system|code', { system, code });
        add('not system|code', { system, code }, 'not');
        add('other system|code', { system: `${system}x`, code });
        add('|code', { system: null, code });
      }
      if (system !== undefined) add('system|', { system });
      if (system === undefined && code !== undefined) add('|code', { system: null, code });
    }
  },

  string(value, add, simple) {
    if (value.trim() === '') return;
    const words = value.trim().split(/\s+/);
    simple.push({ text: words[0] });
    add('first word', { text: words[0] });
    if (words[1]) add('second word', { text: words[1] });
    add('first letters', { text: [...value.trim()].slice(0, 3).join('').trim() });
    add('whole', { text: value });
    add('upper case', { text: value.toUpperCase() });
    const bare = withoutAccents(value);
    if (bare !== value) add('no accents', { text: bare });
    add('exact', { text: value }, 'exact');
    if (value.toUpperCase() !== value) add('exact, other case', { text: value.toUpperCase() }, 'exact');
    if (words.length > 1) add('exact, first word', { text: words[0] }, 'exact');
    const letters = [...value.trim()];
    const middle = letters.slice(1, 1 + Math.max(3, Math.ceil(letters.length / 2))).join('').trim();
    if (middle) add('contains', { text: middle }, 'contains');
    if (middle) add('contains, upper case', { text: withoutAccents(middle).toUpperCase() }, 'contains');
    if (words.length > 1) add('contains, last word', { text: words.at(-1) }, 'contains');
    add('contains, nothing such', { text: `${middle}zq` }, 'contains');
  },

  uri(value, add, simple) {
    simple.push({ text: value });
    add('whole', { text: value });
    add('beginning', { text: value.slice(0, -1) });
    if (value.toUpperCase() !== value) add('other case', { text: value.toUpperCase() });
    if (!/^https?:\/\/[^/]/.test(value)) return; // not for URNs
    const up = value.replace(/\/+$/, '').replace(/\/[^/]*$/, '');
    add('below itself', { text: value }, 'below');
    if (up.length > 8) add('below', { text: up }, 'below');
    if (up.length > 8) add('below, with /', { text: `${up}/` }, 'below');
    add('below a part of a segment', { text: value.slice(0, -1) }, 'below');
    add('above itself', { text: value }, 'above');
    add('above', { text: `${value.replace(/\/+$/, '')}/more/_history/5` }, 'above');
    add('above a longer segment', { text: `${value}x` }, 'above');
  },

  reference(value, add, simple, pair = { targets: [] }) {
    if (value.local) return;
    if (value.canonical) {
      simple.push({ url: value.url });
      add('canonical', { url: value.url });
      if (value.version !== undefined) add('canonical|version', { url: value.url, version: value.version });
      add('canonical|other version', { url: value.url, version: '0.0.0-none' });
    } else if (value.id !== undefined) {
      simple.push({ type: value.type, id: value.id });
      add('Type/id', { type: value.type, id: value.id });
      add('id', { id: value.id });
      add(':Type', { id: value.id }, value.type);
      const other = pair.targets.find((type) => type !== value.type);
      if (other) add(':OtherType', { id: value.id }, other);
      add('OtherType/id', { type: value.type === 'Basic' ? 'List' : 'Basic', id: value.id });
    } else {
      simple.push({ url: value.url });
      add('url', { url: value.url });
      const tail = /\/([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})$/.exec(value.url);
      if (tail) add('Type/id of a url', { type: tail[1], id: tail[2] });
    }
  },

  date(value, add, simple) {
    for (const text of value.texts) {
      simple.push({ prefix: '', text });
      const shorter = [text, text.slice(0, 10), text.slice(0, 7), text.slice(0, 4)].filter((t, i, all) => all.indexOf(t) === i);
      const minute = /^(.*T\d\d:\d\d):\d\d(?:\.\d+)?(.*)$/.exec(text);
      if (minute) shorter.push(minute[1] + minute[2]);
      for (const t of shorter) {
        for (const prefix of ['', 'eq', 'ge', 'le', 'gt', 'lt', 'ne', 'sa', 'eb']) {
          if (prefix === 'eq' && hash(t) % 8) continue;
          add(`${prefix || 'eq'} at ${precision(t)}`, { prefix, text: t });
        }
      }
      const year = Number(text.slice(0, 4));
      add('next year', { prefix: 'lt', text: String(year + 1) });
      add('last year', { prefix: 'gt', text: String(year - 1) });
    }
  },

  number(value, add, simple) {
    numbers(value.text, (kind, a) => add(kind, a));
    simple.push({ prefix: '', number: plain(value.text) });
  },

  quantity(value, add, simple) {
    numbers(value.text, (kind, a) => {
      add(kind, a);
      for (const { system, code, unit } of value.units) {
        if (system !== undefined && code !== undefined) add(`${kind}|system|code`, { ...a, system, code });
        if (code !== undefined) add(`${kind}||code`, { ...a, unit: code });
        if (unit !== undefined && unit !== code) add(`${kind}||unit`, { ...a, unit });
      }
    });
    simple.push({ prefix: '', number: plain(value.text) });
    const { system, code } = value.units[0];
    const other = system === UCUM && OTHER[code];
    const converted = other ? convert(Number(value.text), code, other) : null;
    if (!converted) return;
    const ask = (prefix, factor) => add(`other unit ${prefix}`, { prefix, number: plain((converted * factor).toPrecision(4)), system, code: other });
    ask('', 1);
    ask('', 1.03);
    for (const [prefix, factor] of [['ge', 0.9], ['ge', 1.1], ['lt', 0.9], ['lt', 1.1], ['gt', 0.95], ['le', 1.05], ['ne', 1], ['sa', 0.97], ['eb', 0.97], ['ap', 1.05], ['ap', 1.2]]) {
      ask(prefix, factor);
    }
  },

  // every part's plainest spelling, its other spellings with the first of the others, and a part of another element
  composite({ parts }, add, simple, pair, other) {
    const spelt = (part, i) => part.flatMap((fact) => plainest(pair.components[i].kind, fact));
    const mine = parts.map(spelt);
    if (mine.some((part) => !part.length)) return;
    const first = mine.map((part) => part[0]);
    simple.push({ parts: first });
    mine.forEach((part, i) => {
      for (const one of part) add('parts', { parts: first.map((f, n) => (n === i ? one : f)) });
      const foreign = spelt(other.parts[i], i)[0];
      if (foreign) add('part of another element', { parts: first.map((f, n) => (n === i ? foreign : f)) });
    });
  },

  special({ lat, lon }, add) {
    for (const [km, units] of [[1, 'km'], [50, 'km'], [500, ''], [0.1, 'km'], [20000, 'km'], [500, 'm'], [30, '[mi_i]'], [5000, 'km']]) {
      const factor = { km: 1, '': 1, m: 0.001, '[mi_i]': 1.609344 }[units];
      // a little away, so that no edge decides
      const at = { lat: Number((lat + 0.21).toFixed(4)), lon: Number((lon - 0.13).toFixed(4)) };
      for (const c of [{ lat, lon }, at]) add(`${km} ${units}`, { ...c, km: km * factor, written: `${c.lat}|${c.lon}|${km}${units && `|${units}`}` });
    }
  },
};

/** Spellings of one fact as a part of a composite, the plainest first. */
function plainest(kind, fact) {
  const terms = [];
  const add = (label, alternative, modifier = '') => modifier === '' && terms.push(alternative);
  MAKE[kind](fact, add, []);
  const rank = (a) => (a.prefix ? 1 : 0);
  return terms.sort((a, b) => rank(a) - rank(b)).slice(0, 14);
}

function precision(text) {
  return { 4: 'year', 7: 'month', 10: 'day' }[text.length] ?? (/T\d\d:\d\d(Z|[+-]|$)/.test(text) ? 'minute' : 'second');
}

/** The value itself, one digit more, one digit less, in exponential form, and its neighbours under each prefix. */
function numbers(text, add) {
  const value = plain(text);
  const { n, scale } = decimal(value);
  add('eq', { prefix: '', number: value });
  add('one digit more', { prefix: '', number: value.includes('.') ? `${value}0` : `${value}.0` });
  if (scale > 0) add('one digit less', { prefix: '', number: write(n / 10n, scale - 1) });
  add('near', { prefix: '', number: write(n + 1n, scale) });
  const digits = String(n < 0n ? -n : n);
  if (digits.length > 1) {
    add('exponent', { prefix: '', number: `${n < 0n ? '-' : ''}${digits[0]}.${digits.slice(1)}e${digits.length - 1 - scale}` });
  }
  for (const prefix of ['ge', 'le', 'gt', 'lt', 'ne', 'sa', 'eb', 'ap']) {
    add(prefix, { prefix, number: value });
    if (prefix === 'ap') {
      for (const [label, by] of [['below', 95n], ['above', 108n], ['far above', 112n], ['far below', 80n]]) {
        add(`ap ${label}`, { prefix, number: write(n * by, scale + 2) });
      }
      continue;
    }
    add(`${prefix} near`, { prefix, number: write(n * 10n + (prefix[0] === 'g' || prefix === 'sa' ? -1n : 1n), scale + 1) });
  }
}

/** Without an exponent. */
function plain(text) {
  const { n, scale } = decimal(text);
  return scale < 0 ? write(n * 10n ** BigInt(-scale), 0) : write(n, scale);
}

function write(n, scale) {
  const digits = String(n < 0n ? -n : n).padStart(scale + 1, '0');
  const at = digits.length - scale;
  return `${n < 0n ? '-' : ''}${digits.slice(0, at)}${scale > 0 ? `.${digits.slice(at)}` : ''}`;
}
