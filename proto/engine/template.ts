/**
 * The part of Go's text/template that SwarmKit's users write in secrets, configs and container specs:
 * fields, literals, and calls of a few functions, also in pipelines. Pure; no part of a template is
 * repeated in a reason but names of fields and functions, since a template may be a secret.
 */
export type ParsedTemplate =
  | { readonly kind: 'parsed'; readonly parts: readonly TemplatePart[] }
  | { readonly kind: 'malformed'; readonly reason: string }
  /** Go's templates have it, bale's do not. */
  | { readonly kind: 'unsupported'; readonly what: string; readonly reason: string };

export type TemplatePart = { readonly kind: 'text'; readonly text: string } | Expression;

export type Expression =
  | { readonly kind: 'literal'; readonly value: string }
  /** The names after the dot, e.g. `Service`, `Labels`, `tier`. */
  | { readonly kind: 'field'; readonly path: readonly string[] }
  | { readonly kind: 'call'; readonly name: TemplateFunction; readonly args: readonly Expression[] };

const FUNCTIONS = ['config', 'env', 'index', 'join', 'secret'] as const;
export type TemplateFunction = (typeof FUNCTIONS)[number];
const FUNCTION_LIST = FUNCTIONS.join(', ');

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
const LONGEST_SHOWN = 32;

class Fault extends Error {
  constructor(readonly template: Exclude<ParsedTemplate, { readonly kind: 'parsed' }>) {
    super();
  }
}

const malformed = (reason: string): Fault => new Fault({ kind: 'malformed', reason });
const unsupported = (what: string, reason: string): Fault => new Fault({ kind: 'unsupported', what, reason });

export function parseTemplate(text: string): ParsedTemplate {
  try {
    return { kind: 'parsed', parts: parseParts(text) };
  } catch (error) {
    if (error instanceof Fault) return error.template;
    throw error;
  }
}

function parseParts(text: string): readonly TemplatePart[] {
  const parts: TemplatePart[] = [];
  let from = 0;
  let trimmed = false;
  for (let count = 1; ; count += 1) {
    const start = text.indexOf('{{', from);
    const where = `action ${count}`;
    const trimsBefore = start >= 0 && /^\{\{-\s/.test(text.slice(start, start + 4));
    const before = trimmed
      ? text.slice(from, start < 0 ? undefined : start).trimStart()
      : text.slice(from, start < 0 ? undefined : start);
    const kept = trimsBefore ? before.trimEnd() : before;
    if (kept !== '') parts.push({ kind: 'text', text: kept });
    if (start < 0) return parts;
    const inside = start + (trimsBefore ? 3 : 2);
    const end = endOfAction(text, inside);
    if (end < 0) throw malformed(`${where} has no end`);
    const raw = text.slice(inside, end);
    trimmed = /\s-$/.test(raw);
    const inner = trimmed ? raw.slice(0, -1) : raw;
    if (!/^\s*\/\*/.test(inner)) parts.push(parseAction(inner, where));
    from = end + 2;
  }
}

/** Where the `}}` of an action stands whose inside begins at `from`; -1 where there is none. Texts and comments may hold braces. */
function endOfAction(text: string, from: number): number {
  const comment = /\s*\/\*/y;
  comment.lastIndex = from;
  if (comment.test(text)) {
    const close = text.indexOf('*/', comment.lastIndex);
    return close < 0 ? -1 : text.indexOf('}}', close);
  }
  const step = /"(?:[^"\\\n]|\\.)*"|`[^`]*`|\}\}|[^"`}]+|\}/sy;
  step.lastIndex = from;
  for (let at = from; ; at = step.lastIndex) {
    const match = step.exec(text);
    if (match === null) return -1;
    if (match[0] === '}}') return at;
  }
}

interface Token {
  readonly kind: 'string' | 'field' | 'name' | 'sign';
  readonly text: string;
}

const TOKEN =
  /\s*(?:(?<quoted>"(?:[^"\\\n]|\\.)*")|`(?<raw>[^`]*)`|(?<field>\.[\w.]*)|(?<name>[A-Za-z_]\w*)|(?<sign>[|()]))/y;

function tokens(inner: string, where: string): Token[] {
  const found: Token[] = [];
  const end = inner.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const at = TOKEN.lastIndex;
    const groups = TOKEN.exec(inner)?.groups;
    if (groups === undefined) {
      const rest = inner.slice(at).trimStart();
      if (rest.startsWith('$')) throw unsupported(`a variable in ${where}`, 'templates have no variables');
      if (/^[0-9+-]/.test(rest)) throw unsupported(`a number in ${where}`, 'templates have texts only');
      throw malformed(`${where} cannot be read`);
    }
    const { quoted, raw, field, name, sign } = groups;
    if (quoted !== undefined) found.push({ kind: 'string', text: unquote(quoted, where) });
    else if (raw !== undefined) found.push({ kind: 'string', text: raw });
    else if (field !== undefined) found.push({ kind: 'field', text: field });
    else if (name !== undefined) found.push({ kind: 'name', text: name });
    else if (sign !== undefined) found.push({ kind: 'sign', text: sign });
  }
  return found;
}

function unquote(quoted: string, where: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    throw malformed(`${where} has a text with an escape that is none`);
  }
}

