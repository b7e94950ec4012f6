import { pino, type Logger as PinoLogger } from 'pino';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';
export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent'];

/** Structured log lines. Never pass a key, token, secret or environment variable of a user. */
export type Logger = Pick<PinoLogger, 'debug' | 'info' | 'warn' | 'error'> & {
  child(bindings: Record<string, unknown>): Logger;
};

/** JSON lines on standard error, synchronous so that the last line before a crash is there. */
export const createLogger = (level: LogLevel, bindings: Record<string, unknown> = {}): Logger =>
  pino({ level, base: bindings }, pino.destination({ dest: 2, sync: true }));
