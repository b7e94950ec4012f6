import { isDeepStrictEqual } from 'node:util';

/** The most paths of one record, and characters of one path: keys of labels are the user's. */
const MOST_PATHS = 40;
const LONGEST_PATH = 200;

/**
 * Where two documents differ, as paths like `TaskTemplate.ContainerSpec.Image`. A list is one place,
 * whatever differs in it, and no value is repeated: variables and data are not for a record.
 */
export function changedPaths(before: unknown, after: unknown): readonly string[] {
  const paths: string[] = [];
  collect(before, after, '', paths);
  return paths.length > MOST_PATHS ? [...paths.slice(0, MOST_PATHS), '…'] : paths;
}

function collect(before: unknown, after: unknown, path: string, paths: string[]): void {
  if (paths.length > MOST_PATHS || isDeepStrictEqual(before, after)) return;
  if (!isObject(before) || !isObject(after)) {
    paths.push(path.slice(0, LONGEST_PATH));
    return;
  }
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [left, right] = [own(before, key), own(after, key)];
    collect(left, right, path === '' ? key : `${path}.${key}`, paths);
  }
}

const own = (value: Readonly<Record<string, unknown>>, key: string): unknown =>
  Object.hasOwn(value, key) ? value[key] : undefined;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
