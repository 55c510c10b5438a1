// Orders, pages, includes, lists, compartments, several types and _filter.
import { cmp } from './definitions.mjs';
import { matches } from './evaluate.mjs';
import { included, write } from './lake.mjs';
import { difference } from './asked.mjs';
import { hash } from './queries.mjs';
import { compareDecimals, fold } from './values.mjs';

export function pageQueries(asked, all) {
  orders(asked, all ? 6 : 2);
  includes(asked, all ? 4 : 1);
  lists(asked);
  compartments(asked, all ? 8 : 3);
  severalTypes(asked);
  filters(asked, all ? 3 : 1);
}

const named = (type, ids) => [...ids].map((id) => `${type}/${id}`);

// --- _sort and pages -------------------------------------------------------------------------------------------------

/** What a row is sorted by: its earliest value in that direction, as {low, high?}; undefined if it has none. 3.1.1.5.1 */
function sortKey(kind, { values }, descending) {
  const keys = values.map((v) => {
    switch (kind) {
      case 'date':
      case 'number':
        return v.lo === null || v.hi === null ? null : [v.lo, v.hi];
      case 'quantity':
        return v.lo === null || v.hi === null ? null : [v.lo, v.hi, v.units[0]?.code];
      case 'string':
        return v;
      case 'token':
        return v.code;
      default:
        // the text gives references no order: type and id, then
        return v.id === undefined ? v.url : `${v.type}/${v.id}`;
    }
  });
  if (!keys.length) return undefined;
  if (keys.some((k) => k === null || k === undefined)) return null; // the text does not say where these go
  const order = ORDER[kind] ?? textOrder;
  return keys.reduce((a, b) => ((descending ? order.far(b, a) : order.near(a, b)) ? a : b));
}

const interval = (compare) => ({
  // ascending by the lower end; descending by the upper
  near: (a, b) => compare(a[0], b[0]) <= 0,
  far: (a, b) => compare(a[1], b[1]) <= 0,
  // in order for certain only where both ends say so; undefined where they do not
  compare: (a, b) => {
    if (a[2] !== b[2]) return undefined; // other units
    const [x, y] = [compare(a[0], b[0]), compare(a[1], b[1])];
    return x === y ? x : undefined;
  },
});
const bigints = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
const textOrder = {
  near: (a, b) => cmp(a, b) <= 0,
  far: (a, b) => cmp(a, b) <= 0,
  compare: (a, b) => (cmp(a, b) === cmp(fold(a), fold(b)) || fold(a) === fold(b) ? (fold(a) === fold(b) && a !== b ? undefined : cmp(a, b)) : undefined),
};
const ORDER = {
  date: interval(bigints),
  number: interval(compareDecimals),
  quantity: interval(compareDecimals),
  string: {
    near: (a, b) => cmp(fold(a), fold(b)) <= 0,
    far: (a, b) => cmp(fold(a), fold(b)) <= 0,
    // punctuation may count or not
    compare: (a, b) => {
      const bare = (s) => fold(s).replace(/[^\p{L}\p{N}]+/gu, '');
      const [x, y] = [cmp(fold(a), fold(b)), cmp(bare(a), bare(b))];
      return x === y ? x : undefined;
    },
  },
};

/** '' or the first two neighbours that stand in the wrong order. `keys` are {kind, of: name → key, descending}. */
function disorder(keys, names) {
  for (let i = 0; i + 1 < names.length; i++) {
    for (const { code, kind, of, descending } of keys) {
      const [a, b] = [of(names[i]), of(names[i + 1])];
      if (a === null || b === null) break;
      // those without a value stand together; where is not said, so the last is taken
      if (a === undefined || b === undefined) {
        if (a === undefined && b !== undefined) return `${names[i]} has no ${code} and stands before ${names[i + 1]}`;
        if (a !== b) break;
        continue;
      }
      const c = (ORDER[kind] ?? textOrder).compare(a, b);
      if (c === undefined || (descending ? -c : c) < 0) break;
      if (c !== 0) return `${names[i]} stands before ${names[i + 1]} (${code} ${show(a)} and ${show(b)})`;
    }
  }
  return '';
}
const show = (key) => JSON.stringify(key, (_, v) => (typeof v === 'bigint' ? String(v) : v));

