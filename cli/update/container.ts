import type { ContainerSpec } from '../../proto/engine/container-spec.js';
import { parseDuration } from '../../proto/engine/duration.js';
import { parseLabels } from '../flags/labels.js';
import { oomScore, ulimit } from '../flags/service-spec.js';
import { splitWords } from '../flags/shell-words.js';
import { patchCapabilities } from './capabilities.js';
import { patchHealth } from './health.js';
import { patchHosts } from './hosts.js';
import { patchEnvironment, patchMap, patchNamed, patchSet } from './keyed.js';
import { patchMounts } from './mounts.js';
import { setField } from './set-field.js';
import type { UpdateFlags } from './update-flags.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Applies the flags to `spec` itself. */
export function patchContainer(spec: ContainerSpec, flags: UpdateFlags, own: Environment): void {
  patchProcess(spec, flags, own);
  patchFiles(spec, flags);
  patchNames(spec, flags);
  patchRights(spec, flags);
  setField(spec, 'Healthcheck', patchHealth(spec.Healthcheck, flags));
}

function patchProcess(spec: ContainerSpec, flags: UpdateFlags, own: Environment): void {
  const { image, args, entrypoint, envAdd, envRm, stopGracePeriod } = flags;
  if (image !== undefined) spec.Image = image;
  if (args !== undefined) setField(spec, 'Args', splitWords(args, '--args'));
  if (entrypoint !== undefined) setField(spec, 'Command', splitWords(entrypoint, '--entrypoint'));
  if (envAdd !== undefined || envRm !== undefined) {
    setField(spec, 'Env', patchEnvironment(spec.Env, (envAdd ?? []).map(withOwnValue(own)), envRm));
  }
  if (flags.workdir !== undefined) setField(spec, 'Dir', flags.workdir);
  if (flags.init !== undefined) spec.Init = flags.init;
  if (flags.tty !== undefined) setField(spec, 'TTY', flags.tty || undefined);
  if (flags.stopSignal !== undefined) setField(spec, 'StopSignal', flags.stopSignal);
  if (stopGracePeriod !== undefined) spec.StopGracePeriod = parseDuration(stopGracePeriod, '--stop-grace-period');
}

/** A bare `NAME` takes this process's value; without one it stays bare, which hides the image's own. */
const withOwnValue =
  (own: Environment) =>
  (text: string): string => {
    const value = text.includes('=') ? undefined : own[text];
    return value === undefined ? text : `${text}=${value}`;
  };

function patchFiles(spec: ContainerSpec, flags: UpdateFlags): void {
  const { mountAdd, mountRm, readOnly } = flags;
  if (mountAdd !== undefined || mountRm !== undefined) {
    setField(spec, 'Mounts', patchMounts(spec.Mounts, mountAdd, mountRm));
  }
  if (readOnly !== undefined) setField(spec, 'ReadOnly', readOnly || undefined);
}

function patchNames(spec: ContainerSpec, flags: UpdateFlags): void {
  if (flags.hostname !== undefined) setField(spec, 'Hostname', flags.hostname);
  if (flags.containerLabelAdd !== undefined || flags.containerLabelRm !== undefined) {
    setField(spec, 'Labels', patchMap(spec.Labels, parseLabels(flags.containerLabelAdd ?? []), flags.containerLabelRm));
  }
  if (flags.hostAdd !== undefined || flags.hostRm !== undefined) {
    setField(spec, 'Hosts', patchHosts(spec.Hosts, flags.hostAdd, flags.hostRm));
  }
  const { dnsAdd, dnsRm, dnsOptionAdd, dnsOptionRm, dnsSearchAdd, dnsSearchRm } = flags;
  if ([dnsAdd, dnsRm, dnsOptionAdd, dnsOptionRm, dnsSearchAdd, dnsSearchRm].some((flag) => flag !== undefined)) {
    const dns = { ...spec.DNSConfig };
    setField(dns, 'Nameservers', patchSet(dns.Nameservers, dnsAdd, dnsRm));
    setField(dns, 'Search', patchSet(dns.Search, dnsSearchAdd, dnsSearchRm));
    setField(dns, 'Options', patchSet(dns.Options, dnsOptionAdd, dnsOptionRm));
    spec.DNSConfig = dns;
  }
}

function patchRights(spec: ContainerSpec, flags: UpdateFlags): void {
  if (flags.user !== undefined) setField(spec, 'User', flags.user);
  if (flags.groupAdd !== undefined || flags.groupRm !== undefined) {
    setField(spec, 'Groups', patchSet(spec.Groups, flags.groupAdd, flags.groupRm));
  }
  if (flags.capAdd !== undefined || flags.capDrop !== undefined) {
    const { add, drop } = patchCapabilities(
      { add: spec.CapabilityAdd ?? [], drop: spec.CapabilityDrop ?? [] },
      { add: flags.capAdd ?? [], drop: flags.capDrop ?? [] },
    );
    setField(spec, 'CapabilityAdd', [...add]);
    setField(spec, 'CapabilityDrop', [...drop]);
  }
  if (flags.sysctlAdd !== undefined || flags.sysctlRm !== undefined) {
    setField(spec, 'Sysctls', patchMap(spec.Sysctls, parseLabels(flags.sysctlAdd ?? []), flags.sysctlRm));
  }
  if (flags.isolation !== undefined) setField(spec, 'Isolation', flags.isolation);
  if (flags.oomScoreAdj !== undefined) spec.OomScoreAdj = oomScore(flags.oomScoreAdj);
  if (flags.ulimitAdd !== undefined || flags.ulimitRm !== undefined) {
    setField(spec, 'Ulimits', patchNamed(spec.Ulimits, (flags.ulimitAdd ?? []).map(ulimit), flags.ulimitRm));
  }
}
