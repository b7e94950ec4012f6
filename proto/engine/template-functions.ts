import { malformed, unsupported } from './template-tokens.js';

const COMMON = ['and', 'eq', 'index', 'join', 'ne', 'not', 'or', 'printf'] as const;
/** Of the templates in secrets and configs alone, as SwarmKit has it. */
const OF_PAYLOADS = ['config', 'env', 'secret'] as const;
const FUNCTIONS = [...COMMON, ...OF_PAYLOADS] as const;

export type TemplateFunction = (typeof FUNCTIONS)[number];

/** What a template stands in: the data of a secret or config, or a field of a ContainerSpec. */
export type TemplateKind = 'payload' | 'container';

const LONGEST_SHOWN = 32;
export const shorten = (name: string): string =>
  name.length > LONGEST_SHOWN ? `${name.slice(0, LONGEST_SHOWN)}…` : name;

/** Go's own functions that bale's templates do not have; any other name is no function there either. */
const OF_GO: ReadonlySet<string> = new Set(
  'call ge gt html js le len lt print println slice urlquery true false nil'.split(' '),
);

export function functionNamed(name: string, kind: TemplateKind, where: string): TemplateFunction {
  const known: readonly TemplateFunction[] = kind === 'payload' ? FUNCTIONS : COMMON;
  const found = known.find((one) => one === name);
  if (found !== undefined) return found;
  if (OF_GO.has(name)) {
    throw unsupported(`"${name}" in ${where}`, `templates have the functions ${known.join(', ')} only`);
  }
  throw malformed(`function "${shorten(name)}" not defined in ${where}; there are ${known.join(', ')}`);
}

/** How many arguments each takes, and how they are told. */
const ARGUMENTS: Readonly<Record<TemplateFunction, readonly [least: number, most: number, what: string]>> = {
  and: [1, Infinity, 'values'],
  config: [1, 1, 'one name'],
  env: [1, 1, 'one name'],
  eq: [2, Infinity, 'values to compare'],
  index: [2, 2, '.Service.Labels and a name'],
  join: [1, Infinity, 'a separator and texts'],
  ne: [2, 2, 'two values'],
  not: [1, 1, 'one value'],
  or: [1, Infinity, 'values'],
  printf: [1, Infinity, 'a format and texts'],
  secret: [1, 1, 'one name'],
};

export function checkArguments(name: TemplateFunction, count: number, where: string): void {
  const [least, most, what] = ARGUMENTS[name];
  if (count < least || count > most) throw malformed(`${where}: ${name} takes ${what}, not ${count} arguments`);
}

/** The pieces of a format: `%s`, `%v` and `%q` stand for one text each. */
export const FORMAT = /%[sqv%]|[^%]+/gy;

/** Other verbs of Go's formats are refused: their widths and numbers say nothing of a text. */
export function checkFormat(format: string, values: number, where: string): void {
  const pieces = format.match(FORMAT) ?? [];
  if (pieces.join('') !== format)
    throw unsupported(`the format of printf in ${where}`, 'formats have %s, %v, %q and %%');
  const verbs = pieces.filter((piece) => /^%[sqv]$/.test(piece)).length;
  if (verbs !== values) throw malformed(`${where}: the format of printf is for ${verbs} texts, not ${values}`);
}
