import {
  checkArguments,
  checkFormat,
  functionNamed,
  shorten,
  type TemplateFunction,
  type TemplateKind,
} from './template-functions.js';
import { cutTemplate, isSign, malformed, TemplateFault, tokens, unsupported, type Token } from './template-tokens.js';

/**
 * The part of Go's text/template that SwarmKit's users write in secrets, configs and container specs:
 * fields, literals, calls of a few functions, also in pipelines, and `if`. Pure; no part of a template is
 * repeated in a reason but names of fields and functions, since a template may be a secret.
 */
export type ParsedTemplate =
  | { readonly kind: 'parsed'; readonly parts: readonly TemplatePart[] }
  | { readonly kind: 'malformed'; readonly reason: string }
  /** Go's templates have it, bale's do not. */
  | { readonly kind: 'unsupported'; readonly what: string; readonly reason: string };

export type TemplatePart =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'if';
      readonly condition: Expression;
      readonly then: readonly TemplatePart[];
      readonly otherwise: readonly TemplatePart[];
    }
  | Expression;

export type Expression =
  | { readonly kind: 'literal'; readonly value: string }
  /** The names after the dot, e.g. `Service`, `Labels`, `tier`. */
  | { readonly kind: 'field'; readonly path: readonly string[] }
  | { readonly kind: 'call'; readonly name: TemplateFunction; readonly args: readonly Expression[] };

/** Fields that a template may name; a label follows `Service.Labels`. */
const FIELDS: ReadonlySet<string> = new Set([
  'Service.ID',
  'Service.Name',
  'Service.Labels',
  'Node.ID',
  'Node.Hostname',
  'Node.Platform.Architecture',
  'Node.Platform.OS',
  'Task.ID',
  'Task.Name',
  'Task.Slot',
]);

const LABELS = 'Service.Labels';
/** Of Go's templates, and none of bale's. */
const KEYWORDS: ReadonlySet<string> = new Set(['block', 'break', 'continue', 'define', 'range', 'template', 'with']);
/** How deep parentheses and `if` may stand within each other. */
const DEEPEST = 100;

export function parseTemplate(text: string, kind: TemplateKind): ParsedTemplate {
  try {
    return { kind: 'parsed', parts: new TemplateReader(kind).read(text) };
  } catch (error) {
    if (!(error instanceof TemplateFault)) throw error;
    const { reason, what } = error;
    return what === undefined ? { kind: 'malformed', reason } : { kind: 'unsupported', what, reason };
  }
}

/** An `if` whose `end` has not come yet. */
interface OpenIf {
  readonly condition: Expression;
  readonly then: TemplatePart[];
  readonly otherwise: TemplatePart[];
  readonly where: string;
  elseSeen: boolean;
  /** It stands in the `else if` of the one before it and ends with it. */
  readonly chained: boolean;
}

class TemplateReader {
  readonly #kind: TemplateKind;
  readonly #parts: TemplatePart[] = [];
  readonly #open: OpenIf[] = [];

  constructor(kind: TemplateKind) {
    this.#kind = kind;
  }

  read(text: string): readonly TemplatePart[] {
    for (const piece of cutTemplate(text)) {
      if (piece.kind === 'text') this.#put(piece);
      else this.#action(piece.inner, piece.where);
    }
    const left = this.#open.at(-1);
    if (left !== undefined) throw malformed(`the "if" of ${left.where} has no "end"`);
    return this.#parts;
  }

