// Search values made from the values found in the examples, and their spelling in a URL.
import { decimal, withoutAccents } from './values.mjs';

/** `\ , | $` inside a value are escaped; then what has a meaning in a URL is percent-encoded. */
const data = (text) => text.replace(/[\\,|$]/g, '\\$&');
const url = (text) => encodeURIComponent(text).replace(/%(3A|2F|7C|2C|40|3B)/g, decodeURIComponent);

export function spell(term) {
  const modifier = term.modifier ? `:${term.modifier}` : '';
  return `${term.code}${modifier}=${term.alternatives.map((a) => url(SPELL[term.modifier === 'missing' ? 'string' : term.kind](a))).join(',')}`;
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
    const term = { kind: pair.kind, code: pair.code, modifier, targets: pair.targets, alternatives: [].concat(alternative) };
    const text = spell(term);
    if (seen.has(text) || text.length > 6000) return;
    seen.add(text);
    terms.push({ label, term });
  };
  add('missing', { text: 'true' }, 'missing');
  add('missing', { text: 'false' }, 'missing');
  const simple = [];
  for (const value of rows.flatMap((r) => r.facts.values)) MAKE[pair.kind](value, add, simple);
  // OR: neighbours in the list of plain values, which seldom come from one resource
  const texts = new Set();
  const distinct = simple.filter((a) => a && !texts.has(JSON.stringify(a)) && texts.add(JSON.stringify(a)));
  for (let i = 0; i + 1 < distinct.length; i += 2) add('or', [distinct[i], distinct.at(-1 - i / 2) ?? distinct[i + 1]]);
  return terms;
}

const MAKE = {
  token(value, add, simple) {
    const { code, system } = value;
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
  },

  uri(value, add, simple) {
    simple.push({ text: value });
    add('whole', { text: value });
    add('beginning', { text: value.slice(0, -1) });
    if (value.toUpperCase() !== value) add('other case', { text: value.toUpperCase() });
  },

  reference(value, add, simple) {
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
  },
};

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
  for (const prefix of ['ge', 'le', 'gt', 'lt', 'ne', 'sa', 'eb']) {
    add(prefix, { prefix, number: value });
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
