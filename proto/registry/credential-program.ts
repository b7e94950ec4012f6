import { spawn } from 'node:child_process';
import { BaleError, errorMessage } from '../../core/errors.js';
import { authConfig, type AuthConfig } from './auth-config.js';

/** A helper may ask a cloud for a token; one that hangs must not hold a pull for long, ms. */
const PATIENCE = 10_000;
const LONGEST_ANSWER = 1024 * 1024;

/** The user name that says that the secret is an identity token. */
const TOKEN_USER = '<token>';

/**
 * Asks `docker-credential-NAME get` for the credentials of a server: the server on its standard input,
 * `{"Username", "Secret"}` on its output. Undefined when it has none. Throws
 * BALE_CREDENTIAL_HELPER_FAILED; what the helper printed is never repeated, it may hold the secret.
 */
export async function askCredentialHelper(
  helper: { readonly name: string; readonly server: string },
  signal: AbortSignal,
): Promise<AuthConfig | undefined> {
  signal.throwIfAborted();
  const program = `docker-credential-${helper.name}`;
  const { code, output } = await run(program, helper.server, signal);
  if (code === 0) return readAnswer(program, helper.server, output);
  if (output.includes('credentials not found')) return undefined;
  throw failed(program, helper.server, `it ended with exit code ${code ?? 'none'}`);
}

function readAnswer(program: string, server: string, output: string): AuthConfig | undefined {
  let answer: unknown;
  try {
    answer = JSON.parse(output);
  } catch {
    throw failed(program, server, 'its answer is no JSON');
  }
  const text = (name: string): string => {
    const value: unknown = typeof answer === 'object' && answer !== null ? Reflect.get(answer, name) : undefined;
    return typeof value === 'string' ? value : '';
  };
  const isToken = text('Username') === TOKEN_USER;
  return authConfig({
    username: isToken ? '' : text('Username'),
    password: isToken ? '' : text('Secret'),
    identitytoken: isToken ? text('Secret') : '',
    registrytoken: '',
    serveraddress: server,
  });
}

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

function run(program: string, server: string, signal: AbortSignal): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ['get'], { stdio: ['pipe', 'pipe', 'ignore'], detached: true });
    let output = '';
    const stop = (why: string): void => {
      end();
      reject(failed(program, server, why));
      // Helpers are scripts at times: their children go with them.
      if (child.pid !== undefined) killGroup(child.pid);
    };
    const onAbort = (): void => {
      stop('nobody waits for it any more');
    };
    const timer = setTimeout(() => {
      stop(`no answer within ${PATIENCE / 1000} s`);
    }, PATIENCE);
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      if (output.length > LONGEST_ANSWER) stop('its answer is too long');
    });
    child.on('error', (error) => {
      end();
      reject(failed(program, server, errorMessage(error)));
    });
    child.on('close', (code) => {
      end();
      resolve({ code, output });
    });
    // One that does not read its input says so by its exit code.
    child.stdin.on('error', () => undefined);
    child.stdin.end(`${server}\n`);
  });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended by itself meanwhile.
  }
}

const failed = (program: string, server: string, why: string): BaleError =>
  new BaleError(`${program} gave no credentials for ${server}: ${why}`, {
    kind: 'unavailable',
    code: 'BALE_CREDENTIAL_HELPER_FAILED',
  });
