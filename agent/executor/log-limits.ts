import type { LogConfig } from './container-config.js';

const BOUNDED: LogConfig = { Type: 'json-file', Config: { 'max-size': '20m', 'max-file': '5' } };

/**
 * The log configuration of containers whose task names none. The Engine's json-file driver keeps
 * everything for ever unless told otherwise, and has filled many a disk; so bale bounds it, except where
 * the Engine's configuration file sets limits of its own. `undefined` = the Engine's default.
 *
 * The Engine's API does not tell its default options: limits given as flags of dockerd are not seen, and
 * bale's hold instead.
 */
export function defaultLogConfig(driver: string, engineConfigFile: string | undefined): LogConfig | undefined {
  if (driver !== 'json-file' || hasLimits(engineConfigFile)) return undefined;
  return BOUNDED;
}

function hasLimits(text: string | undefined): boolean {
  if (text === undefined) return false;
  try {
    const config: unknown = JSON.parse(text);
    if (typeof config !== 'object' || config === null || !('log-opts' in config)) return false;
    const options = config['log-opts'];
    return typeof options === 'object' && options !== null && 'max-size' in options;
  } catch {
    return false; // a file that the Engine cannot read either
  }
}
