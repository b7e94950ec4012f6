import type { ChildProcess } from 'node:child_process';
import { Socket } from 'node:dgram';
import { Server } from 'node:net';

/** One that listens, or is bound for datagrams. Node reads the latter from the turn in which it arrives. */
export type SharedSocket = Server | Socket;

/** One end of the channel between a mesh process and one that it started: the only way sockets travel in Node 20. */
export interface IpcChannel {
  /** What cannot be sent is dropped: then the other end is gone, or about to go. `done` is called in either case. */
  send(message: object, socket?: SharedSocket, done?: () => void): void;
  onMessage(listener: (message: unknown, socket: SharedSocket | undefined) => void): void;
  onEnd(listener: () => void): void;
  close(): void;
}

/** The channel of `end`: this very process, as a child, or a child of it. */
export function ipcChannel(end: NodeJS.Process | ChildProcess): IpcChannel {
  return {
    send: (message, socket, done = () => undefined) => {
      if (end.connected) end.send?.(message, socket, {}, done);
      else done();
    },
    onMessage: (listener) => {
      end.on('message', (message: unknown, handle: unknown) => {
        listener(message, handle instanceof Server || handle instanceof Socket ? handle : undefined);
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
