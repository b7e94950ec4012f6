import type { Expression, TemplatePart } from './template.js';
import { FORMAT } from './template-functions.js';

/** What a template may name. */
export interface TemplateContext {
  readonly Service: { readonly ID: string; readonly Name: string; readonly Labels: Readonly<Record<string, string>> };
  readonly Node: {
    readonly ID: string;
    readonly Hostname: string;
    readonly Platform: { readonly Architecture: string; readonly OS: string };
  };
  /** Slot is a number, or the node's id where a service has one task a node. */
  readonly Task: { readonly ID: string; readonly Name: string; readonly Slot: string };
}

/** The functions that look something up. Undefined: there is none. */
export interface TemplateLookup {
  env(name: string): string | undefined;
  /** By the name of the file that the task's spec gives it. */
  secret(target: string): string | undefined;
  config(target: string): string | undefined;
}

/** Nothing to look up: the templates of container specs. */
export const NO_LOOKUP: TemplateLookup = {
  env: () => undefined,
  secret: () => undefined,
  config: () => undefined,
};

type Value = string | boolean;

/** The text of a template for one task. Throws an Error that says what it names and is not there. */
export const expandTemplate = (
  parts: readonly TemplatePart[],
  context: TemplateContext,
  lookup: TemplateLookup,
): string => parts.map((part) => expandPart(part, context, lookup)).join('');

function expandPart(part: TemplatePart, context: TemplateContext, lookup: TemplateLookup): string {
  switch (part.kind) {
    case 'text':
      return part.text;
    case 'if':
      return expandTemplate(
        isTrue(evaluate(part.condition, context, lookup)) ? part.then : part.otherwise,
        context,
        lookup,
      );
    case 'literal':
    case 'field':
    case 'call':
      return String(evaluate(part, context, lookup));
  }
}

/** As Go has it: an empty text is false. */
const isTrue = (value: Value): boolean => value !== '' && value !== false;

function evaluate(expression: Expression, context: TemplateContext, lookup: TemplateLookup): Value {
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'field':
      return fieldValue(expression.path, context);
    case 'call':
      break;
  }
  const value = (arg: Expression | undefined): Value => (arg === undefined ? '' : evaluate(arg, context, lookup));
  const text = (arg: Expression | undefined): string => String(value(arg));
  const { name, args } = expression;
  const [first, second] = args;
  switch (name) {
    case 'env':
      return lookup.env(text(first)) ?? '';
    case 'secret':
    case 'config':
      return named(name, text(first), lookup);
    case 'index':
      return label(text(second), context) ?? '';
    case 'join': {
      const [separator = '', ...texts] = args.map(text);
      return texts.join(separator);
    }
    case 'printf': {
      const [format = '', ...texts] = args.map(text);
      return printed(format, texts);
    }
    case 'and':
    case 'or':
      return firstThatDecides(args, value, name === 'or');
    case 'not':
      return !isTrue(value(first));
    case 'eq':
      return args.slice(1).some((other) => isSame(value(first), value(other)));
    case 'ne':
      return !isSame(value(first), value(second));
  }
}

/** The first argument that is `wanted`, else the last; those after it are not looked at. */
function firstThatDecides(args: readonly Expression[], value: (arg: Expression) => Value, wanted: boolean): Value {
  let last: Value = '';
  for (const arg of args) {
    last = value(arg);
    if (isTrue(last) === wanted) return last;
  }
  return last;
}

function isSame(a: Value, b: Value): boolean {
  if (typeof a !== typeof b) throw new Error('incompatible types for comparison');
  return a === b;
}

/** The format has been checked to fit its texts. */
function printed(format: string, texts: readonly string[]): string {
  const rest = [...texts];
  const pieces = format.match(FORMAT) ?? [];
  return pieces
    .map((piece) => {
      if (piece === '%%') return '%';
      if (piece === '%s' || piece === '%v') return rest.shift() ?? '';
      return piece === '%q' ? JSON.stringify(rest.shift() ?? '') : piece;
    })
    .join('');
}

function named(kind: 'secret' | 'config', target: string, lookup: TemplateLookup): string {
  const value = lookup[kind](target);
  if (value === undefined) throw new Error(`${kind} target ${target} not found`);
  return value;
}

const label = (name: string, { Service }: TemplateContext): string | undefined =>
  Object.hasOwn(Service.Labels, name) ? Service.Labels[name] : undefined;

function fieldValue(path: readonly string[], context: TemplateContext): string {
  const { Service, Node, Task } = context;
  const name = path.join('.');
  switch (name) {
    case 'Service.ID':
      return Service.ID;
    case 'Service.Name':
      return Service.Name;
    case 'Node.ID':
      return Node.ID;
    case 'Node.Hostname':
      return Node.Hostname;
    case 'Node.Platform.Architecture':
      return Node.Platform.Architecture;
    case 'Node.Platform.OS':
      return Node.Platform.OS;
    case 'Task.ID':
      return Task.ID;
    case 'Task.Name':
      return Task.Name;
    case 'Task.Slot':
      return Task.Slot;
    default: {
      const value = label(path[2] ?? '', context);
      if (value === undefined) throw new Error(`map has no entry for key "${path[2] ?? ''}"`);
      return value;
    }
  }
}
