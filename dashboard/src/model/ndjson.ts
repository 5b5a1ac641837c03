/** From chunks of text, cut anywhere, to the lines of an NDJSON stream. A line that is no JSON is left out. */

export class LineSplitter {
  #rest = '';

  /** The objects of the lines that this chunk completes. */
  push(chunk: string): unknown[] {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines.flatMap(parseLine);
  }
}

function parseLine(line: string): unknown[] {
  if (line.trim() === '') return [];
  try {
    return [JSON.parse(line) as unknown];
  } catch {
    return [];
  }
}