function orders(asked, few) {
  const { lake } = asked;
  for (const type of lake.types) {
    if (lake.rows(type).length < 4) continue;
    const sortable = lake.parametersOf(type).filter(({ kind, code }) =>
      !['composite', 'special'].includes(kind) && !/^_(?!id$)/.test(code) && lake.facts(type, code).some((f) => f.present));
    const rules = sortable.flatMap((p) => [[[p, false]], [[p, true]]]);
    const pairs = sortable.flatMap((a) => sortable.filter((b) => b !== a).map((b) => [[a, hash(a.code) % 2 === 1], [b, hash(b.code) % 3 === 1]]));
    const by = (list) => list.map((r) => [hash(type + r.map(([p, d]) => p.code + d)), r]).sort((a, b) => a[0] - b[0]).map(([, r]) => r);
    const large = lake.rows(type).length > 300;
    // one of each kind of parameter before a second
    const turn = new Map();
    const kinds = by(rules).map((r) => [turn.set(r[0][0].kind, (turn.get(r[0][0].kind) ?? 0) + 1).get(r[0][0].kind), r]).sort((a, b) => a[0] - b[0]).map(([, r]) => r);
    for (const rule of [...kinds.slice(0, 5 * few), ...by(pairs).slice(0, 3 * few)]) {
      const narrow = large ? asked.some(type, 12, 'sort').find((n) => within(lake.find(type, n).size, 5, 300)) : undefined;
      if (large && !narrow) continue;
      ordered(asked, type, rule, narrow, large || rule.length > 1 ? 1000 : 17);
    }
    for (const count of [1, 7, 50, 1000]) {
      const node = asked.some(type, 20, `pages ${count}`).find((n) => within(lake.find(type, n).size, 2, count * 60));
      if (!node) continue;
      const [p, descending] = by(rules)[count % rules.length][0];
      paged(asked, type, node, count, '');
      paged(asked, type, node, count, `&_sort=${descending ? '-' : ''}${p.code}`);
      paged(asked, type, node, count, '&_sort=-_lastUpdated');
      paged(asked, type, node, count, `&_sort=${p.code},-_id`);
    }
  }
}

const within = (n, least, most) => n >= least && n <= most;

function ordered(asked, type, rule, node, count) {
  const { lake } = asked;
  const rows = lake.rows(type);
  const keys = rule.map(([{ code, kind }, descending]) => {
    const all = new Map(rows.map((r, i) => [`${type}/${r.id}`, sortKey(kind, lake.facts(type, code)[i], descending)]));
    return { code, kind, descending, of: (name) => all.get(name) };
  });
  const sort = rule.map(([p, descending]) => (descending ? '-' : '') + p.code).join(',');
  const want = named(type, node ? lake.find(type, node) : rows.map((r) => r.id)).sort(cmp);
  asked.pages(rule.length > 1 ? '_sort, two keys' : `_sort by ${rule[0][0].kind}`, `${type}?${node ? `${write(node)}&` : ''}_sort=${sort}&_count=${count}`, (pages) => {
    const got = pages.flat().filter(([mode]) => mode === 'match').map(([, name]) => name);
    return difference(want, [...got].sort(cmp)) || disorder(keys, got);
  });
}

/** All pages together hold every match once, and each but the last is full. */
function paged(asked, type, node, count, sort) {
  const want = named(type, asked.lake.find(type, node)).sort(cmp);
  asked.pages(`pages of ${count}`, `${type}?${write(node)}${sort}&_count=${count}`, (pages) => {
    const matched = pages.map((page) => page.filter(([mode]) => mode === 'match'));
    const wrong = difference(want, matched.flat().map(([, name]) => name).sort(cmp));
    if (wrong) return wrong;
    if (matched.slice(0, -1).some((page) => page.length !== count)) return `pages of ${matched.map((p) => p.length).join(', ').slice(0, 100)}`;
    if (matched.length > 1 && !matched.at(-1).length) return 'the last page is empty';
    const times = sort === '&_sort=-_lastUpdated' ? matched.flat().map(([, , at]) => at) : [];
    return times.some((t, i) => i && Date.parse(t) > Date.parse(times[i - 1])) ? 'not by _lastUpdated, the newest first' : '';
  });
}

// --- _include and _revinclude ----------------------------------------------------------------------------------------

function includes(asked, few) {
  const { lake } = asked;
  const edges = asked.edges();
  const pick = (list, n, salt) => list.map((x) => [hash(salt + JSON.stringify(x)), x]).sort((a, b) => a[0] - b[0]).slice(0, n).map(([, x]) => x);
  for (const type of lake.types) {
    const out = edges.filter((e) => e.type === type).map((e) => ({ ...e, reverse: false }));
    const back = edges.filter((e) => e.target === type).map((e) => ({ ...e, reverse: true }));
    for (const rule of pick(out, 3 * few, 'out')) {
      ask(asked, '_include', type, [{ ...rule, target: undefined }]);
      ask(asked, '_include, target', type, [rule]);
    }
    for (const rule of pick(back, 3 * few, 'back')) ask(asked, '_revinclude', type, [{ ...rule, target: undefined }]);
    const mixed = [...out, ...back];
    if (mixed.length > 1) ask(asked, 'several includes', type, pick(mixed, 3, 'several'));
    for (const first of pick(mixed, 3 * few, 'iterate')) {
      const middle = first.reverse ? first.type : first.target;
      const next = edges.filter((e) => e.type === middle && e !== first).map((e) => ({ ...e, reverse: false, iterate: true }));
      const nextBack = edges.filter((e) => e.target === middle).map((e) => ({ ...e, reverse: true, iterate: true }));
      for (const second of pick([...next, ...nextBack], 2, `iterate ${first.code}`)) {
        ask(asked, 'iterate', type, [first, second]);
        // without :iterate it is of the matches alone
        ask(asked, 'not iterate', type, [first, { ...second, iterate: false }]);
      }
    }
  }
}

