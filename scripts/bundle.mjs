// Bundles the program into dist/bin: fewer, smaller files start faster and stay lighter in memory than
// hundreds of modules. Names are kept, so that a stack trace reads like the source.
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { rolldown } from 'rolldown';

// Swapped in at the end: a program that runs meanwhile never sees half of the next one.
const staged = 'dist.new';
const old = 'dist.old';
const folder = `${staged}/bin`;
const program = `${folder}/bale.js`;

/**
 * The program is a script of the shell as well, for the options of Node are not the same for all roles.
 * Those of a daemon keep it small while it idles: the default young generation and one garbage
 * collector thread per core cost 12 MB that it never needs. A command must not have the first of them:
 * with an option of V8 Node does not use the compiled form of its own modules that it carries, and
 * starts a fifth slower. After `--` Node reads no options: it would take `--env-file` of
 * `bale service create` for its own.
 */
const HEADER = `#!/bin/sh
':' //; case "$1" in daemon | mesh) v8=--max-semi-space-size=2 ;; *) v8= ;; esac
':' //; exec node $v8 --v8-pool-size=1 -- "$0" "$@"
`;

const common = {
  platform: 'node',
  tsconfig: 'tsconfig.json',
};
const minify = { compress: true, mangle: false, codegen: true };

/** Daemon and mesh; answers the file that each entry became. */
async function bundleNode() {
  const bundle = await rolldown({
    ...common,
    input: { daemon: 'daemon/main.ts', mesh: 'agent/mesh/main.ts' },
    // Native code, and what is loaded only where it is installed.
    external: [/^node:/, 'level', 'ssh2', 'cpu-features'],
  });
  const names = { entryFileNames: '[name]-[hash].mjs', chunkFileNames: '[name]-[hash].mjs' };
  const { output } = await bundle.write({ dir: folder, format: 'esm', minify, ...names });
  await bundle.close();
  return new Map(output.filter(({ isEntry }) => isEntry).map(({ name, fileName }) => [name, fileName]));
}

/** commander can run commands that are programs of their own, and loads for that what bale never uses. */
const UNUSED = 'unused:child_process';
const isUnused = (id, importer) => id === 'node:child_process' && importer?.includes('/node_modules/commander/');

const MAIN = resolve('cli/main.ts');
let loaded;

/** Whether `cli/main.ts` imports a module, itself or by others, and not only when it comes to use it. */
function isAlwaysLoaded(id, graph) {
  if (loaded === undefined) {
    loaded = new Set();
    const waiting = [MAIN];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (loaded.has(next)) continue;
      loaded.add(next);
      waiting.push(...(graph.getModuleInfo(next)?.importedIds ?? []));
    }
  }
  return loaded.has(id);
}

/**
 * The commands, and the choice of a role. They are CommonJS, which Node loads in a third of the time that
 * as many ES modules take, and in few files.
 */
async function bundleCommands(entries) {
  const elsewhere = new Map([
    ['../daemon/main.js', entries.get('daemon')],
    ['../agent/mesh/main.js', entries.get('mesh')],
  ]);
  const bundle = await rolldown({
    ...common,
    input: { bale: 'bin/bale.ts' },
    external: (id, importer) => id.startsWith('node:') && !isUnused(id, importer),
    plugins: [
      {
        name: 'roles',
        resolveId: (id) => (elsewhere.has(id) ? { id: `./${elsewhere.get(id)}`, external: 'relative' } : undefined),
      },
      {
        name: 'unused',
        resolveId: (id, importer) => (isUnused(id, importer) ? UNUSED : undefined),
        load: (id) => (id === UNUSED ? 'export {}' : undefined),
      },
    ],
  });
  const names = { entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' };
  // Whatever each command needs is one file: to find and to open a file costs more than to read it.
  const codeSplitting = {
    groups: [{ name: (id, graph) => (isAlwaysLoaded(id, graph) ? 'commands' : null), debugName: 'commands' }],
  };
  await bundle.write({ dir: folder, format: 'cjs', minify, codeSplitting, ...names });
  await bundle.close();
  writeFileSync(`${folder}/package.json`, '{ "type": "commonjs" }\n');
  writeFileSync(program, HEADER + readFileSync(program, 'utf8'));
  chmodSync(program, 0o755);
}

for (const left of [staged, old]) rmSync(left, { recursive: true, force: true });
await bundleCommands(await bundleNode());
// The .proto files are read at run time, next to the compiled code.
for (const file of readdirSync('proto').filter((name) => name.endsWith('.proto'))) {
  cpSync(`proto/${file}`, `${folder}/${file}`);
}
if (existsSync('dist')) renameSync('dist', old);
renameSync(staged, 'dist');
rmSync(old, { recursive: true, force: true });
