// A slow lake: resources in memory, searched by loops over the values of their parameters. A search is a tree:
//   {term}                                what one row decides (evaluate.mjs)
//   {chain: code, named: type?, inner}    code[:type].inner
//   {has: type, code, inner}              _has:type:code:inner
//   {and: [...]}, {or: [...]}, {not: …}   all, any, none
//   {list: id}                            _list=id
//   {compartment: type, id}               type/id/…
import { matches, READINGS } from './evaluate.mjs';
import { Extractor } from './extract.mjs';
import { facts } from './facts.mjs';
import { spell } from './queries.mjs';

export class Lake {
  constructor(definitions, resources) {
    this.definitions = definitions;
    this.extractor = new Extractor();
    this.byType = new Map();
    this.byName = new Map();
    for (const resource of resources) {
      const { resourceType: type, id } = resource;
      if (!this.byType.has(type)) this.byType.set(type, []);
      this.byType.get(type).push(resource);
      this.byName.set(`${type}/${id}`, resource);
    }
    this.parameters = new Map();
    for (const pair of definitions.pairs()) this.add(pair);
    this.extracted = new Map();
    this.found = new Map();
  }

  add(pair) {
    this.parameters.set(`${pair.type} ${pair.code}`, pair);
  }

  get types() {
    return [...this.byType.keys()].sort();
  }

  rows(type) {
    return this.byType.get(type) ?? [];
  }

  parameter(type, code) {
    return this.parameters.get(`${type} ${code}`);
  }

  parametersOf(type) {
    return [...this.parameters.values()].filter((p) => p.type === type);
  }

  /** The facts of every row of a type, in the order of the rows. */
  facts(type, code) {
    const key = `${type} ${code}`;
    if (!this.extracted.has(key)) {
      const pair = this.parameters.get(key);
      if (!pair) throw new Error(`no parameter ${code} of ${type}`);
      const { extractor, definitions } = this;
      this.extracted.set(
        key,
        this.rows(type).map((r) => facts(pair, extractor.nodes(pair.expression, r), r, definitions, extractor)),
      );
    }
    return this.extracted.get(key);
  }

  /** The rows of a type that point by a parameter at a resource of the lake: [[row's id, target's type, target's id]]. */
  links(type, code) {
    const rows = this.rows(type);
    return this.facts(type, code).flatMap((f, i) =>
      f.values.flatMap((v) => (v.id !== undefined && v.type !== undefined ? [[rows[i].id, v.type, v.id]] : [])),
    );
  }

  /** The ids of the rows of a type that a search finds. */
  find(type, node) {
    const key = `${type}?${write(node)}`;
    if (!this.found.has(key)) this.found.set(key, this.work(type, node));
    return this.found.get(key);
  }

  work(type, node) {
    const rows = this.rows(type);
    if (node.term) return new Set(rows.filter((_, i) => matches(node.term, this.facts(type, node.term.code)[i])).map((r) => r.id));
    if (node.chain) {
      const wanted = new Map(this.chainTargets(type, node).map((target) => [target, this.find(target, node.inner)]));
      return new Set(this.links(type, node.chain).filter(([, target, id]) => wanted.get(target)?.has(id)).map(([id]) => id));
    }
    if (node.has) {
      const inner = this.find(node.has, node.inner);
      const here = new Set(rows.map((r) => r.id));
      return new Set(this.links(node.has, node.code).filter(([from, target, id]) => inner.has(from) && target === type && here.has(id)).map(([, , id]) => id));
    }
    if (node.and) return node.and.map((n) => this.find(type, n)).reduce((a, b) => new Set([...a].filter((id) => b.has(id))));
    if (node.or) return new Set(node.or.flatMap((n) => [...this.find(type, n)]));
    if (node.not) {
      const inner = this.find(type, node.not);
      return new Set(rows.map((r) => r.id).filter((id) => !inner.has(id)));
    }
    if (node.list) {
      const items = this.byName.get(`List/${node.list}`)?.entry ?? [];
      return new Set(items.map((e) => e.item.reference.split('/')).filter(([t]) => t === type).map(([, id]) => id).filter((id) => this.byName.has(`${type}/${id}`)));
    }
    if (node.compartment) return this.inCompartment(type, node.compartment, node.id);
    throw new Error(`no search ${JSON.stringify(node)}`);
  }

  /** The types that a chain goes through: the one named, or those of the targets that know what is asked of them. */
  chainTargets(type, { chain, named, inner }) {
    if (named) return [named];
    return this.parameter(type, chain).targets.filter((target) => this.understands(target, inner));
  }

  understands(type, node) {
    if (node.term) return this.parameter(type, node.term.code)?.kind === node.term.kind;
    if (node.chain) return this.parameter(type, node.chain)?.kind === 'reference' && this.chainTargets(type, node).length > 0;
    if (node.has) return this.parameter(node.has, node.code)?.targets.includes(type) ?? false;
    return true;
  }

  /** CompartmentDefinition: the resource itself, and what points at it by one of the parameters listed for its type. */
  inCompartment(type, focus, id) {
    const definition = this.definitions.compartments.find((c) => c.code === focus);
    const params = definition.resource.find((r) => r.code === type)?.param ?? [];
    const inside = new Set();
    for (const code of params) {
      if (code === '{def}') {
        if (type === focus) inside.add(id);
        continue;
      }
      for (const [from, target, to] of this.links(type, code)) if (target === focus && to === id) inside.add(from);
    }
    return inside;
  }

  /** Does another reading of the text change what the term finds here? */
  isChoice(type, term) {
    return READINGS[term.kind].some((reading) => this.facts(type, term.code).some((f) => matches(term, f) !== matches(term, f, reading)));
  }
}

/** The search as a client writes it, without the type: its arguments, joined. */
export function write(node) {
  if (node.and) return node.and.map(write).join('&');
  if (node.list) return `_list=${node.list}`;
  if (node.chain) return `${node.chain}${node.named ? `:${node.named}` : ''}.${write(node.inner)}`;
  if (node.has) return `_has:${node.has}:${node.code}:${write(node.inner)}`;
  if (node.term) return spell(node.term);
  return JSON.stringify(node);
}

/** The resources that come along with these: rounds of `_include` and `_revinclude`, {type, code, target?, reverse, iterate}. */
export function included(lake, rules, names) {
  const all = new Set(names);
  const step = (from, some) => {
    const next = new Set();
    for (const rule of some) {
      for (const [id, target, to] of lake.links(rule.type, rule.code)) {
        if (rule.target && rule.target !== target) continue;
        const [source, end] = [`${rule.type}/${id}`, `${target}/${to}`];
        if (!lake.byName.has(end)) continue;
        if (rule.reverse ? from.has(end) : from.has(source)) next.add(rule.reverse ? source : end);
      }
    }
    return new Set([...next].filter((name) => !all.has(name)));
  };
  let fresh = new Set(names);
  for (let some = rules; fresh.size; some = rules.filter((r) => r.iterate)) {
    fresh = step(fresh, some);
    for (const name of fresh) all.add(name);
  }
  for (const name of names) all.delete(name);
  return all;
}
