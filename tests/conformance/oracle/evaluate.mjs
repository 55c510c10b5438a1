// One alternative of one search parameter against one resource's facts, by the letter of the R4 search page.
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
  const values = reading === 'fact' ? facts.values.filter((v) => !v.choice) : facts.values;
  const some = term.alternatives.some((a) => values.some((v) => TESTS[term.kind](a, v, term, reading)));
  return term.modifier === 'not' ? !some : some;
}

/** The other readings that can change an answer, by parameter type. */
export const READINGS = {
  token: ['token-case', 'implicit-system', 'missing'],
  string: ['string-separators', 'missing'],
  reference: ['reference-url', 'reference-target', 'canonical-version', 'fact', 'missing'],
  date: ['date-overlap', 'fact', 'missing'],
  number: ['missing'],
  quantity: ['fact', 'missing'],
  uri: ['missing'],
};

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
    const plain = reading === 'string-separators' ? (s) => fold(s).replace(/[\p{P}\s]+/gu, '') : fold;
    return plain(value).startsWith(plain(want.text));
  },

  uri: (want, value) => value === want.text,

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
    if (value.id !== want.id) return false;
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
      ...(reading === 'date-overlap' && {
        orAbove: value.hi === null || (value.point ? value.hi >= search.lo : value.hi > search.lo),
        orBelow: value.lo === null || value.lo < search.hi,
      }),
    });
  },

  number: numeric,

  quantity(want, value) {
    if (want.system !== undefined && !value.units.some((u) => u.system === want.system && u.code === want.code)) return false;
    if (want.unit !== undefined && !value.units.some((u) => u.code === want.unit || u.unit === want.unit)) return false;
    return numeric(want, value);
  },
};

function numeric(want, value) {
  const v = decimal(want.number);
  const range = impliedRange(v);
  const { lo, hi, loOpen, hiOpen } = value;
  const low = lo === null ? -1 : compareDecimals(lo, v); // the interval's ends against the exact search value
  const high = hi === null ? 1 : compareDecimals(hi, v);
  const end = hi === null ? 1 : compareDecimals(hi, range.hi);
  return byPrefix(want.prefix, {
    contained: lo !== null && hi !== null && compareDecimals(lo, range.lo) >= 0 && (hiOpen ? end <= 0 : end < 0),
    above: high > 0,
    below: low < 0,
    orAbove: high > 0 || (high === 0 && !hiOpen),
    orBelow: low < 0 || (low === 0 && !loOpen),
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
  }
  throw new Error(`unknown prefix ${prefix}`);
}
