import { BaleError } from '../../core/errors.js';
import type { ContainerSpec } from '../../proto/engine/container-spec.js';
import type { PayloadDocument } from '../../proto/engine/payload-document.js';
import type { ServiceSpec } from '../../proto/engine/service-spec.js';
import type { ApiClient } from '../client.js';
import { filtersQuery } from '../flags/filter.js';
import { parseFileRequest, type FileRequest } from '../flags/file-reference.js';
import { setField } from './set-field.js';

type List = readonly string[];

/** The flags of `service create` and `service update` that name secrets and configs. */
export interface FileFlags {
  readonly secret?: List;
  readonly config?: List;
  readonly secretAdd?: List;
  readonly secretRm?: List;
  readonly configAdd?: List;
  readonly configRm?: List;
}

type Kind = 'secret' | 'config';
/** The newest version's id of each name. */
type Ids = ReadonlyMap<string, string>;

/** Looks the names of the flags up and applies them to a copy of `spec`. */
export async function withFiles(client: ApiClient, spec: ServiceSpec, flags: FileFlags): Promise<ServiceSpec> {
  const secrets = requests('secret', [...(flags.secret ?? []), ...(flags.secretAdd ?? [])], flags.secretAdd);
  const configs = requests('config', [...(flags.config ?? []), ...(flags.configAdd ?? [])], flags.configAdd);
  const [secretIds, configIds] = [await lookUp(client, 'secret', secrets), await lookUp(client, 'config', configs)];
  const changed = structuredClone(spec);
  const container = changed.TaskTemplate.ContainerSpec;
  patchFiles(container, { secrets, configs, secretIds, configIds, flags });
  return changed;
}

/** Applies the flags to `container` itself: what shall go goes first, by its name, as docker's CLI does it. */
export function patchFiles(
  container: ContainerSpec,
  changes: {
    readonly secrets: readonly FileRequest[];
    readonly configs: readonly FileRequest[];
    readonly secretIds: Ids;
    readonly configIds: Ids;
    readonly flags: FileFlags;
  },
): void {
  const { secrets, configs, secretIds, configIds, flags } = changes;
  if (secrets.length > 0 || flags.secretRm !== undefined) {
    const kept = (container.Secrets ?? []).filter(({ SecretName }) => flags.secretRm?.includes(SecretName) !== true);
    const added = secrets.map(({ source, File }) => ({
      File,
      SecretID: idOf('secret', source, secretIds),
      SecretName: source,
    }));
    setField(container, 'Secrets', [...kept, ...added]);
  }
  if (configs.length > 0 || flags.configRm !== undefined) {
    const kept = (container.Configs ?? []).filter(({ ConfigName }) => flags.configRm?.includes(ConfigName) !== true);
    const added = configs.map(({ source, File }) => ({
      File,
      ConfigID: idOf('config', source, configIds),
      ConfigName: source,
    }));
    setField(container, 'Configs', [...kept, ...added]);
  }
}

function requests(kind: Kind, texts: List, add: List | undefined): readonly FileRequest[] {
  const flag = add === undefined ? `--${kind}` : `--${kind}-add`;
  const targets = new Set<string>();
  return texts.map((text) => {
    const request = parseFileRequest(flag, text);
    if (targets.has(request.File.Name)) {
      throw invalid(`duplicate ${kind} target for ${request.source} not allowed`);
    }
    targets.add(request.File.Name);
    return request;
  });
}

async function lookUp(client: ApiClient, kind: Kind, wanted: readonly FileRequest[]): Promise<Ids> {
  if (wanted.length === 0) return new Map();
  const names = Object.fromEntries(wanted.map(({ source }) => [source, true]));
  const found = await client.get<PayloadDocument[]>(`/${kind}s`, { filters: filtersQuery({ name: names }) });
  return new Map(found.map(({ ID, Spec }) => [Spec.Name, ID]));
}

function idOf(kind: Kind, name: string, ids: Ids): string {
  const id = ids.get(name);
  if (id === undefined) throw invalid(`${kind} not found: ${name}`);
  return id;
}

const invalid = (message: string): BaleError => new BaleError(message, { kind: 'invalid', code: 'BALE_FLAG_INVALID' });