/** Small matches, so that an answer may hold all that comes along: each page has what its matches bring. */
function ask(asked, test, type, rules) {
  const { lake } = asked;
  const salt = JSON.stringify(rules);
  const node = asked.some(type, 30, salt).find((n) => {
    const ids = lake.find(type, n);
    return within(ids.size, 1, 60) && included(lake, rules, named(type, ids)).size < 800;
  });
  if (!node) return;
  const want = named(type, lake.find(type, node)).sort(cmp);
  const written = rules.map(({ type: t, code, target, reverse, iterate }) =>
    `&_${reverse ? 'rev' : ''}include${iterate ? ':iterate' : ''}=${t}:${code}${target ? `:${target}` : ''}`).join('');
  for (const count of [5, 1000]) {
    asked.pages(test, `${type}?${write(node)}${written}&_count=${count}`, (pages) => {
      const matched = (page) => page.filter(([mode]) => mode === 'match').map(([, name]) => name);
      const wrong = difference(want, pages.flatMap(matched).sort(cmp));
      if (wrong) return `matches: ${wrong}`;
      for (const page of pages) {
        const along = [...included(lake, rules, matched(page))].sort(cmp);
        const came = page.filter(([mode]) => mode === 'include').map(([, name]) => name).sort(cmp);
        const problem = difference(along, came);
        if (problem) return `included: ${problem}`;
      }
      return '';
    });
  }
}

// --- _list, compartments, several types ------------------------------------------------------------------------------

function lists(asked) {
  const { lake } = asked;
  for (const list of lake.rows('List').map((r) => r.id)) {
    for (const type of ['Patient', 'Condition', 'Observation']) {
      asked.rows('_list', type, { list });
      for (const term of asked.some(type, 3, list)) asked.rows('_list and a parameter', type, { and: [{ list }, term] });
    }
  }
}

function compartments(asked, few) {
  const { lake } = asked;
  for (const { code: focus } of lake.definitions.compartments) {
    const ids = lake.rows(focus).map((r) => r.id).sort((a, b) => hash(a) - hash(b)).slice(0, few);
    for (const id of ids) {
      const all = [];
      for (const type of lake.types) {
        const node = { compartment: focus, id };
        const inside = lake.find(type, node);
        all.push(...named(type, inside));
        // the resource itself is read as a member of its own compartment only by its own type's parameters
        if (type === focus) continue;
        if (!lake.definitions.compartments.find((c) => c.code === focus).resource.find((r) => r.code === type)?.param) {
          // nothing, or told to be a mistake
          asked.ask('compartment without the type', 'rows', `${focus}/${id}/${type}`, (got) => difference([], got), /never in a compartment/);
          continue;
        }
        asked.names('compartment', `${focus}/${id}/${type}`, named(type, inside));
        for (const term of asked.some(type, 2, id)) {
          asked.names('compartment and a parameter', `${focus}/${id}/${type}?${write(term)}`, named(type, lake.find(type, { and: [node, term] })));
        }
      }
    }
    asked.names('compartment', `${focus}/nobody-at-all/Observation`, []);
  }
}

function severalTypes(asked) {
  const { lake } = asked;
  const some = (types, node) => types.flatMap((type) => named(type, lake.find(type, node)));
  for (const [i, a] of lake.types.entries()) {
    const b = lake.types[(i + 5) % lake.types.length];
    const types = [a, b];
    const both = lake.rows(a).slice(0, 2).concat(lake.rows(b).slice(0, 2)).map((r) => r.id);
    const id = { term: { kind: 'token', code: '_id', modifier: '', alternatives: both.map((code) => ({ code })) } };
    asked.names('_type', `?_type=${a},${b}&${write(id)}`, some(types, id));
    for (const node of asked.some(a, 12, 'types')) {
      const { code, kind } = node.term;
      const other = lake.parameter(b, code);
      if (other?.kind !== kind || (kind === 'reference' && String(other.targets) !== String(node.term.targets))) continue;
      asked.names('_type and a common parameter', `?_type=${a},${b}&${write(node)}`, some(types, node));
    }
  }
}

// --- _filter: https://hl7.org/fhir/R4/search_filter.html -------------------------------------------------------------

