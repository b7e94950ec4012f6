import { usageError } from './usage-error.js';

/** What `--secret` or `--config` asks for, before the name is looked up. */
export interface FileRequest {
  readonly source: string;
  readonly File: { Name: string; UID: string; GID: string; Mode: number };
}

/** docker's `--secret` and `--config`: `NAME`, or `source=NAME,target=FILE,uid=0,gid=0,mode=0440`. */
export function parseFileRequest(flag: string, text: string): FileRequest {
  let source = '';
  const File = { Name: '', UID: '0', GID: '0', Mode: 0o444 };
  const fields = text.split(',');
  if (fields.length === 1 && !text.includes('=')) source = text;
  else {
    for (const field of fields) {
      const at = field.indexOf('=');
      if (at <= 0) throw usageError(flag, text, `invalid field '${field}' must be a key=value pair`);
      const value = field.slice(at + 1);
      switch (field.slice(0, at).toLowerCase()) {
        case 'source':
        case 'src':
          source = value;
          break;
        case 'target':
          File.Name = value;
          break;
        case 'uid':
          File.UID = value;
          break;
        case 'gid':
          File.GID = value;
          break;
        case 'mode':
          File.Mode = parseMode(flag, text, value);
          break;
        default:
          throw usageError(flag, text, `invalid field '${field}'; the fields are source, target, uid, gid and mode`);
      }
    }
  }
  if (source === '') throw usageError(flag, text, 'source is required');
  return { source, File: { ...File, Name: File.Name === '' ? source : File.Name } };
}

/** As Go reads a number of any base: octal with a leading 0, else decimal. */
function parseMode(flag: string, text: string, value: string): number {
  const octal = /^0o?([0-7]+)$/i.exec(value)?.[1];
  if (octal !== undefined) return Number.parseInt(octal, 8);
  if (/^\d+$/.test(value) && (value === '0' || !value.startsWith('0'))) return Number(value);
  throw usageError(flag, text, `invalid mode specified: ${value}`);
}
