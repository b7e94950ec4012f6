import { defineConfig } from 'vitest/config';

/** `isolate`: each file in a process of its own. The unit ring shares them, since its files leave nothing behind. */
const ring = (name: string, files: readonly string[], seconds: number, parallel: boolean, isolate = true) => ({
  test: {
    name,
    include: [...files],
    testTimeout: seconds * 1000,
    hookTimeout: seconds * 1000,
    fileParallelism: parallel,
    isolate,
    // Real processes and namespaces: forked workers, so that a crash names its file.
    pool: 'forks' as const,
  },
});

export default defineConfig({
  test: {
    projects: [
      ring('unit', ['test/architecture/**/*.test.ts', 'test/unit/**/*.test.ts'], 10, true, false),
      ring('property', ['test/property/**/*.test.ts'], 60, true),
      ring('conformance', ['test/conformance/**/*.test.ts'], 60, true),
      ring('cluster', ['test/cluster/**/*.test.ts'], 60, true),
      ring('hosts', ['test/hosts/**/*.test.ts'], 180, false),
      ring('clients', ['test/clients/**/*.test.ts'], 180, false),
    ],
  },
});
