// One alternative of one search parameter against one resource's facts, by the letter of the R4 search page.
import { convertDecimal, UCUM, unsure } from './units.mjs';
import { compareDecimals, dateRange, decimal, fold, foldCase, impliedRange } from './values.mjs';

/**
 * Does the resource match? A term is {kind, modifier, alternatives: [...]}; alternatives are OR.
 * `reading` names another reading of the text (README.md); it only serves to mark the queries that hang on it.
 */
export function matches(term, facts, reading = '') {
  if (term.modifier === 'missing') {
    const present = reading === 'missing' ? facts.values.length > 0 : facts.present;
    return present !== (term.alternatives[0].text === 'true');
  }
  if (term.modifier === 'text') {
    return term.alternatives.some((a) => facts.texts.some((text) => TESTS.string(a, text, { modifier: '' }, reading)));
  }
  if (term.modifier === 'identifier') {
    return term.alternatives.some((a) => facts.identifiers.some((i) => TESTS.token(a, { system: i.system, code: i.value }, term, '')));
  }
  const values = reading === 'fact' ? facts.values.filter((v) => !v.choice) : facts.values;
  const test = term.modifier === 'of-type' ? ofType : TESTS[term.kind];
  const one = (a) => values.some((v) => test(a, v, term, reading));
  if (term.modifier === 'not') return reading === 'not-or' ? !term.alternatives.every(one) : !term.alternatives.some(one);
  return term.alternatives.some(one);
}

/** 3.1.1.4.10 on :of-type: system|code of one of the identifier's types, and the identifier's value. */
function ofType(want, value) {
  return value.code === want.value && (value.types ?? []).some((c) => c.system === want.system && c.code === want.code);
}

/** The other readings that can change an answer, by parameter type. */
export const READINGS = {
  token: ['token-case', 'implicit-system', 'missing', 'string-separators', 'not-or'],
  string: ['string-separators', 'missing'],
  reference: ['reference-url', 'reference-target', 'canonical-version', 'fact', 'missing'],
  date: ['date-overlap', 'fact', 'missing'],
  number: ['missing'],
  quantity: ['ucum-unsure', 'fact', 'missing', 'ucum'],
  uri: ['missing', 'uri-segments'],
  composite: ['ucum-unsure', 'token-case', 'implicit-system', 'fact', 'date-overlap', 'reference-target', 'ucum'],
  special: ['missing'],
};

/** Without punctuation, and with one space for several; a text of nothing else stays. */
const unmarked = (s) => fold(s).replace(/\p{P}+/gu, '').replace(/\s+/gu, ' ').trim() || fold(s);

const TESTS = {
  token(want, value, term, reading) {
    if (want.code !== undefined) {
      const same = value.anyCase || reading === 'token-case' ? foldCase(value.code ?? '') === foldCase(want.code) : value.code === want.code;
      if (!same) return false;
    }
    if (want.system === undefined) return true; // code
    if (value.implicit && reading === 'implicit-system') return want.system === null;
    if (want.system === null) return value.system === undefined; // |code
    return value.system === want.system; // system|code and system|
  },

  string(want, value, term, reading) {
    if (term.modifier === 'exact') return value === want.text;
    const plain = reading === 'string-separators' ? fold : unmarked;
    return term.modifier === 'contains' ? plain(value).includes(plain(want.text)) : plain(value).startsWith(plain(want.text));
  },

  uri(want, value, term, reading) {
    if (term.modifier === 'below') return within(value, want.text, reading);
    if (term.modifier === 'above') return within(want.text, value, reading);
    return value === want.text;
  },

  reference(want, value, term, reading) {
    if (value.local) return false;
    if (want.url !== undefined) {
      if (value.url !== want.url) return false;
      if (reading === 'canonical-version') return value.version === want.version;
      return want.version === undefined || value.version === want.version;
    }
    if (reading === 'reference-url' && value.id === undefined && want.type !== undefined) {
      return value.url?.endsWith(`/${want.type}/${want.id}`) ?? false;
    }
    if (value.id === undefined || value.id !== want.id) return false;
    if (/^[A-Z]/.test(term.modifier)) return value.type === term.modifier;
    if (want.type !== undefined) return value.type === want.type;
    return reading === 'reference-target' || term.targets.includes(value.type);
  },

  date(want, value, term, reading) {
    const search = dateRange(want.text);
    // A point (an instant) lies in [lo, hi) when lo ≤ t < hi; an interval [lo, hi) when its ends do.
    const contained =
      value.lo !== null && value.hi !== null && search.lo <= value.lo && (value.point ? value.lo < search.hi : value.hi <= search.hi);
    const above = value.hi === null || (value.point ? value.hi >= search.hi : value.hi > search.hi);
    const below = value.lo === null || value.lo < search.lo;
    return byPrefix(want.prefix, {
      contained,
      above,
      below,
      after: value.lo !== null && value.lo >= search.hi,
      before: value.hi !== null && (value.point ? value.hi < search.lo : value.hi <= search.lo),
      near: near(search, value, term.clock),
      ...(reading === 'date-overlap' && {
        orAbove: value.hi === null || (value.point ? value.hi >= search.lo : value.hi > search.lo),
        orBelow: value.lo === null || value.lo < search.hi,
      }),
    });
  },

  number: numeric,

  composite(want, value, term, reading) {
    return term.components.every(({ kind, targets }, i) =>
      value.parts[i].some((part) => (reading !== 'fact' || !part.choice) && TESTS[kind](want.parts[i], part, { kind, modifier: '', targets, clock: term.clock }, reading)),
    );
  },

  // a great circle on a sphere of the earth's mean radius
  special(want, value) {
    const rad = (degrees) => (degrees * Math.PI) / 180;
    const [a, b] = [rad(want.lat), rad(value.lat)];
    const h = Math.sin((b - a) / 2) ** 2 + Math.cos(a) * Math.cos(b) * Math.sin(rad(value.lon - want.lon) / 2) ** 2;
    return 2 * 6371.0088 * Math.asin(Math.sqrt(h)) <= want.km;
  },

  quantity(want, value, term, reading) {
    if (want.system !== undefined && !value.units.some((u) => u.system === want.system && u.code === want.code)) {
      if (want.system !== UCUM || want.code === undefined || reading === 'ucum') return false;
      // in another unit: the value is converted to the one searched for
      return value.units.some((u) => {
        if (u.system !== UCUM || u.code === undefined) return false;
        if (unsure(u.code, want.code)) return reading === 'ucum-unsure';
        const [lo, hi] = [value.lo, value.hi].map((end) => end && convertDecimal(end, u.code, want.code));
        return (lo ?? hi) !== null && (lo === null) === (value.lo === null) && (hi === null) === (value.hi === null) && numeric(want, { ...value, lo, hi });
      });
    }
    if (want.unit !== undefined && !value.units.some((u) => u.code === want.unit || u.unit === want.unit)) return false;
    return numeric(want, value);
  },
};

