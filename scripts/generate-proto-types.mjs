// Types of the gRPC contracts, made anew at each build so that they cannot be stale.
import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';

rmSync('proto/generated', { recursive: true, force: true });
const files = readdirSync('proto').filter((name) => name.endsWith('.proto'));
const options = ['--longs=Number', '--enums=String', '--defaults', '--oneofs', '--arrays', '--importFileExtension=.js'];
execFileSync(
  'node_modules/.bin/proto-loader-gen-types',
  ['--includeDirs=proto', ...options, '--grpcLib=@grpc/grpc-js', '--outDir=proto/generated', ...files],
  { stdio: ['ignore', 'ignore', 'inherit'] },
);
