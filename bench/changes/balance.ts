import { Agent } from 'node:http';
import type { ReplicaService } from '../../test/support/load/replica-service.js';
import { ask } from '../../test/support/swarm-session.js';

const REQUESTS = 600;

/**
 * Asks each node one request after the other, and prints the difference between the replica asked most and the
 * one asked least. Returns 1 when it is more than 1.
 */
export async function printBalance(service: ReplicaService, replicas: number): Promise<number> {
  let worst = 0;
  for (const { node, address, httpPort } of service.targets) {
    for (const keepAlive of [true, false]) {
      const agent = new Agent({ keepAlive, maxSockets: 1 });
      const counts = new Map<string, number>();
      for (let n = 0; n < REQUESTS; n += 1) {
        const { text } = await ask(address, httpPort, { agent });
        counts.set(text, (counts.get(text) ?? 0) + 1);
      }
      agent.destroy();
      const all = [...counts.values()];
      const imbalance = all.length === replicas ? Math.max(...all) - Math.min(...all) : REQUESTS;
      worst = Math.max(worst, imbalance);
      const how = keepAlive ? 'on one connection' : 'on a connection each';
      console.log(`balance: ${node}, ${REQUESTS} requests ${how}: ${all.join(' ')}, imbalance ${imbalance}`);
    }
  }
  return worst <= 1 ? 0 : 1;
}