function parseAction(inner: string, where: string): Expression {
  const queue = tokens(inner, where);
  const expression = parsePipeline(queue, where);
  if (queue.length > 0) throw malformed(`${where} has a parenthesis too many`);
  return expression;
}

/** `a | f b` is `f b a`: what stands before the sign becomes the last argument. */
function parsePipeline(queue: Token[], where: string): Expression {
  let value = parseCommand(queue, where, []);
  while (isSign(queue[0], '|')) {
    queue.shift();
    if (queue[0]?.kind !== 'name') throw malformed(`${where}: only a function may follow "|"`);
    value = parseCommand(queue, where, [value]);
  }
  return value;
}

function parseCommand(queue: Token[], where: string, piped: readonly Expression[]): Expression {
  const first = queue[0];
  if (first?.kind === 'name') {
    queue.shift();
    const name = functionNamed(first.text, where);
    const args: Expression[] = [];
    while (queue.length > 0 && !isSign(queue[0], '|') && !isSign(queue[0], ')')) args.push(parseOperand(queue, where));
    return call(name, [...args, ...piped], where);
  }
  const operand = parseOperand(queue, where);
  if (queue.length > 0 && !isSign(queue[0], '|') && !isSign(queue[0], ')')) {
    throw malformed(`${where} gives arguments to what is no function`);
  }
  if (operand.kind === 'field' && operand.path.join('.') === LABELS) {
    throw unsupported(`.${LABELS} as a whole in ${where}`, 'name one label: index .Service.Labels "NAME"');
  }
  return operand;
}

const isSign = (token: Token | undefined, text: string): boolean => token?.kind === 'sign' && token.text === text;

function parseOperand(queue: Token[], where: string): Expression {
  const token = queue.shift();
  switch (token?.kind) {
    case 'string':
      return { kind: 'literal', value: token.text };
    case 'field':
      return { kind: 'field', path: checkedPath(token.text, where) };
    case 'name':
      return call(functionNamed(token.text, where), [], where);
    case 'sign': {
      if (token.text !== '(') throw malformed(`${where} has a "${token.text}" where a value belongs`);
      const inner = parsePipeline(queue, where);
      if (!isSign(queue.shift(), ')')) throw malformed(`${where} has a parenthesis too few`);
      return inner;
    }
    case undefined:
      throw malformed(`${where} has no value`);
  }
}

function functionNamed(name: string, where: string): TemplateFunction {
  const found = FUNCTIONS.find((known) => known === name);
  if (found !== undefined) return found;
  const shown = name.length > LONGEST_SHOWN ? `${name.slice(0, LONGEST_SHOWN)}…` : name;
  throw unsupported(`"${shown}" in ${where}`, `templates have the functions ${FUNCTION_LIST} only`);
}

function checkedPath(text: string, where: string): readonly string[] {
  const path = text.slice(1).split('.');
  const name = path.join('.');
  const isLabel = path.length === 3 && name.startsWith(`${LABELS}.`) && path[2] !== '';
  if (!isLabel && !FIELDS.has(name)) {
    const shown = name.length > LONGEST_SHOWN ? `${name.slice(0, LONGEST_SHOWN)}…` : name;
    throw malformed(`${where} names the field ".${shown}"; the fields are ${[...FIELDS].join(', ')}`);
  }
  return path;
}

function call(name: TemplateFunction, args: readonly Expression[], where: string): Expression {
  const wrong = (wanted: string): Fault => malformed(`${where}: ${name} takes ${wanted}, not ${args.length} arguments`);
  switch (name) {
    case 'config':
    case 'env':
    case 'secret':
      if (args.length !== 1) throw wrong('one name');
      break;
    case 'index': {
      if (args.length !== 2) throw wrong('.Service.Labels and a name');
      const map = args[0];
      if (map?.kind !== 'field' || map.path.join('.') !== LABELS) {
        throw unsupported(`index in ${where}`, `it looks into .${LABELS} only`);
      }
      break;
    }
    case 'join':
      if (args.length === 0) throw wrong('a separator and texts');
      break;
  }
  return { kind: 'call', name, args };
}
