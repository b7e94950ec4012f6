import type { Expression, TemplatePart } from './template.js';

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

/** The text of a template for one task. Throws an Error that says what it names and is not there. */
export const expandTemplate = (
  parts: readonly TemplatePart[],
  context: TemplateContext,
  lookup: TemplateLookup,
): string => parts.map((part) => (part.kind === 'text' ? part.text : evaluate(part, context, lookup))).join('');

function evaluate(expression: Expression, context: TemplateContext, lookup: TemplateLookup): string {
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'field':
      return fieldValue(expression.path, context);
    case 'call':
      break;
  }
  const [first, second] = expression.args;
  const argument = (arg: Expression | undefined): string => (arg === undefined ? '' : evaluate(arg, context, lookup));
  switch (expression.name) {
    case 'env':
      return lookup.env(argument(first)) ?? '';
    case 'secret':
    case 'config':
      return named(expression.name, argument(first), lookup);
    case 'index':
      return label(argument(second), context) ?? '';
    case 'join': {
      const [separator = '', ...texts] = expression.args.map(argument);
      return texts.join(separator);
    }
  }
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
      if (value === undefined) throw new Error(`the service has no label "${path[2] ?? ''}"`);
      return value;
    }
  }
}
