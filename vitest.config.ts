import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

interface Ring {
  readonly name: string;
  readonly files: readonly string[];
  /** Limit of each test and hook. */
  readonly seconds: number;
  /** Test files that run at a time. */
  readonly workers: number;
  /** Each file in a process of its own. */
  readonly isolate: boolean;
}

/** Test files wait more than they work: two at a time even on two cores, of larger machines all cores but one. */
const SOME = Math.max(2, availableParallelism() - 1);

/** In the order in which they run, one after the other. */
const RINGS: readonly Ring[] = [
  // Its files share processes, since they leave nothing behind.
  {
    name: 'unit',
    files: ['test/architecture/**/*.test.ts', 'test/unit/**/*.test.ts'],
    seconds: 60,
    workers: SOME,
    isolate: false,
  },
  { name: 'property', files: ['test/property/**/*.test.ts'], seconds: 60, workers: SOME, isolate: true },
  { name: 'conformance', files: ['test/conformance/**/*.test.ts'], seconds: 60, workers: SOME, isolate: true },
  { name: 'cluster', files: ['test/cluster/**/*.test.ts'], seconds: 60, workers: SOME, isolate: true },
  { name: 'hosts', files: ['test/hosts/**/*.test.ts'], seconds: 600, workers: 1, isolate: true },
  { name: 'clients', files: ['test/clients/**/*.test.ts'], seconds: 180, workers: 1, isolate: true },
];

export default defineConfig({
  test: {
    projects: RINGS.map(({ name, files, seconds, workers, isolate }, order) => ({
      test: {
        name,
        include: [...files],
        testTimeout: seconds * 1000,
        hookTimeout: seconds * 1000,
        // A condition that is waited for has as long as a test may take at all, less what telling about it needs.
        expect: { poll: { timeout: seconds * 900 } },
        maxWorkers: workers,
        isolate,
        // Rings with unlike numbers of workers do not run together.
        sequence: { groupOrder: order },
        // Real processes and namespaces: forked workers, so that a crash names its file.
        pool: 'forks' as const,
      },
    })),
  },
});
