/** Reads a stream of JSON documents, one a line, as the Engine sends events and progress. Ends with the stream. */
export async function* jsonLines(stream: NodeJS.ReadableStream): AsyncGenerator {
  stream.setEncoding('utf8');
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') yield JSON.parse(line);
  }
  if (rest.trim() !== '') yield JSON.parse(rest);
}
