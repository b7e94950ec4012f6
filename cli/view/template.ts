import { BaleError } from '../../core/errors.js';

/**
 * The part of Go's templates that users write in `--format`: field paths, `json`, `upper`, `lower`,
 * `title`, `len`, `join`, `index`, `println`, `range … end` and `if … else … end`, with pipes.
 * Anything else is refused by name, never printed as it stands.
 */
export function renderTemplate(template: string, data: unknown): string {
  return render(nodesOf(template), data, data);
}

/**
 * Refuses, before there is anything to print, a template that cannot be read, or names a field of the data that is
 * none of `fields`: that is a slip, and would print nothing on every line. Throws BALE_TEMPLATE_INVALID.
 */
export function checkTemplate(template: string, fields: readonly string[]): void {
  nodesOf(template);
  for (const [action] of template.matchAll(/\{\{.*?\}\}/gs)) {
    for (const [, field = ''] of action.matchAll(/(?<![\w."$])\.(\w+)/g)) {
      if (fields.includes(field)) continue;
      throw new BaleError(`--format: there is no field "${field}"; the fields are ${fields.join(', ')}`, {
        kind: 'invalid',
        code: 'BALE_TEMPLATE_INVALID',
      });
    }
  }
}

function nodesOf(template: string): readonly Node[] {
  const parts = template
    .replaceAll('\\t', '\t')
    .replaceAll('\\n', '\n')
    .split(/(\{\{-?.*?-?\}\})/s);
  // Every second part is an action.
  if (parts.some((part, index) => index % 2 === 0 && part.includes('{{'))) {
    throw invalid(template, 'an action is not closed by }}');
  }
  return parse(parts.filter((part) => part !== '').map(trimMark), template);
}

type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'value'; readonly words: readonly string[] }
  | { readonly kind: 'range'; readonly words: readonly string[]; readonly body: readonly Node[] }
  | {
      readonly kind: 'if';
      readonly words: readonly string[];
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    };

/** `{{- x -}}` is taken as `{{x}}`; the white space around is the shell's affair. */
const trimMark = (part: string): string => part.replace(/^\{\{-/, '{{').replace(/-\}\}$/, '}}');

function parse(parts: readonly string[], template: string): readonly Node[] {
  let position = 0;
  const block = (closers: readonly string[]): { nodes: Node[]; closer: string } => {
    const nodes: Node[] = [];
    for (; position < parts.length;) {
      const part = parts[position++] ?? '';
      if (!part.startsWith('{{')) {
        nodes.push({ kind: 'text', text: part });
        continue;
      }
      const words = tokens(part.slice(2, -2));
      const [first, ...rest] = words;
      if (first === undefined) throw invalid(template, 'an action is empty');
      if (closers.includes(first)) return { nodes, closer: first };
      if (first === 'range') nodes.push({ kind: 'range', words: rest, body: block(['end']).nodes });
      else if (first === 'if') {
        const then = block(['else', 'end']);
        const otherwise = then.closer === 'else' ? block(['end']).nodes : [];
        nodes.push({ kind: 'if', words: rest, body: then.nodes, otherwise });
      } else nodes.push({ kind: 'value', words });
    }
    if (closers.length > 0) throw invalid(template, 'an action is not closed by {{end}}');
    return { nodes, closer: '' };
  };
  return block([]).nodes;
}

const tokens = (text: string): readonly string[] => text.match(/"(?:[^"\\]|\\.)*"|\||[^\s|]+/g) ?? [];

const invalid = (template: string, reason: string): BaleError =>
  new BaleError(`--format: "${template}" cannot be used: ${reason}`, {
    kind: 'invalid',
    code: 'BALE_TEMPLATE_INVALID',
  });

function render(nodes: readonly Node[], dot: unknown, root: unknown): string {
  return nodes
    .map((node) => {
      switch (node.kind) {
        case 'text':
          return node.text;
        case 'value':
          return show(evaluate(node.words, dot, root));
        case 'range': {
          const list = evaluate(node.words, dot, root);
          const items: readonly unknown[] = Array.isArray(list) ? list : Object.values(isObject(list) ? list : {});
          return items.map((item) => render(node.body, item, root)).join('');
        }
        case 'if':
          return render(isTrue(evaluate(node.words, dot, root)) ? node.body : node.otherwise, dot, root);
      }
    })
    .join('');
}

/** `a | b` gives the value of a to b as its last operand. */
function evaluate(words: readonly string[], dot: unknown, root: unknown): unknown {
  const at = words.lastIndexOf('|');
  if (at < 0) return apply(words, [], dot, root);
  return apply(words.slice(at + 1), [evaluate(words.slice(0, at), dot, root)], dot, root);
}

function apply(words: readonly string[], piped: readonly unknown[], dot: unknown, root: unknown): unknown {
  const [name = '', ...rest] = words;
  const operands = [...rest.map((word) => operand(word, dot, root)), ...piped];
  const [first, second] = operands;
  if (operands.length === 0 && /^[.$"\d]/.test(name)) return operand(name, dot, root);
  switch (name) {
    case 'json':
      return JSON.stringify(first ?? null);
    case 'upper':
      return show(first).toUpperCase();
    case 'lower':
      return show(first).toLowerCase();
    case 'title':
      return show(first).replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
    case 'println':
      return `${operands.map(show).join(' ')}\n`;
    case 'len':
      return Array.isArray(first) ? first.length : isObject(first) ? Object.keys(first).length : show(first).length;
    case 'join':
      return Array.isArray(first) ? first.map(show).join(show(second)) : '';
    case 'index':
      return operands.slice(1).reduce<unknown>((value, key) => member(value, show(key)), first);
    default:
      throw new BaleError(`--format: function "${name}" is not defined`, {
        kind: 'invalid',
        code: 'BALE_TEMPLATE_INVALID',
      });
  }
}

function operand(word: string, dot: unknown, root: unknown): unknown {
  if (word.startsWith('"')) return word.slice(1, -1);
  if (/^-?\d+$/.test(word)) return Number(word);
  if (!/^[.$]/.test(word)) {
    throw new BaleError(`--format: "${word}" is not a field; write .${word}`, {
      kind: 'invalid',
      code: 'BALE_TEMPLATE_INVALID',
    });
  }
  const start = word.startsWith('$') ? root : dot;
  return word
    .replace(/^\$/, '')
    .split('.')
    .filter((key) => key !== '')
    .reduce<unknown>(member, start);
}

function member(value: unknown, key: string): unknown {
  if (Array.isArray(value)) return value[Number(key)];
  if (!isObject(value)) return undefined;
  if (!Object.hasOwn(value, key)) return undefined;
  return Object.entries(value).find(([name]) => name === key)?.[1];
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const isTrue = (value: unknown): boolean =>
  Array.isArray(value) ? value.length > 0 : isObject(value) ? Object.keys(value).length > 0 : Boolean(value);

/** Go's printing of a value: missing ones as docker prints them, maps as `map[k:v]`, lists as `[a b]`. */
function show(value: unknown): string {
  if (value === undefined) return '<no value>';
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(show).join(' ')}]`;
  if (isObject(value))
    return `map[${Object.entries(value)
      .map(([key, item]) => `${key}:${show(item)}`)
      .join(' ')}]`;
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}