/** Is the url the other, or below it by whole segments? The other reading takes "starts with" to the letter. */
function within(url, top, reading) {
  if (!url.startsWith(top)) return false;
  return reading === 'uri-segments' || url === top || top.endsWith('/') || url[top.length] === '/';
}

/** 3.1.1.4.5 on ap: the search value's range, widened by a tenth of its distance from now, overlaps the target. */
export function near(search, value, clock, slack = 1) {
  if (clock === undefined) return false;
  const now = BigInt(clock) * 1_000_000n;
  const gap = (now < search.lo ? search.lo - now : now > search.hi ? now - search.hi : 0n) * BigInt(Math.round(slack * 1000)) / 10_000n;
  const [lo, hi] = [search.lo - gap, search.hi + gap];
  return (value.lo === null || value.lo < hi) && (value.hi === null || value.hi > lo || (value.point === true && value.hi === lo));
}

function numeric(want, value) {
  const v = decimal(want.number);
  const range = impliedRange(v);
  const { lo, hi, loOpen, hiOpen } = value;
  const low = lo === null ? -1 : compareDecimals(lo, v); // the interval's ends against the exact search value
  const high = hi === null ? 1 : compareDecimals(hi, v);
  const end = hi === null ? 1 : compareDecimals(hi, range.hi);
  // ap: within a tenth of the value to either side, the ends included
  const size = v.n < 0n ? -v.n : v.n;
  const least = { n: v.n * 10n - size, scale: v.scale + 1 };
  const most = { n: v.n * 10n + size, scale: v.scale + 1 };
  const from = lo === null ? -1 : compareDecimals(lo, most);
  const to = hi === null ? 1 : compareDecimals(hi, least);
  return byPrefix(want.prefix, {
    contained: lo !== null && hi !== null && compareDecimals(lo, range.lo) >= 0 && (hiOpen ? end <= 0 : end < 0),
    above: high > 0,
    below: low < 0,
    orAbove: high > 0 || (high === 0 && !hiOpen),
    orBelow: low < 0 || (low === 0 && !loOpen),
    near: (from < 0 || (from === 0 && !loOpen)) && (to > 0 || (to === 0 && !hiOpen)),
    after: lo !== null && (low > 0 || (low === 0 && loOpen === true)),
    before: hi !== null && (high < 0 || (high === 0 && hiOpen === true)),
  });
}

function byPrefix(prefix, is) {
  switch (prefix) {
    case '':
    case 'eq':
      return is.contained;
    case 'ne':
      return !is.contained;
    case 'gt':
      return is.above;
    case 'lt':
      return is.below;
    case 'ge':
      return is.orAbove ?? (is.above || is.contained);
    case 'le':
      return is.orBelow ?? (is.below || is.contained);
    case 'sa':
      return is.after;
    case 'eb':
      return is.before;
    case 'ap':
      return is.near;
  }
  throw new Error(`unknown prefix ${prefix}`);
}
