// Chains and _has, one, two and three deep, in each other and beside other parameters.
import { near } from './evaluate.mjs';
import { hash } from './queries.mjs';
import { dateRange } from './values.mjs';

export function chainQueries(asked, all) {
  const { lake } = asked;
  const edges = asked.edges();
  const from = (type) => edges.filter((e) => e.type === type);
  const to = (type) => edges.filter((e) => e.target === type);
  const few = all ? 4 : 1;
  const ask = (test, type, node) => asked.rows(leaf(node).modifier ? `${test}, modifier` : test, type, node);

  for (const e of edges) {
    const salt = `${e.type} ${e.code}`;
    for (const inner of asked.some(e.target, 2 * few, salt)) ask('chain 1', e.type, { chain: e.code, named: e.target, inner });
    for (const inner of asked.some(e.target, few, `${salt} untyped`)) {
      const node = { chain: e.code, inner };
      if (lake.chainTargets(e.type, node).length) ask('chain 1, no type', e.type, node);
    }
    for (const inner of asked.some(e.type, 2 * few, salt)) ask('_has 1', e.target, { has: e.type, code: e.code, inner });
  }

  const pick = (list, n) => list.map((x) => [hash(JSON.stringify(x)), x]).sort((a, b) => a[0] - b[0]).slice(0, n).map(([, x]) => x);
  const two = edges.flatMap((a) => from(a.target).map((b) => [a, b]));
  const three = two.flatMap(([a, b]) => from(b.target).map((c) => [a, b, c]));
  const some = (type, salt) => asked.some(type, 1, JSON.stringify(salt))[0];
  const through = (path, inner) => path.reduceRight((node, e) => ({ chain: e.code, named: e.target, inner: node }), inner);
  const back = (path, inner) => path.reduce((node, e) => ({ has: e.type, code: e.code, inner: node }), inner);
  for (const path of pick(two, 90 * few)) {
    const inner = some(path[1].target, path);
    if (inner) ask('chain 2', path[0].type, through(path, inner));
  }
  for (const path of pick(three, 60 * few)) {
    const inner = some(path[2].target, path);
    if (inner) ask('chain 3', path[0].type, through(path, inner));
  }
  // _has:B:b:_has:A:a:… of C, where A.a points at B and B.b at C
  for (const path of pick(two, 60 * few)) {
    const inner = some(path[0].type, path);
    if (inner) ask('_has 2', path[1].target, back(path, inner));
  }
  for (const path of pick(three, 40 * few)) {
    const inner = some(path[0].type, path);
    if (inner) ask('_has 3', path[2].target, back(path, inner));
  }
  // a chain in _has: what points here has a reference to something
  const forks = edges.flatMap((a) => from(a.type).filter((b) => b.code !== a.code).map((b) => [a, b]));
  for (const [a, b] of pick(forks, 60 * few)) {
    const inner = some(b.target, [a, b]);
    if (inner) ask('chain in _has', a.target, { has: a.type, code: a.code, inner: { chain: b.code, named: b.target, inner } });
  }
  // _has in a chain: what this points at is pointed at by something
  const meets = edges.flatMap((a) => to(a.target).filter((b) => b.type !== a.type).map((b) => [a, b]));
  for (const [a, b] of pick(meets, 60 * few)) {
    const inner = some(b.type, [a, b]);
    if (inner) ask('_has in a chain', a.type, { chain: a.code, named: a.target, inner: { has: b.type, code: b.code, inner } });
  }
  // beside plain parameters, and two chains: each is for itself
  for (const e of pick(edges, 40 * few)) {
    const plain = asked.some(e.type, 3, 'and');
    const inner = asked.some(e.target, 2, 'and');
    if (plain[0] && inner[0]) ask('chain and plain', e.type, { and: [plain[0], { chain: e.code, named: e.target, inner: inner[0] }] });
    if (inner[1]) ask('two chains', e.type, { and: inner.map((i) => ({ chain: e.code, named: e.target, inner: i })) });
    const theirs = asked.some(e.target, 1, 'has');
    if (theirs[0] && plain[1]) ask('_has and plain', e.target, { and: [theirs[0], { has: e.type, code: e.code, inner: plain[1] }] });
    if (plain[2]) ask('two _has', e.target, { and: plain.slice(1).map((i) => ({ has: e.type, code: e.code, inner: i })) });
  }
  approximately(asked);
}

/** ap on dates, where neither the size of the tenth nor the minute of the run matters. */
function approximately(asked) {
  const { lake } = asked;
  const clock = Date.now();
  for (const type of lake.types) {
    for (const { code, kind } of lake.parametersOf(type)) {
      if (kind !== 'date' || code === '_lastUpdated') continue;
      const values = lake.facts(type, code).flatMap((f) => f.values);
      const texts = [...new Set(values.flatMap((v) => v.texts))].sort((a, b) => hash(a) - hash(b)).slice(0, 4);
      for (const text of texts.flatMap((t) => [t.slice(0, 10), t.slice(0, 4), String(Number(t.slice(0, 4)) + 2)])) {
        const search = dateRange(text);
        const firm = values.every((v) => [0.97, 1.03].every((slack) => near(search, v, clock, slack) === near(search, v, clock)));
        if (firm) asked.rows('date ap', type, { term: { kind, code, modifier: '', clock, alternatives: [{ prefix: 'ap', text }] } });
      }
    }
  }
}

function leaf(node) {
  if (node.term) return node.term;
  return leaf(node.inner ?? node.and.at(-1));
}

