import type { ContainerSpec, Mount } from './container-spec.js';

/** Where a template stands. */
export interface TemplatePlace {
  /** Within the ContainerSpec, e.g. `Env[1]`. */
  readonly path: string;
  /** How SwarmKit begins to tell that it cannot be expanded. Names the variable, never its value: that may be a secret. */
  readonly failure: string;
}

export type ExpandText = (text: string, place: TemplatePlace) => string;

const isTemplate = (text: string | undefined): text is string => text?.includes('{{') === true;

/**
 * A ContainerSpec with its templates expanded, in the fields in which SwarmKit expands them: values of
 * variables, strings of mounts, hostname. Every other field is as it was, and the spec itself is
 * returned when it has no template.
 */
export function expandContainer(container: ContainerSpec, expand: ExpandText): ContainerSpec {
  const { Env, Mounts, Hostname } = container;
  const env = Env?.map((line, index) => expandVariable(line, index, expand));
  const mounts = Mounts?.map((mount, index) => expandMount(mount, index, expand));
  const hostname = isTemplate(Hostname)
    ? expand(Hostname, { path: 'Hostname', failure: 'expanding hostname failed' })
    : Hostname;
  const unchanged =
    hostname === Hostname &&
    (env ?? []).every((line, index) => line === Env?.[index]) &&
    (mounts ?? []).every((mount, index) => mount === Mounts?.[index]);
  if (unchanged) return container;
  return {
    ...container,
    ...(env === undefined ? {} : { Env: env }),
    ...(mounts === undefined ? {} : { Mounts: mounts }),
    ...(hostname === undefined ? {} : { Hostname: hostname }),
  };
}

function expandVariable(line: string, index: number, expand: ExpandText): string {
  const at = line.indexOf('=');
  const value = line.slice(at + 1);
  if (at < 0 || !isTemplate(value)) return line;
  const name = line.slice(0, at);
  const failure = `expanding env failed: expanding env ${JSON.stringify(name)}`;
  return `${name}=${expand(value, { path: `Env[${index}]`, failure })}`;
}

function expandMount(mount: Mount, index: number, expand: ExpandText): Mount {
  const { Source, Target, VolumeOptions: volume } = mount;
  const path = `Mounts[${index}]`;
  const text = (value: string, field: string, words: string): string =>
    expand(value, { path: `${path}.${field}`, failure: `expanding mounts failed: expanding ${words}` });
  const map = (values: Readonly<Record<string, string>>, field: string, words: string): Record<string, string> =>
    Object.fromEntries(
      Object.entries(values).map(([key, value]) => [
        key,
        isTemplate(value)
          ? text(value, `${field}.${key}`, `${words}: expanding map entry ${JSON.stringify(key)}`)
          : value,
      ]),
    );
  const { Labels, DriverConfig: driver } = volume ?? {};
  const inMaps = [...Object.values(Labels ?? {}), ...Object.values(driver?.Options ?? {})].some(isTemplate);
  if (!isTemplate(Source) && !isTemplate(Target) && !inMaps) return mount;
  return {
    ...mount,
    ...(isTemplate(Source) ? { Source: text(Source, 'Source', `mount source ${JSON.stringify(Source)}`) } : {}),
    ...(isTemplate(Target) ? { Target: text(Target, 'Target', `mount target ${JSON.stringify(Target)}`) } : {}),
    ...(volume === undefined
      ? {}
      : {
          VolumeOptions: {
            ...volume,
            ...(Labels === undefined ? {} : { Labels: map(Labels, 'VolumeOptions.Labels', 'volume labels') }),
            ...(driver?.Options === undefined
              ? {}
              : {
                  DriverConfig: {
                    ...driver,
                    Options: map(driver.Options, 'VolumeOptions.DriverConfig.Options', 'volume driver config'),
                  },
                }),
          },
        }),
  };
}
