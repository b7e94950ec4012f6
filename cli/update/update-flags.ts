import type { TaskFlags } from '../flags/task-flags.js';
import type { FileFlags } from './file-references.js';
import type { ImageFlags } from './image-digest.js';
import type { RolloutFlags } from './rollout-config.js';

type List = readonly string[];

/** The flags of `service update`, as given. A flag that was not given changes nothing. */
export interface UpdateFlags extends RolloutFlags, TaskFlags, FileFlags, ImageFlags {
  readonly image?: string;
  readonly args?: string;
  readonly entrypoint?: string;
  readonly envAdd?: List;
  readonly envRm?: List;
  readonly labelAdd?: List;
  readonly labelRm?: List;
  readonly containerLabelAdd?: List;
  readonly containerLabelRm?: List;
  readonly publishAdd?: List;
  readonly publishRm?: List;
  readonly mountAdd?: List;
  readonly mountRm?: List;
  readonly groupAdd?: List;
  readonly groupRm?: List;
  readonly hostAdd?: List;
  readonly hostRm?: List;
  readonly dnsAdd?: List;
  readonly dnsRm?: List;
  readonly dnsOptionAdd?: List;
  readonly dnsOptionRm?: List;
  readonly dnsSearchAdd?: List;
  readonly dnsSearchRm?: List;
  readonly sysctlAdd?: List;
  readonly sysctlRm?: List;
  readonly ulimitAdd?: List;
  readonly ulimitRm?: List;
  readonly replicas?: string;
  readonly maxConcurrent?: string;
  readonly genericResourceAdd?: List;
  readonly genericResourceRm?: List;
  readonly constraintAdd?: List;
  readonly constraintRm?: List;
  readonly placementPrefAdd?: List;
  readonly placementPrefRm?: List;
  readonly force?: boolean;
}
