// The load as a process of its own, so that whoever drives the change does not slow it down.
import type { LoadOptions, LoadResult } from '../../test/support/load/load-types.js';
import { MixedLoad } from '../../test/support/load/mixed-load.js';

export type ToLoad =
  | { readonly kind: 'start'; readonly options: LoadOptions }
  | { readonly kind: 'phase'; readonly phase: string }
  | { readonly kind: 'stop' };

export interface FromLoad {
  readonly result: LoadResult;
}

let load: MixedLoad | undefined;

process.on('message', (message: ToLoad) => {
  switch (message.kind) {
    case 'start':
      load = new MixedLoad(message.options);
      return;
    case 'phase':
      if (load !== undefined) load.phase = message.phase;
      return;
    case 'stop':
      void load?.stop().then((result) => {
        process.send?.({ result } satisfies FromLoad, () => {
          process.disconnect();
        });
      });
  }
});

// Also when whoever started it is gone: nothing is left to load.
process.on('disconnect', () => process.exit());