  #put(part: TemplatePart): void {
    const open = this.#open.at(-1);
    if (open === undefined) this.#parts.push(part);
    else if (open.elseSeen) open.otherwise.push(part);
    else open.then.push(part);
  }

  #action(inner: string, where: string): void {
    const queue = tokens(inner, where);
    const [first, second] = queue;
    const keyword = first?.kind === 'name' ? first.text : '';
    if (KEYWORDS.has(keyword))
      throw unsupported(`"${keyword}" in ${where}`, 'templates have "if", "else" and "end" only');
    switch (keyword) {
      case 'if':
        this.#begin(queue.slice(1), where, false);
        return;
      case 'else':
        this.#else(where);
        if (second === undefined) return;
        if (second.kind !== 'name' || second.text !== 'if') throw malformed(`${where}: only "if" may follow "else"`);
        this.#begin(queue.slice(2), where, true);
        return;
      case 'end':
        if (second !== undefined) throw malformed(`${where}: nothing may follow "end"`);
        this.#end(where);
        return;
      default:
        this.#put(this.#expression(queue, where));
    }
  }

  #begin(queue: Token[], where: string, chained: boolean): void {
    if (this.#open.length >= DEEPEST) throw malformed(`${where} stands too deep in others`);
    const condition = this.#expression(queue, where);
    this.#open.push({ condition, then: [], otherwise: [], where, elseSeen: false, chained });
  }

  #else(where: string): void {
    const open = this.#open.at(-1);
    if (open === undefined || open.elseSeen) throw malformed(`${where}: an "else" without its "if"`);
    open.elseSeen = true;
  }

  #end(where: string): void {
    for (let chained = true; chained;) {
      const open = this.#open.pop();
      if (open === undefined) throw malformed(`${where}: an "end" without its "if"`);
      this.#put({ kind: 'if', condition: open.condition, then: open.then, otherwise: open.otherwise });
      chained = open.chained;
    }
  }

  #expression(queue: Token[], where: string): Expression {
    const expression = this.#pipeline(queue, where, 0);
    if (queue.length > 0) throw malformed(`${where} has a parenthesis too many`);
    return expression;
  }

  /** `a | f b` is `f b a`: what stands before the sign becomes the last argument. */
  #pipeline(queue: Token[], where: string, depth: number): Expression {
    if (depth > DEEPEST) throw malformed(`${where} has too many parentheses`);
    let value = this.#command(queue, where, [], depth);
    while (isSign(queue[0], '|')) {
      queue.shift();
      if (queue[0]?.kind !== 'name') throw malformed(`${where}: only a function may follow "|"`);
      value = this.#command(queue, where, [value], depth);
    }
    return value;
  }

  #command(queue: Token[], where: string, piped: readonly Expression[], depth: number): Expression {
    const first = queue[0];
    const ended = (): boolean => queue.length === 0 || isSign(queue[0], '|') || isSign(queue[0], ')');
    if (first?.kind === 'name') {
      queue.shift();
      const name = functionNamed(first.text, this.#kind, where);
      const args: Expression[] = [];
      while (!ended()) args.push(this.#operand(queue, where, depth));
      return call(name, [...args, ...piped], where);
    }
    const operand = this.#operand(queue, where, depth);
    if (!ended()) throw malformed(`${where} gives arguments to what is no function`);
    if (isLabels(operand)) {
      throw unsupported(`.${LABELS} as a whole in ${where}`, 'name one label: index .Service.Labels "NAME"');
    }
    return operand;
  }

  #operand(queue: Token[], where: string, depth: number): Expression {
    const token = queue.shift();
    switch (token?.kind) {
      case 'string':
        return { kind: 'literal', value: token.text };
      case 'field':
        return { kind: 'field', path: checkedPath(token.text, where) };
      case 'name':
        return call(functionNamed(token.text, this.#kind, where), [], where);
      case 'sign': {
        if (token.text !== '(') throw malformed(`${where} has a "${token.text}" where a value belongs`);
        const inner = this.#pipeline(queue, where, depth + 1);
        if (!isSign(queue.shift(), ')')) throw malformed(`${where} has a parenthesis too few`);
        return inner;
      }
      case undefined:
        throw malformed(`${where} has no value`);
    }
  }
}

const isLabels = (expression: Expression | undefined): boolean =>
  expression?.kind === 'field' && expression.path.join('.') === LABELS;

function checkedPath(text: string, where: string): readonly string[] {
  const path = text.slice(1).split('.');
  const name = path.join('.');
  const isLabel = path.length === 3 && name.startsWith(`${LABELS}.`) && path[2] !== '';
  if (!isLabel && !FIELDS.has(name)) {
    throw malformed(`${where} names the field ".${shorten(name)}"; the fields are ${[...FIELDS].join(', ')}`);
  }
  return path;
}

function call(name: TemplateFunction, args: readonly Expression[], where: string): Expression {
  checkArguments(name, args.length, where);
  const [first, ...rest] = args;
  if (name === 'printf') {
    if (first?.kind !== 'literal') throw unsupported(`printf in ${where}`, 'its format must be a text');
    checkFormat(first.value, rest.length, where);
  }
  if (name === 'index' && !isLabels(first)) throw unsupported(`index in ${where}`, `it looks into .${LABELS} only`);
  if ((name === 'index' ? rest : args).some(isLabels)) {
    throw unsupported(`.${LABELS} as a whole in ${where}`, 'name one label: index .Service.Labels "NAME"');
  }
  return { kind: 'call', name, args };
}
