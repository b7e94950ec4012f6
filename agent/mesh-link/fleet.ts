import type { MeshRole } from '../mesh/messages.js';

/** One mesh process of this node, as its daemon knows it. */
export interface FleetMember {
  readonly pid: number;
  readonly role: MeshRole;
  /** Of another version of bale than the daemon, or to be replaced for another reason. */
  readonly outdated: boolean;
  /** The table it routes by; 0: none yet, so it holds no socket that others do not hold. */
  readonly tableNumber: number;
  /** When it started, ms since the epoch. */
  readonly since: number;
}

export interface FleetWish {
  /** Processes that serve. */
  readonly count: number;
  /** Whether the daemon knows a table: without one it can start none that could take over. */
  readonly hasTable: boolean;
  /** Whether another may be started now: none is on its way, and the last failure is long enough ago. */
  readonly maySpawn: boolean;
}

export type FleetAction =
  /** By the daemon itself: it gets no sockets from others. */
  | { readonly kind: 'start'; readonly reason: string }
  /** By the leading process, which shares its sockets with it. */
  | { readonly kind: 'spawn'; readonly pid: number; readonly reason: string }
  | { readonly kind: 'lead'; readonly pid: number; readonly reason: string }
  | { readonly kind: 'retire'; readonly pid: number; readonly reason: string };

/**
 * What to do so that the node has `count` mesh processes of the daemon's version, one of which leads.
 * An outdated one is retired only when another serves all that it serves. It needs no memory: whoever
 * dies in between, the next look at what is there goes on from it.
 */
export function planFleet(members: readonly FleetMember[], wish: FleetWish): readonly FleetAction[] {
  const serving = members.filter(({ role }) => role !== 'retired').sort((a, b) => a.since - b.since || a.pid - b.pid);
  const lead = serving.find(({ role, outdated }) => role === 'lead' && !outdated) ?? serving.find(isLead);
  if (lead === undefined) return [withoutLead(serving)];
  const current = serving.filter(({ outdated }) => !outdated);
  const heir = current.find(({ role, tableNumber }) => role === 'follower' && tableNumber > 0);
  if (lead.outdated && heir !== undefined) {
    return [
      // Before the new one leads: two that bind would fight over the next port.
      ...serving.filter(({ outdated }) => outdated).map(({ pid }) => retire(pid, `process ${heir.pid} takes over`)),
      { kind: 'lead', pid: heir.pid, reason: `it takes over from process ${lead.pid}` },
    ];
  }
  const leftover = lead.outdated ? [] : serving.filter((member) => isLeftover(member, lead));
  const useful = current.filter((member) => !leftover.includes(member));
  const surplus = lead.outdated
    ? []
    : useful
        .filter(({ pid }) => pid !== lead.pid)
        .slice(wish.count - 1)
        .map(({ pid }) => retire(pid, `${wish.count} are enough`));
  const missing = lead.outdated ? useful.length === 0 : useful.length < wish.count;
  return [
    ...leftover.map(({ pid }) => retire(pid, 'the process that shared its sockets with it does not lead')),
    ...surplus,
    ...(missing && wish.hasTable && wish.maySpawn && lead.tableNumber > 0
      ? [{ kind: 'spawn', pid: lead.pid, reason: spawnReason(lead, wish) } as const]
      : []),
  ];
}

function withoutLead(serving: readonly FleetMember[]): FleetAction {
  const heir =
    serving.find(({ outdated, tableNumber }) => !outdated && tableNumber > 0) ??
    serving.find(({ tableNumber }) => tableNumber > 0) ??
    serving[0];
  return heir === undefined
    ? { kind: 'start', reason: 'no mesh of this node runs' }
    : { kind: 'lead', pid: heir.pid, reason: 'the process that led is gone' };
}

const isLead = ({ role }: FleetMember): boolean => role === 'lead';

/** Gets no further sockets: its lead is gone, or retired, or it is outdated itself. */
const isLeftover = (member: FleetMember, lead: FleetMember): boolean =>
  member.pid !== lead.pid && (member.role === 'orphan' || member.role === 'lead' || member.outdated);

const retire = (pid: number, reason: string): FleetAction => ({ kind: 'retire', pid, reason });

const spawnReason = (lead: FleetMember, { count }: FleetWish): string =>
  lead.outdated ? `process ${lead.pid} is to be replaced` : `${count} processes are wanted`;