function filters(asked, few) {
  const { lake } = asked;
  for (const type of lake.types) {
    const simple = lake.parametersOf(type).filter((p) => p.code !== '_lastUpdated' && lake.facts(type, p.code).some((f) => f.present)).flatMap((p) => comparisons(asked, type, p));
    const sorted = simple.sort((a, b) => hash(a.text) - hash(b.text));
    const turn = new Map();
    const spread = sorted.map((f) => [turn.set(f.op, (turn.get(f.op) ?? 0) + 1).get(f.op), f]).sort((a, b) => a[0] - b[0]).map(([, f]) => f);
    for (const f of spread.slice(0, 10 * few)) filtered(asked, `_filter ${f.op}`, type, f);
    for (let i = 0; i + 2 < Math.min(spread.length, 12 * few); i += 3) {
      const [a, b, c] = spread.slice(i, i + 3);
      const both = (x, y) => (n) => x.holds(n) && y.holds(n);
      const any = (x, y) => (n) => x.holds(n) || y.holds(n);
      filtered(asked, '_filter and', type, { text: `${a.text} and ${b.text}`, holds: both(a, b) });
      filtered(asked, '_filter or', type, { text: `${a.text} or ${b.text}`, holds: any(a, b) });
      filtered(asked, '_filter not', type, { text: `not (${a.text})`, holds: (n) => !a.holds(n) });
      filtered(asked, '_filter ( )', type, { text: `(${a.text} or ${b.text}) and not (${c.text})`, holds: (n) => any(a, b)(n) && !c.holds(n) });
    }
  }
}

function filtered(asked, test, type, { text, holds }) {
  const names = asked.lake.rows(type).flatMap((r, i) => (holds(i) ? [`${type}/${r.id}`] : []));
  asked.names(test, `${type}?_filter=${encodeURIComponent(text)}`, names);
}

/** Single comparisons of a parameter on values of the data: {op, text, holds(row)}. */
function comparisons(asked, type, { code, kind, targets }) {
  const { lake } = asked;
  const facts = lake.facts(type, code);
  const values = [...new Map(facts.flatMap((f) => f.values).map((v) => [show(v), v])).values()].sort((a, b) => hash(show(a)) - hash(show(b)));
  const quoted = (text) => `"${text.replace(/[\\"]/g, '\\$&')}"`;
  const made = [];
  const add = (op, value, holds) => made.push({ op, text: `${code} ${op} ${value}`, holds });
  const some = (test) => (i) => facts[i].values.some(test);
  const term = (alternative) => {
    const t = { kind, code, modifier: '', targets, alternatives: [alternative] };
    return asked.lake.isChoice(type, t) ? undefined : (i) => matches(t, facts[i]);
  };
  for (const v of values.slice(0, 3)) {
    if (kind === 'string' && v.trim() === v && v.length > 3 && !/[,|$\\"]/.test(v)) {
      add('eq', quoted(v), some((x) => fold(x) === fold(v)));
      add('co', quoted(v.slice(1, 5).trim()), some((x) => fold(x).includes(fold(v.slice(1, 5).trim()))));
      add('sw', quoted(v.slice(0, 3).trim()), some((x) => fold(x).startsWith(fold(v.slice(0, 3).trim()))));
      add('ew', quoted(v.slice(-3).trim()), some((x) => fold(x).endsWith(fold(v.slice(-3).trim()))));
    }
    if (kind === 'token' && v.code && !/[\s,|$\\"()]/.test(v.code + (v.system ?? ''))) {
      const plain = term({ code: v.code });
      if (plain) add('eq', v.code, plain);
      const full = v.system && term({ code: v.code, system: v.system });
      if (full) add('eq', `${v.system}|${v.code}`, full);
    }
    if (kind === 'date') {
      for (const op of ['ge', 'lt', 'gt', 'le', 'eq', 'sa', 'eb']) {
        const holds = term({ prefix: op, text: v.texts[0].slice(0, 10) });
        if (holds) add(op, v.texts[0].slice(0, 10), holds);
      }
    }
    if (kind === 'number' || kind === 'quantity') {
      for (const op of ['ge', 'lt', 'gt', 'le']) {
        const holds = term({ prefix: op, number: v.text });
        if (holds) add(op, v.text, holds);
      }
    }
    if (kind === 'reference' && v.id !== undefined) add('eq', `${v.type}/${v.id}`, some((x) => x.type === v.type && x.id === v.id));
    if (kind === 'reference' && v.id !== undefined) add('re', `${v.type}/${v.id}`, some((x) => x.type === v.type && x.id === v.id));
  }
  if (!facts.some((f) => f.present !== f.values.length > 0)) {
    add('pr', 'true', (i) => facts[i].present);
    add('pr', 'false', (i) => !facts[i].present);
  }
  return made;
}
