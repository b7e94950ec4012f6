import { ApiClient } from './client.js';
import { DEFAULT_HOST } from './context.js';
import { chooseHost, readTlsFiles, type TlsFlags } from './daemon-host.js';

/** The client for the host that flags or variables name. Its files are read when it is another machine's. */
export function openClient(
  { host, ...files }: TlsFlags & { readonly host?: string },
  env: Readonly<Record<string, string | undefined>>,
): ApiClient {
  return new ApiClient(chooseHost(host, env, DEFAULT_HOST), () => readTlsFiles(files, env));
}
