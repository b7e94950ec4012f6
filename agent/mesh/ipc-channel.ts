import type { ChildProcess } from 'node:child_process';
import { Server } from 'node:net';

/** One end of the channel between a mesh process and one that it started: the only way sockets travel in Node 20. */
export interface IpcChannel {
  /** What cannot be sent is dropped: then the other end is gone, or about to go. */
  send(message: object, socket?: Server): void;
  onMessage(listener: (message: unknown, socket: Server | undefined) => void): void;
  onEnd(listener: () => void): void;
  close(): void;
}

/** The channel of `end`: this very process, as a child, or a child of it. */
export function ipcChannel(end: NodeJS.Process | ChildProcess): IpcChannel {
  return {
    send: (message, socket) => {
      if (end.connected) end.send?.(message, socket, {}, () => undefined);
    },
    onMessage: (listener) => {
      end.on('message', (message: unknown, handle: unknown) => {
        listener(message, handle instanceof Server ? handle : undefined);
      });
    },
    onEnd: (listener) => {
      if (end.connected) end.once('disconnect', listener);
      else queueMicrotask(listener);
    },
    close: () => {
      if (end.connected) end.disconnect();
    },
  };
}
